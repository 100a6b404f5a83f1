"""Operations for proGres v4, which is reached through a gateway only.

What is sent is the job's mapping; how it is sent is the gateway's transport, named in the credential `progres`:
`transport: dtp`, `referral_url`, `decision_url`, `subscription_key`, `secondary_subscription_key`, `certificate` and
`private_key` or `pkcs12` and `pkcs12_password` (and all four once more with `next_` before them), `thumbprint_header`,
`thumbprint_form`, `ca_file`, `addresses`, `rate`, `connections`, `on_unknown` (`repeat`, or `park` to leave a post
whose outcome is unknown to a person).
"""

import threading
from collections.abc import Iterable
from typing import Any

from adaptors.client import Client, client_of, reveal
from adaptors.common import note
from adaptors.errors import FarSideError, InvalidData, JobError, NotAllowed, Rejected
from adaptors.operations import Operation, rehearsed
from adaptors.outgoing import Outgoing
from adaptors.promises import Promise, State, data_value, promised
from adaptors.rules import Rule
from adaptors.tls import certificate_slots, certificate_thumbprint
from adaptors.values import text

__all__ = ["look_up_name", "send_decision", "send_feedback", "send_referral"]

# The fields of an answer: ids, codes and our own sentences, so that it may wait unencrypted.
FEEDBACK_FIELDS = frozenset(
    ("status", "primero_user", "case_id", "progres_interventionnumber", "closure_reason", "request_type")
)


def look_up_name(path: str) -> Promise:
    """The readable name of the look-up object at `path` in `data`.

    Such an object is `{Id, KeyAttributes, LogicalName, Name, RowVersion}`; absent, null and empty stay absent, and
    anything else is InvalidData.

    >>> from adaptors.promises import resolve
    >>> resolve(look_up_name("user.progres_partner"), {"data": {"user.progres_partner": {"Name": "Plan"}}})
    'Plan'
    """

    def name(value: Any) -> Any:
        if value in (None, "", {}):
            return None
        if not isinstance(value, dict) or "Name" not in value:
            raise InvalidData("no look-up object with a Name", fix="Ask the sender to correct it.")
        return text(value["Name"])

    promise: Promise = promised("look_up_name", name, data_value(path), rule=Rule("the readable name"))
    return promise


def send_referral(mapping: dict[str, Any]) -> Operation:
    """Send one referral; what the mapping finds absent is sent as null. `response` becomes `{"status"}`.

    It must have an `id`, by which UNHCR recognises a repeat. Raises Rejected when the gateway refuses it, be it inside
    a 200 (exchanges.md, "What we post to DTP"); Unreachable with `unknown` when it may have arrived.

    >>> send_referral({"id": "c-1#aabbccddeeff"}).__name__
    'send_referral'
    """
    return _sending("send_referral", "referral", mapping, needs="id")


def send_decision(mapping: dict[str, Any]) -> Operation:
    """Send UNICEF's decision on one referral of UNHCR's, recognised by `progres_interventionnumber` and `status`.

    >>> send_decision({"progres_interventionnumber": "INT-1", "status": "acknowledged"}).__name__
    'send_decision'
    """
    return _sending("send_decision", "decision", mapping, needs="progres_interventionnumber")


def send_feedback(mapping: Any) -> Operation:
    """Answer one referral of UNHCR's: delivered, or why not. Ids and codes only, so it can be sent later too.

    `mapping` is a dict with fields of FEEDBACK_FIELDS, or a promise of such a dict.

    >>> send_feedback({"progres_interventionnumber": "INT-1", "status": "Pending Acknowledgement"}).__name__
    'send_feedback'
    """
    if isinstance(mapping, dict) and not set(mapping) <= FEEDBACK_FIELDS:
        raise JobError(
            f"an answer can't hold {', '.join(sorted(set(mapping) - FEEDBACK_FIELDS))}",
            fix=f"It may hold {', '.join(sorted(FEEDBACK_FIELDS))}.",
        )
    computed = () if isinstance(mapping, dict) else sorted(FEEDBACK_FIELDS)
    return _sending("send_feedback", "feedback", mapping, "progres_interventionnumber", computed)


class Dtp:
    """UNHCR's gateway DTP: one URL per kind, a subscription key, and the client certificate with its thumbprint.

    There may be two keys and two certificates, so that they can be replaced. What is refused with the first is posted
    once more with the second, which then stays for the rest of the run; `remarks`, by code, tell the run's report.
    """

    def __init__(self, credential: dict[str, Any], runtime: Any) -> None:
        missing = [key for key in ("referral_url", "decision_url", "subscription_key") if not credential.get(key)]
        if missing:
            raise JobError(
                f"credentials/progres.yaml lacks {', '.join(missing)}",
                code="credential_incomplete",
                fix="See credentials.example/progres.yaml.",
            )
        self._urls = {
            "referral": credential["referral_url"],
            "decision": credential["decision_url"],
            "feedback": credential["decision_url"],
        }
        keys = (credential["subscription_key"], credential.get("secondary_subscription_key"))
        self._keys = [str(reveal(key)) for key in keys if key]
        self._may_repeat = credential.get("on_unknown") != "park"
        self._runtime = runtime
        first, *self._next_slots = certificate_slots(credential)
        self._clients = [_client(first, runtime)]  # the last one is in use
        self._answered = False
        self._turning = threading.Lock()
        self.remarks: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()

    def post(self, kind: str, body: dict[str, Any]) -> int:
        """Post one document and return the status. An error is `unknown` when any of the tries may have arrived."""
        unknown = False
        while True:
            client, key = self._clients[-1], self._keys[0]
            try:
                return self._post_with(client, key, kind, body)
            except FarSideError as error:
                error.unknown = unknown = unknown or error.unknown
                self._answered = self._answered or error.status is not None
                with self._turning:
                    if not (self._turned_key(key, error) or self._turned_certificate(client, error)):
                        raise

    def _turned_key(self, refused: str, error: FarSideError) -> bool:
        if error.status == 401 and self._keys[0] == refused and len(self._keys) > 1:
            del self._keys[0]
            self.remarks["secondary_key"] = "the primary subscription key was refused, the secondary one taken"
        return error.status == 401 and self._keys[0] != refused

    def _turned_certificate(self, refused: Client, error: FarSideError) -> bool:
        # Under TLS 1.3 the refusal of a certificate may look like a connection that was lost.
        lost = error.code == "connection_lost" and self._may_repeat and not self._answered
        refusal = isinstance(error, NotAllowed) and error.status == 403
        doubted = lost or refusal or error.code == "certificate_refused"
        if doubted and self._clients[-1] is refused and self._next_slots:
            self._clients.append(_client(self._next_slots.pop(), self._runtime))
            self.remarks["next_certificate"] = "the client certificate was refused, the next one taken"
        return doubted and self._clients[-1] is not refused

    def _post_with(self, client: Client, key: str, kind: str, body: dict[str, Any]) -> int:
        answer = client.send("POST", self._urls[kind], body=body, headers={"Ocp-Apim-Subscription-Key": key})
        self._answered = True  # so it let the certificate pass
        if _is_refusal(answer.body):
            raise Rejected(
                f"the gateway answered {answer.status} to a {kind}, with an error inside",
                status=answer.status,
                fix="Ask UNHCR what it refuses, by the id.",
            )
        return answer.status


def _client(slot: dict[str, Any], runtime: Any) -> Client:
    headers = {}
    if slot.get("thumbprint_header"):
        form = slot.get("thumbprint_form") or "SHA1"
        headers[slot["thumbprint_header"]] = certificate_thumbprint(slot, reveal, form)
    return Client("progres", slot, runtime, headers=headers, locks=False, json_only=False)


TRANSPORTS = {"dtp": Dtp}


def _sending(name: str, kind: str, mapping: Any, needs: str, fields: Iterable[str] = ()) -> Operation:
    agreed = Outgoing(mapping, fields=fields)
    if needs not in agreed.fields:
        raise JobError(f"{name}() must send {needs}", fix=f"Map {needs}: it is how UNHCR recognises a repeat.")

    def prepare(state: State) -> dict[str, Any]:
        body = agreed.body(state)
        if not isinstance(body, dict) or not body.get(needs):
            raise JobError(f"{name}() has no {needs} to send", fix="require(…) what it is made of before.")
        return {field: value for field, value in body.items() if value is not None} if kind == "feedback" else body

    def run(state: State) -> State:
        body = prepare(state)
        if rehearsed(state, "progres", name.replace("_", " "), body):
            return state
        transport = _transport(state)
        after = {**state, "response": {"status": transport.post(kind, body)}}
        _remark(after, getattr(transport, "remarks", {}))
        return after

    waits = prepare if kind == "feedback" else None
    return Operation(
        name,
        run,
        reads=agreed.reads,
        system="progres",
        sends=agreed.fields,
        prepare=waits,
        may_repeat=_may_repeat,
    )


def _transport(state: State) -> Any:
    def make(credential: dict[str, Any], runtime: Any) -> Any:
        named = credential.get("transport")
        if named not in TRANSPORTS:
            raise JobError(
                "the credential progres names no transport that is known here",
                code="transport",
                fix=f"Write transport: {' or '.join(TRANSPORTS)}.",
            )
        return TRANSPORTS[named](credential, runtime)

    return client_of(state, "progres", make)


def _remark(state: State, remarks: dict[str, str]) -> None:
    """Tell in the item at hand what was found out about keys and certificates, once a run."""
    for code in list(remarks):
        if sentence := remarks.pop(code, None):  # another item may have been quicker
            note(sentence)(state)
            state["item"].setdefault("remarks", []).append(code)


def _may_repeat(state: State) -> bool:
    credential = (state.get("configuration") or {}).get("progres") or {}
    return bool(credential.get("on_unknown") != "park")


def _is_refusal(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    return bool(body.get("error") or body.get("errors")) or str(body.get("success")).lower() == "false"
