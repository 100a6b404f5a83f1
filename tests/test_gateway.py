"""R-TL and R-RT at the gateway, on real sockets with real TLS: who is let in, with what, and how a refusal is told."""

import contextlib
import re

import pytest
from pages import DOCS, text_of

from adaptors.common import data_value
from adaptors.errors import AdaptorError, NotAllowed, Unreachable
from adaptors.http import Client
from adaptors.progres import send_referral
from adaptors.runtime import Runtime
from adaptors.sandbox.authority import Authority
from adaptors.sandbox.dtp import PRIMARY_KEY, REFERRALS, SECONDARY_KEY, THUMBPRINT_HEADER, Dtp
from adaptors.sandbox.faults import Fault
from adaptors.sandbox.serve import Listener
from runner import credentials

SEND = send_referral({"id": data_value("id")})


class Gateway:
    """DTP behind TLS that demands a client certificate of its authority, and a folder for our credential."""

    def __init__(self, folder, **dtp):
        self.folder, self.authority, self.dtp = folder, Authority(), Dtp(**dtp)
        (folder / "ca.pem").write_bytes(self.authority.certificate_pem)
        tls = self.authority.server_context(self.authority.server(), demand_client=True)
        self.asked = 0
        self.listener = Listener(self.answer, tls=tls)

    def answer(self, request):
        self.asked += 1
        return self.dtp.answer(request)

    def files(self, name, identity=None):
        """A certificate and its key as files of the folder; its thumbprint."""
        identity = identity or self.authority.client(name)
        for file, content in ((f"{name}.pem", identity.certificate_pem), (f"{name}.key", identity.key_pem)):
            (self.folder / file).write_bytes(content)
            (self.folder / file).chmod(0o600)
        return identity.thumbprint

    def credential(self, **more):
        """The credential as the engine reads it, secrets concealed."""
        return credentials.resolve(
            {
                "transport": "dtp",
                "referral_url": f"{self.listener.url}/{REFERRALS}",
                "decision_url": f"{self.listener.url}/{REFERRALS}",
                "subscription_key": PRIMARY_KEY,
                "certificate": "first.pem",
                "private_key": "first.key",
                "thumbprint_header": THUMBPRINT_HEADER,
                "ca_file": "ca.pem",
                **more,
            },
            self.folder,
        )

    def send(self, *ids, **more):
        """One referral after the other, in one run; the records of the items."""
        items = [{"ids": {}, "remarks": [], "message": None} for _ in ids]
        state = {"configuration": {"progres": self.credential(**more)}, "runtime": Runtime()}
        with contextlib.closing(state["runtime"]):
            for id, item in zip(ids, items, strict=True):
                SEND({**state, "data": {"id": id}, "item": item})
        return items

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


SECOND = {"next_certificate": "second.pem", "next_private_key": "second.key"}


@pytest.fixture
def gateway(tmp_path):
    """A gateway that lets in who shows the agreed certificate, with its thumbprint, and a key."""
    with Gateway(tmp_path) as made:
        made.first, made.second = made.files("first"), made.files("second")
        yield made


def test_certificate_key_and_thumbprint(gateway):
    """R-TL1: a certificate in the handshake, key and thumbprint in headers: a gateway that verifies lets us in."""
    gateway.dtp.certificates = (gateway.first,)

    assert [{"ids": {}, "remarks": [], "message": None}] == gateway.send("c#1")
    assert [("c#1",)] == list(gateway.dtp.effects)


@pytest.mark.parametrize("missing", ["certificate", "subscription_key", "thumbprint_header"])
def test_each_of_the_three_counts(gateway, missing):
    """R-TL1: without the certificate, with another key, or without the thumbprint nobody is let in."""
    files = {"certificate": None, "private_key": None} if missing == "certificate" else {}
    key = {"subscription_key": "another"} if missing == "subscription_key" else {}
    header = {"thumbprint_header": None} if missing != "subscription_key" else {}

    with pytest.raises(AdaptorError):
        gateway.send("c#1", **files, **key, **header)

    assert {} == gateway.dtp.effects


def test_the_next_certificate_while_the_first_is_accepted(gateway):
    """R-RT3: as long as the gateway accepts the first certificate, the next one is not used, nor even read."""
    gateway.dtp.certificates = (gateway.first,)
    (gateway.folder / "second.pem").write_text("not a certificate yet")

    assert [[], []] == [item["remarks"] for item in gateway.send("c#1", "c#2", **SECOND)]


def test_the_next_certificate_takes_over(gateway):
    """R-RT3: refused with the first certificate, a post goes out with the next and its own thumbprint; it is told."""
    gateway.dtp.certificates = (gateway.second,)

    items = gateway.send("c#1", "c#2", **SECOND)

    assert [("c#1",), ("c#2",)] == list(gateway.dtp.effects)
    assert [received.body["id"] for received in gateway.dtp.received] == ["c#1", "c#2"]
    assert [["next_certificate"], []] == [item["remarks"] for item in items]
    assert items[0]["message"] in text_of(DOCS / "rotation.md")


def test_a_certificate_that_the_handshake_refuses(gateway):
    """R-RT3: the same where TLS itself refuses the first certificate."""
    stranger = Authority().client("stranger")
    gateway.files("first", stranger)

    (item,) = gateway.send("c#1", **SECOND)

    assert (["next_certificate"], [("c#1",)]) == (item["remarks"], list(gateway.dtp.effects))


def test_neither_certificate_is_accepted(gateway):
    """R-RT3: where neither is accepted each was tried once, and the refusal is told as that of a certificate."""
    gateway.dtp.certificates = ()

    with pytest.raises(NotAllowed) as caught:
        gateway.send("c#1", **SECOND)

    assert ("certificate_refused", 403, False) == (caught.value.code, caught.value.status, caught.value.unknown)
    assert 2 == gateway.asked


def test_a_lost_connection_left_to_a_person(gateway):
    """R-RT3: with `on_unknown: park`, what may have arrived is not posted again with another certificate."""
    gateway.dtp.faults.add(Fault("reset"))

    with pytest.raises(Unreachable) as caught:
        gateway.send("c#1", **SECOND, on_unknown="park")

    assert ("connection_lost", True, 1) == (caught.value.code, caught.value.unknown, len(gateway.dtp.received))


def test_the_secondary_key_takes_over(tmp_path):
    """R-RT2: refused with the primary key, a post goes out with the secondary, once a run; the report tells it."""
    with Gateway(tmp_path, keys=(SECONDARY_KEY,)) as gateway:
        gateway.files("first")
        items = gateway.send("c#1", "c#2", secondary_subscription_key=SECONDARY_KEY)

    assert [["secondary_key"], []] == [item["remarks"] for item in items]
    assert items[0]["message"] in text_of(DOCS / "rotation.md")
    assert [("c#1",), ("c#2",)] == list(gateway.dtp.effects)


def test_new_key_and_new_certificate_at_once(tmp_path):
    """R-RT2, R-RT3: both may be replaced in the same night; the post still goes out once."""
    with Gateway(tmp_path, keys=(SECONDARY_KEY,)) as gateway:
        gateway.files("first")
        gateway.dtp.certificates = (gateway.files("second"),)
        (item,) = gateway.send("c#1", **SECOND, secondary_subscription_key=SECONDARY_KEY)

    assert 1 == len(gateway.dtp.received)
    assert ("secondary" in item["message"], "certificate" in item["message"]) == (True, True)


def refuse_key(gateway):
    return {"subscription_key": "another"}


def refuse_certificate(gateway):
    gateway.dtp.certificates = ()
    return {}


def spend_quota(gateway):
    gateway.dtp.refuse("quota_spent")
    return {}


def distrust(gateway):
    (gateway.folder / "ca.pem").write_bytes(Authority().certificate_pem)
    return {}


def fail(kind):
    def add(gateway):
        gateway.dtp.faults.add(Fault(kind, count=None))
        return {}

    return add


@pytest.mark.parametrize(
    ("arrange", "kind", "code", "status"),
    [
        (distrust, Unreachable, "tls_failed", None),
        (refuse_certificate, NotAllowed, "certificate_refused", 403),
        (refuse_key, NotAllowed, "key_refused", 401),
        (spend_quota, Unreachable, "quota_spent", 403),
        (fail("too_many"), Unreachable, "too_many_requests", 429),
        (fail("fail_before"), Unreachable, "server_error", 500),
        (fail("bad_gateway"), Unreachable, "server_error", 502),
    ],
    ids=["tls", "certificate", "key", "quota", "too many", "back end", "bad gateway"],
)
def test_refusals_are_told_apart(gateway, arrange, kind, code, status):
    """R-TL4: TLS, certificate, key, quota and back end have codes of their own, and nothing of the body is told."""
    more = arrange(gateway)

    with pytest.raises(kind) as caught:
        gateway.send("c#1", **more)

    error = caught.value
    assert (code, status, {}) == (error.code, getattr(error, "status", None), gateway.dtp.effects)
    assert error.fix
    assert not re.search("agreed|denied|volume|replenished", f"{error} {error.fix}")


def test_when_the_quota_is_replenished(gateway):
    """R-TL4: a quota that is used up is no fault of the credential; it is tried again when the gateway says so."""
    gateway.dtp.refuse("quota_spent")

    with pytest.raises(Unreachable) as caught:
        gateway.send("c#1", **SECOND)

    assert (3723, True, False) == (caught.value.retry_after, caught.value.retryable, caught.value.unknown)


@pytest.mark.parametrize("switch", ["verify", "verify_tls", "insecure", "check_hostname", "tls"])
def test_a_self_signed_server(tmp_path, switch):
    """R-TL3: a server that signed its own certificate is refused, whatever the credential says beside."""
    authority = Authority()
    context = authority.server_context(authority.server())
    with Listener(Dtp().answer, tls=context) as listener:
        credential = credentials.resolve({"url": listener.url, switch: False}, tmp_path)
        with contextlib.closing(Client("far", credential, Runtime())) as client, pytest.raises(Unreachable) as caught:
            client.send("POST", "/x", body={})

    assert ("tls_failed", False) == (caught.value.code, caught.value.unknown)
