"""What is posted to DTP, and what its answers mean (adaptors/progres/)."""

import hashlib
import json

import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adaptors.common import data_value, deliver, each, once
from adaptors.errors import InvalidData, JobError, NotAllowed, Parked, Rejected, TimedOut, Unreachable
from adaptors.ledger import MemoryLedger
from adaptors.progres import FEEDBACK_FIELDS, look_up_name, send_decision, send_feedback, send_referral
from adaptors.promises import resolve
from adaptors.runtime import Runtime

CREDENTIAL = {
    "transport": "dtp",
    "referral_url": "https://dtp.example.org/ReceiveIncomingReferral",
    "decision_url": "https://dtp.example.org/ReceiveDecisionOutgoingReferral",
    "subscription_key": "first",
    "secondary_subscription_key": "second",
}
REFERRAL = {
    "id": data_value("id"),
    "name_first": data_value("name"),
    "name_middle": data_value("absent"),
    "sex": "female",
}
ANSWER = {
    "progres_interventionnumber": data_value("n"),
    "status": "Pending Acknowledgement",
    "case_id": data_value("absent"),
}


class Gateway:
    """Answers posts with what it was given, in order, the last again and again; keeps the requests."""

    def __init__(self, *answers):
        self.answers = list(answers) or [(200, b"")]
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], content=answer[1])

    @property
    def bodies(self):
        return [json.loads(request.content) for request in self.requests]

    @property
    def keys(self):
        return [request.headers["Ocp-Apim-Subscription-Key"] for request in self.requests]


def begin(gateway, *, credential=CREDENTIAL, **more):
    runtime = Runtime(transport=httpx.MockTransport(gateway), seed=1)
    runtime.sleep = lambda seconds: None
    return {
        "configuration": {"progres": credential},
        "data": {"id": "c-1#aabbccddeeff", "name": "Abeba", "n": "INT-1"},
        "item": {"outcome": "done", "ids": {}},
        "ledger": MemoryLedger(),
        "runtime": runtime,
        **more,
    }


def test_a_referral():
    """A referral goes to its URL with the subscription key; absent fields stay null in it."""
    gateway = Gateway((202, b""))

    after = send_referral(REFERRAL)(begin(gateway))

    assert [{"id": "c-1#aabbccddeeff", "name_first": "Abeba", "name_middle": None, "sex": "female"}] == gateway.bodies
    (request,) = gateway.requests
    assert ("POST", CREDENTIAL["referral_url"], ["first"]) == (request.method, str(request.url), gateway.keys)
    assert {"status": 202} == after["response"]


def test_a_decision():
    """A decision goes to its own URL, nulls included."""
    gateway = Gateway()

    send_decision({"progres_interventionnumber": "INT-1", "status": "rejected", "x": data_value("absent")})(
        begin(gateway)
    )

    assert [{"progres_interventionnumber": "INT-1", "status": "rejected", "x": None}] == gateway.bodies
    assert CREDENTIAL["decision_url"] == str(gateway.requests[0].url)


def test_an_answer():
    """H33: an answer goes where decisions go, with its own intervention number and without nulls."""
    gateway = Gateway()

    send_feedback(ANSWER)(begin(gateway))

    assert [{"progres_interventionnumber": "INT-1", "status": "Pending Acknowledgement"}] == gateway.bodies
    assert CREDENTIAL["decision_url"] == str(gateway.requests[0].url)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "CANARY"},
        {"error": {"code": 1}},
        {"errors": ["CANARY"]},
        {"errors": {"id": "CANARY"}},
        {"success": False, "message": "CANARY"},
        {"success": "false"},
        {"success": True, "errors": ["CANARY"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [200, 202])
def test_an_error_inside_a_success(status, body):
    """H14: a 2xx with an error inside is a refusal; what it says isn't shown, and the ledger forgets the intention."""
    state = begin(Gateway((status, json.dumps(body).encode())))

    with pytest.raises(Rejected) as caught:
        once("referral", data_value("id"), send_referral(REFERRAL))(state)

    assert (status, False, None) == (
        caught.value.status,
        caught.value.unknown,
        state["ledger"].read("referral", "c-1#aabbccddeeff"),
    )
    assert "CANARY" not in str(caught.value) + str(caught.value.fix)


@pytest.mark.parametrize(
    "body",
    [b"", b"OK", b"<html>accepted</html>", b"{", b"null", b"[]", b'["error"]', b'"error"', b"{}",
     b'{"error": null, "errors": []}', b'{"error": "", "errors": {}, "success": true}', b'{"message": "error"}'],
)  # fmt: skip
def test_any_other_success(body):
    """H14: every other 2xx is a success, be it JSON or not."""
    state = begin(Gateway((200, body)))

    once("referral", data_value("id"), send_referral(REFERRAL))(state)

    assert "done" == state["ledger"].read("referral", "c-1#aabbccddeeff")["status"]


def test_secondary_key():
    """When the primary key is refused the secondary is tried, once, and stays for the rest of the run."""
    gateway = Gateway((401, b""), (200, b""))
    state = begin(gateway)

    send_referral(REFERRAL)(state)
    send_feedback(ANSWER)(state)

    assert ["first", "second", "second"] == gateway.keys
    assert gateway.bodies[0] == gateway.bodies[1]


@pytest.mark.parametrize(
    ("credential", "tries"), [(CREDENTIAL, 2), ({**CREDENTIAL, "secondary_subscription_key": None}, 1)]
)
def test_all_keys_refused(credential, tries):
    """H10: when no key is left the run stops; the error names the credential and no key."""
    gateway = Gateway((401, b""))

    with pytest.raises(NotAllowed) as caught:
        send_referral(REFERRAL)(begin(gateway, credential=credential))

    assert (tries, True) == (len(gateway.requests), caught.value.stops_run)
    assert "credentials/progres.yaml" in caught.value.fix
    assert not {"first", "second"} & set(str(caught.value).split())


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Rejected), (403, NotAllowed), (429, Unreachable), (500, Unreachable)]
)
def test_other_refusals_try_no_other_key(status, kind):
    """H10: only a 401 speaks of the key; a post is sent once otherwise."""
    gateway = Gateway((status, b'{"name": "CANARY"}'))

    with pytest.raises(kind, match=rf"^POST dtp\.example\.org/ReceiveIncomingReferral answered {status}$"):
        send_referral(REFERRAL)(begin(gateway))

    assert ["first"] == gateway.keys


@pytest.mark.parametrize("error", [httpx.ReadTimeout(""), httpx.ReadError(""), (502, b"<html>")], ids=repr)
def test_unknown_outcome(error):
    """H19: DTP can't be asked: what may have arrived stays intended and is posted again under the same id."""
    gateway = Gateway(error, (200, b""))
    state = begin(gateway)
    send = once("referral", data_value("id"), send_referral(REFERRAL))

    with pytest.raises(Unreachable):
        send(state)
    assert "intended" == state["ledger"].read("referral", "c-1#aabbccddeeff")["status"]

    assert "done" == send(state)["item"]["outcome"]
    assert gateway.bodies[0] == gateway.bodies[1]


def test_unknown_outcome_left_to_a_person():
    """H19: with `on_unknown: park`, what may have arrived is not posted again."""
    gateway = Gateway(httpx.ReadTimeout(""))
    state = begin(gateway, credential={**CREDENTIAL, "on_unknown": "park"})
    send = once("referral", data_value("id"), send_referral(REFERRAL))

    with pytest.raises(TimedOut):
        send(state)
    with pytest.raises(Parked):
        send(state)

    assert 1 == len(gateway.requests)


def test_an_answer_waits_and_is_delivered():
    """H36: an answer that can't be sent waits as ids and codes, and goes out as it would have gone."""
    gateway = Gateway(httpx.ConnectError(""), (200, b""))
    state = begin(gateway, outbox=[], message="m1")

    once("answer", data_value("n"), send_feedback(ANSWER), later=True)(state)
    (waiting,) = state["outbox"]
    assert ("progres", {"progres_interventionnumber": "INT-1", "status": "Pending Acknowledgement"}) == (
        waiting["system"],
        waiting["send"],
    )

    deliver(send_feedback(data_value("$")))(state)
    assert ([], gateway.bodies[0]) == (state["outbox"], gateway.bodies[1])


@pytest.mark.parametrize("send", [send_referral, send_decision], ids=["referral", "decision"])
def test_only_answers_may_wait(send):
    """H41: what holds a child's data can't wait in the outbox: refused when the job is loaded."""
    with pytest.raises(JobError, match="can't be done later"):
        once("x", "1", send({"id": "1", "progres_interventionnumber": "1"}), later=True)


def test_fields_of_an_answer():
    """H41: an answer holds ids and codes only; another field is refused by name when the job is loaded."""
    assert "name_first" not in FEEDBACK_FIELDS
    with pytest.raises(JobError, match="can't hold name_first, sex"):
        send_feedback({"progres_interventionnumber": "1", "sex": "female", "name_first": data_value("n")})


def test_fields_of_an_answer_that_is_computed():
    """H41: where the answer is a promise, its fields are checked when it is sent; nothing is sent then."""
    gateway = Gateway((200, b""))
    state = begin(gateway, data={"progres_interventionnumber": "INT-1", "name_first": "Abeba"})

    with pytest.raises(JobError, match="name_first"):
        send_feedback(data_value("$"))(state)

    assert [] == gateway.requests


@pytest.mark.parametrize(
    ("send", "needs"),
    [
        (send_referral, "id"),
        (send_decision, "progres_interventionnumber"),
        (send_feedback, "progres_interventionnumber"),
    ],
)
def test_what_a_repeat_is_recognised_by(send, needs):
    """H19: nothing is posted without the id or number by which UNHCR recognises a repeat."""
    with pytest.raises(JobError, match=needs):
        send({"status": "x"})

    gateway = Gateway()
    with pytest.raises(JobError, match=f"no {needs} to send"):
        send({needs: data_value("absent"), "status": "x"})(begin(gateway))
    assert [] == gateway.requests


def test_bare_function():
    """A bare function in what is sent is refused when the job is loaded."""
    with pytest.raises(JobError, match="bare function"):
        send_referral({"id": str.upper})


@pytest.mark.parametrize(
    ("header", "form"), [("X-Thumbprint", None), ("X-Thumbprint", "SHA256 lower colons"), (None, None)]
)
def test_thumbprint_header(tmp_path, header, form):
    """The client certificate's thumbprint goes along under the name, and in the form, that the credential gives."""
    ours = trustme.CA().issue_cert("bridge@example.org")
    ours.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    der = x509.load_pem_x509_certificate(ours.cert_chain_pems[0].bytes()).public_bytes(Encoding.DER)
    shapes = {None: hashlib.sha1(der).hexdigest().upper(), "SHA256 lower colons": hashlib.sha256(der).digest().hex(":")}
    gateway, credential = Gateway(), {**CREDENTIAL, "certificate": str(tmp_path / "client.pem")}

    send_referral(REFERRAL)(
        begin(gateway, credential={**credential, "thumbprint_header": header, "thumbprint_form": form})
    )

    assert (shapes[form] if header else None) == gateway.requests[0].headers.get("X-Thumbprint")


@pytest.mark.parametrize("key", ["referral_url", "decision_url", "subscription_key"])
def test_incomplete_credential(key):
    """A credential that lacks something says what."""
    with pytest.raises(JobError, match=f"lacks {key}") as caught:
        send_referral(REFERRAL)(begin(Gateway(), credential={**CREDENTIAL, key: ""}))

    assert "credential_incomplete" == caught.value.code


@pytest.mark.parametrize("transport", [None, "post", "DTP"])
def test_unknown_transport(transport):
    """How proGres is reached must be named; nothing is assumed."""
    with pytest.raises(JobError, match="transport") as caught:
        send_referral(REFERRAL)(begin(Gateway(), credential={**CREDENTIAL, "transport": transport}))

    assert "dtp" in caught.value.fix


def test_redirects_are_not_followed():
    """H45: a gateway that points elsewhere gets nothing more."""
    gateway = Gateway((307, b""))

    with pytest.raises(Unreachable) as caught:
        send_referral(REFERRAL)(begin(gateway))

    assert ("redirected", 1) == (caught.value.code, len(gateway.requests))


@pytest.mark.parametrize(
    ("send", "mapping", "fields"),
    [
        (send_referral, REFERRAL, ["id", "name_first", "name_middle", "sex"]),
        (send_feedback, ANSWER, ["progres_interventionnumber", "status"]),
    ],
    ids=["referral", "answer"],
)
def test_dry_run(send, mapping, fields):
    """H41: a dry run posts nothing and shows names of fields only; no credential is needed for it."""
    gateway, noted = Gateway(), []

    send(mapping)(begin(gateway, dry_run=noted, credential=None))

    assert ([fields], []) == ([one["fields"] for one in noted], gateway.requests)
    assert "Abeba" not in str(noted)


@pytest.mark.parametrize("found", [None, "", {}])
def test_no_name(found):
    """An absent look-up object stays absent."""
    assert None is resolve(look_up_name("user.progres_partner"), {"data": {"user.progres_partner": found}})


@pytest.mark.parametrize(("name", "plain"), [("Itang &amp; Co", "Itang & Co"), (None, None), ("", None), (7, "7")])
def test_name(name, plain):
    """The readable name comes as plain text."""
    assert plain == resolve(look_up_name("p"), {"data": {"p": {"Id": "1", "Name": name}}})


@pytest.mark.parametrize("found", ["Plan", ["Plan"], 7, {"Id": "1"}, {"Name": {"Name": "x"}}])
def test_no_look_up_object(found):
    """H30: what is no look-up object is refused by the field's name, not taken for a name."""
    with pytest.raises(InvalidData, match=r"^p: ") as caught:
        resolve(look_up_name("p"), {"data": {"p": found}})

    assert ("p",) == caught.value.fields


def test_each_referral_once():
    """H19: a run repeated posts each referral once."""
    gateway = Gateway()
    records = [{"id": f"c-{place}#aabbccddeeff"} for place in range(5)]
    operation = each(records, once("referral", data_value("id"), send_referral(REFERRAL)), workers=3)

    state = begin(gateway)
    del state["item"]
    operation(operation(state))

    assert sorted(record["id"] for record in records) == sorted(body["id"] for body in gateway.bodies)
