"""Operations for proGres v4, which is reached through a gateway only.

What is sent is the job's mapping; how it is sent is the gateway's transport, named in the credential `progres`:
`transport: dtp`, `referral_url`, `decision_url`, `subscription_key`, `secondary_subscription_key`, `certificate` and
`private_key` or `pkcs12` and `pkcs12_password`, `thumbprint_header`, `thumbprint_form`, `ca_file`, `rate`,
`connections`, `on_unknown` (`repeat`, or `park` to leave a post whose outcome is unknown to a person).
"""

from typing import Any

from adaptors.client import Client, client_of, reveal
from adaptors.errors import InvalidData, JobError, NotAllowed, Rejected
from adaptors.operations import Operation, rehearsed
from adaptors.promises import Promise, State, check_mapping, data_value, promised, reads_of, resolve
from adaptors.tls import certificate_thumbprint
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

    >>> resolve(look_up_name("user.progres_partner"), {"data": {"user.progres_partner": {"Name": "Plan"}}})
    'Plan'
    """

    def name(value: Any) -> Any:
        if value in (None, "", {}):
            return None
        if not isinstance(value, dict) or "Name" not in value:
            raise InvalidData("no look-up object with a Name", fix="Ask the sender to correct it.")
        return text(value["Name"])

    promise: Promise = promised("look_up_name", name, data_value(path))
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
    return _sending("send_feedback", "feedback", mapping, needs="progres_interventionnumber")


class Dtp:
    """UNHCR's gateway DTP: one URL per kind, a subscription key, and the client certificate with its thumbprint."""

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
        self._keys = tuple(str(reveal(key)) for key in keys if key)
        headers = {}
        if credential.get("thumbprint_header"):
            form = credential.get("thumbprint_form") or "SHA1"
            headers[credential["thumbprint_header"]] = certificate_thumbprint(credential, reveal, form)
        self._client = Client("progres", credential, runtime, headers=headers, locks=False, json_only=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, kind: str, body: dict[str, Any]) -> int:
        """Post one document and return the status; a refused primary key is followed by the secondary, once a run."""
        *others, last = self._keys
        for key in others:
            try:
                return self._post_with(key, kind, body)
            except NotAllowed as error:
                if error.status != 401:
                    raise
                self._keys = (last,)
        return self._post_with(last, kind, body)

    def _post_with(self, key: str, kind: str, body: dict[str, Any]) -> int:
        answer = self._client.send("POST", self._urls[kind], body=body, headers={"Ocp-Apim-Subscription-Key": key})
        if _is_refusal(answer.body):
            raise Rejected(
                f"the gateway answered {answer.status} to a {kind}, with an error inside",
                status=answer.status,
                fix="Ask UNHCR what it refuses, by the id.",
            )
        return answer.status


TRANSPORTS = {"dtp": Dtp}


def _sending(name: str, kind: str, mapping: Any, needs: str) -> Operation:
    check_mapping(mapping)
    if not isinstance(mapping, Promise) and needs not in mapping:
        raise JobError(f"{name}() must send {needs}", fix=f"Map {needs}: it is how UNHCR recognises a repeat.")

    def prepare(state: State) -> dict[str, Any]:
        body = resolve(mapping, state)
        if not isinstance(body, dict) or not body.get(needs):
            raise JobError(f"{name}() has no {needs} to send", fix="require(…) what it is made of before.")
        return {field: value for field, value in body.items() if value is not None} if kind == "feedback" else body

    def run(state: State) -> State:
        body = prepare(state)
        if rehearsed(state, "progres", name.replace("_", " "), body):
            return state
        return {**state, "response": {"status": _transport(state).post(kind, body)}}

    waits = prepare if kind == "feedback" else None
    return Operation(name, run, reads=reads_of(mapping), system="progres", prepare=waits, may_repeat=_may_repeat)


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


def _may_repeat(state: State) -> bool:
    credential = (state.get("configuration") or {}).get("progres") or {}
    return bool(credential.get("on_unknown") != "park")


def _is_refusal(body: Any) -> bool:
    if not isinstance(body, dict):
        return False
    return bool(body.get("error") or body.get("errors")) or str(body.get("success")).lower() == "false"
