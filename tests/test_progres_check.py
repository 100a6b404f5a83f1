"""What can be told of UNHCR's gateway without sending anything to it (adaptors/progres/check.py)."""

import ssl
from contextlib import contextmanager

import pytest
import trustme

from adaptors.progres import check
from adaptors.runtime import Runtime
from adaptors.sandbox.serve import Listener
from adaptors.sandbox.wire import Response


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def files(folder, name, certificate):
    """A certificate and its key as files; gives their paths."""
    certificate.private_key_pem.write_to_path(folder / f"{name}.key")
    certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


@contextmanager
def gateway(authority, *, knows=None):
    """A gateway that demands a certificate of the authority that it knows; gives its address, and what was asked."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if knows:
        knows.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    asked = []
    with Listener(lambda request: asked.append(request) or Response(200, {}, b""), tls=context) as listener:
        yield listener.url, asked


def probed(**credential):
    """The rows of a probe, by what was looked at."""
    runtime = Runtime()
    state = {"configuration": {"progres": {"subscription_key": "k", **credential}}, "runtime": runtime}
    return {found["what"]: (found["level"], found["found"]) for found in check.probe(state, [])}


def urls(url):
    return {"referral_url": f"{url}/in", "decision_url": f"{url}/out"}


def test_connection(authority, tmp_path):
    """R-TL2 The name leads somewhere, the certificate is verified, its days are told, and nothing is sent."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with gateway(authority) as (url, asked):
        rows = probed(**urls(url), ca_file=str(tmp_path / "ca.pem"), thumbprint_header="X-Thumbprint")
    assert "ok" == rows["connection to 127.0.0.1 with our certificate"][0]
    assert ("ok", "X-Thumbprint") == rows["thumbprint header"]
    assert ("note", "not tried: the gateway has no call that changes nothing") == rows["subscription key"]
    assert [] == asked


def test_unknown_authority(authority):
    """A server whose certificate can't be verified isn't the gateway: the row says what to do."""
    with gateway(authority) as (url, _):
        (level, found) = probed(**urls(url))["connection to 127.0.0.1 with our certificate"]
    assert "wrong" == level
    assert "certificate can't be verified" in found


def test_which_certificate_is_accepted(authority, tmp_path):
    """R-RT3 Of the present and the next certificate, the check tells which one is accepted, under TLS 1.3 too."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    known, strange = trustme.CA(), trustme.CA()
    old, new = strange.issue_cert("client.example.org"), known.issue_cert("client.example.org")
    pem, key = files(tmp_path, "old", old)
    next_pem, next_key = files(tmp_path, "new", new)
    with gateway(authority, knows=known) as (url, asked):
        rows = probed(
            **urls(url), ca_file=str(tmp_path / "ca.pem"), certificate=pem, private_key=key,
            next_certificate=next_pem, next_private_key=next_key,
        )  # fmt: skip
    levels = {what: level for what, (level, _) in rows.items() if what.startswith("connection")}
    assert {
        "connection to 127.0.0.1 with our certificate": "wrong",
        "connection to 127.0.0.1 with our next_certificate": "ok",
    } == levels
    assert [] == asked


def test_names_that_lead_nowhere():
    """A host that has no address, or no address at all, is wrong; where no header is named, that is told."""
    rows = probed(referral_url="https://nowhere.invalid/in")
    assert ("wrong", "wrong", "note") == (
        rows["connection to nowhere.invalid with our certificate"][0], rows["decision_url"][0],
        rows["thumbprint header"][0],
    )  # fmt: skip


def test_a_stand_in():
    """A stand-in on this machine speaks plain HTTP; that is no fault, and is said."""
    with Listener(lambda request: Response(200, {}, b"")) as listener:
        rows = probed(**urls(listener.url))
    assert ("note", "opened, without TLS: a stand-in on this machine") == rows[
        "connection to 127.0.0.1 with our certificate"
    ]
