"""The stand-in of DTP, without sockets."""

import json

import pytest

from adaptors.sandbox import Fault
from adaptors.sandbox.dtp import DECISIONS, PRIMARY_KEY, REFERRALS, SECONDARY_KEY, Dtp
from adaptors.sandbox.wire import CLIENT_CERTIFICATE, Request

THUMBPRINT = "AB" * 20
REFERRAL = {"id": "case-1#0123456789ab", "service_type": "Alternative Care"}
DECISION = {"progres_interventionnumber": "INT-1", "status": "acknowledged"}


def post(body, kind=REFERRALS, **headers):
    """A post as the job sends it; a header given as None is left out."""
    usual = {
        "ocp_apim_subscription_key": PRIMARY_KEY,
        "x_client_cert_thumbprint": THUMBPRINT,
        "content_type": "application/json",
    }
    named = {name.replace("_", "-"): value for name, value in {**usual, **headers}.items() if value is not None}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", f"/api/{kind}", headers={CLIENT_CERTIFICATE: THUMBPRINT, **named}, body=content)


@pytest.mark.parametrize("key", [PRIMARY_KEY, SECONDARY_KEY])
def test_both_keys_are_accepted(key):
    """The primary and the secondary subscription key open the gateway alike."""
    assert 200 == Dtp().answer(post(REFERRAL, ocp_apim_subscription_key=key)).status


@pytest.mark.parametrize("key", [None, "", "another", PRIMARY_KEY + "x", "schlüssel"])
def test_a_wrong_key_is_refused_in_the_shape_of_the_gateway(key):
    """Without one of the two keys the gateway answers 401 with statusCode and message, and keeps nothing."""
    dtp = Dtp()

    response = dtp.answer(post(REFERRAL, ocp_apim_subscription_key=key))

    assert 401 == response.status
    assert {"statusCode", "message"} == set(json.loads(response.body))
    assert [] == dtp.received


@pytest.mark.parametrize("told", [THUMBPRINT, THUMBPRINT.lower(), ":".join(["ab"] * 20)])
def test_the_thumbprint_may_have_any_case_and_colons(told):
    """The forms in which a thumbprint is written are all understood."""
    assert 200 == Dtp().answer(post(REFERRAL, x_client_cert_thumbprint=told)).status


@pytest.mark.parametrize("told", [None, "", "CD" * 20])
def test_a_thumbprint_other_than_the_presented_certificates_is_refused(told):
    """The header must hold the thumbprint of the certificate of the handshake, else 403."""
    assert 403 == Dtp().answer(post(REFERRAL, x_client_cert_thumbprint=told)).status


def test_no_certificate_fits_no_thumbprint():
    """Where no certificate was presented, an empty thumbprint does not pass for equal."""
    request = post(REFERRAL, x_client_cert_thumbprint="")
    headers = {name: value for name, value in request.headers.items() if name != CLIENT_CERTIFICATE}

    assert 403 == Dtp().answer(Request("POST", request.path, headers=headers, body=request.body)).status


def test_the_thumbprint_header_has_the_name_that_was_agreed():
    """The name of the thumbprint header is UNHCR's to choose."""
    dtp = Dtp(thumbprint_header="X-Other")

    assert 403 == dtp.answer(post(REFERRAL)).status
    assert 200 == dtp.answer(post(REFERRAL, x_other=THUMBPRINT)).status


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (415, post(REFERRAL, content_type="text/plain")),
        (415, post(REFERRAL, content_type=None)),
        (400, post(b"{")),
        (400, post(b"\xff")),
        (400, post([REFERRAL])),
        (400, post({"service_type": "no id"})),
        (400, post({"progres_interventionnumber": "INT-1"}, DECISIONS)),
        (404, post(REFERRAL, "SomethingElse")),
        (404, Request("GET", f"/{REFERRALS}")),
    ],
)
def test_what_cannot_be_understood_or_recognised_is_refused(status, request_):
    """Another address, another content type, no JSON object, or no key to recognise it by: refused, and not kept."""
    dtp = Dtp()

    assert status == dtp.answer(request_).status
    assert [] == dtp.received


def test_a_repeated_referral_counts_once_in_effect():
    """A referral is recognised by its id: posted twice it is received twice, and held once, as it came last."""
    dtp = Dtp()

    dtp.answer(post(REFERRAL))
    dtp.answer(post({**REFERRAL, "service_type": "Child Protection Service"}))

    assert [REFERRALS, REFERRALS] == [each.kind for each in dtp.received]
    assert {(REFERRAL["id"],): {**REFERRAL, "service_type": "Child Protection Service"}} == dtp.effects


def test_decisions_are_recognised_by_intervention_and_status():
    """Accepted, rejected, accepted again: two effects of three posts; another intervention is another effect."""
    dtp = Dtp()

    for status in ("acknowledged", "rejected", "acknowledged"):
        dtp.answer(post({**DECISION, "status": status}, DECISIONS))
    dtp.answer(post({**DECISION, "progres_interventionnumber": "INT-2"}, DECISIONS))

    assert [("INT-1", "acknowledged"), ("INT-1", "rejected"), ("INT-2", "acknowledged")] == list(dtp.effects)


@pytest.mark.parametrize(
    ("way", "status", "part"),
    [("error_inside", 200, b'"error"'), ("success_false", 200, b'"success":false'), ("echo", 400, b"case-1#")],
)
def test_refusals_that_only_a_gateway_has(way, status, part):
    """Refused inside a 200, or with a 400 that echoes the request: for one post only, which is not kept."""
    dtp = Dtp()
    dtp.refuse(way)

    response = dtp.answer(post(REFERRAL))

    assert status == response.status
    assert part in response.body
    assert {} == dtp.effects
    assert 200 == dtp.answer(post(REFERRAL)).status


@pytest.mark.parametrize(("kind", "kept"), [("fail_before", 0), ("fail_after", 1), ("reset", 1), ("too_many", 0)])
def test_the_common_faults_hit_the_gateway_too(kind, kept):
    """What fails after the post was taken has had its effect; what fails before has not."""
    dtp = Dtp()
    dtp.faults.add(Fault(kind))

    response = dtp.answer(post(REFERRAL))

    assert response.status != 200 or response.broken
    assert kept == len(dtp.received)
