"""DTP as a sender: what it posts to an inbox, and what it takes for a receipt."""

import json

import pytest

from adaptors.sandbox import Sandbox
from adaptors.sandbox.authority import Authority
from adaptors.sandbox.control import dtp_with_control
from adaptors.sandbox.posting import Inbox, NotTaken
from adaptors.sandbox.serve import Listener
from adaptors.sandbox.wire import Request, json_response, text_response

RECEIPT = {"id": "m-1", "matched": 2}
MESSAGE = {"request_type": "PrimeroOutgoingReferral", "interventions": []}


@pytest.fixture
def inbox_that(tmp_path):
    """Makes an inbox over TLS that gives an answer; what it was asked is added to `asked`."""
    authority, open_ones = Authority(), []
    (tmp_path / "ca.pem").write_bytes(authority.certificate_pem)

    def inbox(response, asked=None):
        def answer(request):
            (asked if asked is not None else []).append(request)
            return response

        listener = Listener(answer, tls=authority.server_context(authority.server()))
        open_ones.append(listener)
        return Inbox(f"{listener.url}/inbox", "a-key", str(tmp_path / "ca.pem"))

    yield inbox
    for listener in open_ones:
        listener.close()


def test_a_message_is_posted_as_the_contract_says(inbox_that):
    """A post is JSON with the key in x-api-key, once, and the receipt comes back."""
    asked = []

    receipt = inbox_that(json_response(202, RECEIPT), asked).post(MESSAGE)

    assert RECEIPT == receipt
    (request,) = asked
    assert ("POST", "/inbox", MESSAGE) == (request.method, request.path, json.loads(request.body))
    assert ("a-key", "application/json") == (request.headers["x-api-key"], request.headers["content-type"])


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (json_response(401, {"code": "unauthorised"}), "401, unauthorised"),
        (json_response(200, RECEIPT), "200"),
        (json_response(202, {"id": "m-1"}), "202"),
        (json_response(202, [1]), "202, no JSON object"),
        (text_response(502, "<html>"), "502, no JSON object"),
    ],
)
def test_what_is_no_receipt(inbox_that, response, told):
    """Anything but a 202 with id and number is told by its status and code."""
    with pytest.raises(NotTaken, match=told):
        inbox_that(response).post(MESSAGE)


def test_an_authority_that_is_not_known(inbox_that):
    """A certificate of an authority that wasn't named is refused before anything is sent."""
    asked = []
    inbox = inbox_that(json_response(202, RECEIPT), asked)

    with pytest.raises(NotTaken, match="CERTIFICATE_VERIFY_FAILED"):
        Inbox(inbox.url, "a-key").post(MESSAGE)
    assert [] == asked


@pytest.mark.parametrize("ca_file", [None, "no-such-file.pem"])
def test_an_inbox_that_is_not_there(ca_file):
    """An inbox that can't be reached, or a file of its authority that isn't there, is told."""
    with pytest.raises(NotTaken, match="can't be reached"):
        Inbox("https://127.0.0.1:1/inbox", "a-key", ca_file).post(MESSAGE)


def test_the_key_is_not_shown():
    """An inbox that is printed doesn't tell its key."""
    assert "a-key" not in repr(Inbox("https://127.0.0.1:1/inbox", "a-key"))


def test_dtp_posts_where_it_was_told(inbox_that):
    """Over /sandbox/ DTP is told of an inbox and given messages to post; before, it knows none."""
    inbox = inbox_that(json_response(202, RECEIPT))
    answer = dtp_with_control(Sandbox())

    def told(path, order):
        response = answer(Request("POST", f"/sandbox/{path}", body=json.dumps(order).encode()))
        return response.status, json.loads(response.body)

    before = told("messages", MESSAGE)
    wrong = told("inbox", {"address": inbox.url})
    known = told("inbox", {"url": inbox.url, "key": "a-key", "ca_file": inbox.ca_file})
    after = told("messages", MESSAGE)

    assert (400, "ValueError: DTP knows no inbox: POST /sandbox/inbox first") == (before[0], before[1]["error"])
    assert 400 == wrong[0]
    assert (200, {"url": inbox.url}) == known
    assert (200, RECEIPT) == after
