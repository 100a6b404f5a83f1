"""E-mail over real sockets and TLS: what is sent, to whom we talk, and what a refusal is called."""

import email
import email.policy
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from mailserver import MailServer

from runner import credentials
from runner.alerts.conditions import Condition
from runner.alerts.delivery import NotDelivered
from runner.alerts.mail import Mail
from runner.alerts.notice import Notice
from runner.errors import InvalidCredential
from runner.store import Tally, Told

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DEAD = Condition("given_up", "sort", "unreachable", "error", count=2, since=NOON, ids=("0" * 32,))
NOTICE = Notice(
    "alert", "gambella\r\nBcc: x", NOON, "office", 7, [DEAD], [Told("disk_short", "", "", "warning", 0)],
    [Tally("sort", "succeeded", 3, 1.5, {"done": 4})], "https://bridge.example.org/look",
)  # fmt: skip
PASSWORD = "open sesame open sesame"


@pytest.fixture(scope="module")
def authority():
    """An authority that nobody but these tests believes."""
    return trustme.CA()


def context_of(authority, *names):
    """What a server with a certificate of the authority shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return context


@pytest.fixture
def trusted(authority, tmp_path):
    """The file of the authority, as a credential names it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def mail(server, trusted, **more):
    """The way to the office, over that server."""
    told = {"host": "localhost", "port": server.port, "sender": "bridge@example.org", "user": "bridge",
            "password": PASSWORD, "recipients": "a@example.org, b@example.org", "ca_file": trusted}  # fmt: skip
    return Mail(credentials.resolve({**told, **more}, Path()))


def credential(**entries):
    """A credential, as the file says it."""
    told = {"host": "mail.example.org", "sender": "a@example.org", "recipients": "b@example.org"}
    return {**told, **entries}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter(authority, trusted, security):
    """R-TL3: a notice goes over TLS to those that the credential names; what came back is the server's code."""
    with MailServer(context_of(authority), wrapped=security == "tls") as server:
        assert "250" == mail(server, trusted, security=security).send(NOTICE)
    (letter,) = server.letters
    assert b"\n" not in letter.replace(b"\r\n", b"")
    assert letter.isascii()
    read = email.message_from_bytes(letter, policy=email.policy.SMTP)
    assert ["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"] == [
        line.upper().replace("EXAMPLE.ORG", "example.org").replace("<A", "<a").replace("<B", "<b")
        for line in server.secret if line.upper().startswith("RCPT")
    ]  # fmt: skip
    assert ("a@example.org, b@example.org", "auto-generated") == (read["To"], read["Auto-Submitted"])
    assert "gambellaBcc: x: 1 need a look (given_up); 1 ended" == read["Subject"]
    assert f"<{NOTICE.id}@example.org>" == read["Message-ID"]
    assert read["Bcc"] is None
    assert [
        "! sort: 2 dead (unreachable)",
        "  error, since 2026-03-02T12:00:00Z",
        f"  {'0' * 32}",
        "  docs/runbook.md#given_up",
    ] == read.get_content().splitlines()[2:6]
    assert "  disk_short" in read.get_content().splitlines()
    assert "  sort: 3 runs succeeded (4 done)" in read.get_content().splitlines()


def test_page_of_the_console():
    """Where the console's address is known each condition names its page there, and a program is told both."""
    known = replace(NOTICE, console="https://bridge.example.org:8443")
    assert "  https://bridge.example.org:8443/settle/unreachable" in [*known.lines()]
    assert not any("/settle" in line for line in NOTICE.lines())
    document = known.document()
    assert ("https://bridge.example.org:8443", "/settle/unreachable") == (
        document["console"],
        document["began"][0]["page"],
    )


def test_nothing_in_clear(authority, trusted):
    """Before TLS the server hears nothing but greetings: no address, no password, and not the name of the machine."""
    with MailServer(context_of(authority)) as server:
        mail(server, trusted).send(NOTICE)
    assert ["ehlo example.org", "STARTTLS"] == server.said
    assert any(line.startswith("AUTH PLAIN") for line in server.secret)


@pytest.mark.parametrize(
    ("code", "server"),
    [
        ("no_tls", {"offers": ()}),
        ("no_login", {"offers": ("STARTTLS",), "logins": False}),
        ("rejected", {"replies": {"RCPT": "550 no a@example.org here"}}),
        ("rejected", {"replies": {"MAIL": "451 later"}}),
        ("not_allowed", {"replies": {"AUTH": "535 no"}}),
        ("connection_lost", {"replies": {"MAIL": None}}),
    ],
)
def test_refusals(authority, trusted, code, server):
    """R-TL4: what the server refuses is told by a code and a number, never in its words."""
    with MailServer(context_of(authority), **server) as listening, pytest.raises(NotDelivered) as caught:
        mail(listening, trusted).send(NOTICE)
    assert code == caught.value.code
    assert "example.org" not in str(caught.value)
    assert [] == listening.letters


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_who_is_believed(authority, trusted, security):
    """R-TL3 H44: a server of another name, or of an authority that nobody named, gets nothing."""
    for names, known in ((("other.example.org",), trusted), (("localhost",), "")):
        with MailServer(context_of(authority, *names), wrapped=security == "tls") as server:
            with pytest.raises(NotDelivered) as caught:
                mail(server, trusted, security=security, ca_file=known).send(NOTICE)
            assert "tls_failed" == caught.value.code
        assert ([], []) == (server.letters, server.secret)


def test_nobody_listens(authority, trusted):
    """H10: where nobody answers, that is what is told."""
    with MailServer(context_of(authority)) as server:
        pass
    with pytest.raises(NotDelivered) as caught:
        mail(server, trusted).send(NOTICE)
    assert "unreachable" == caught.value.code


def test_private_addresses(authority, trusted, monkeypatch):
    """H45 R-LP2: a host whose name leads into the private network is asked nothing, unless the credential allows it."""
    with MailServer(context_of(authority, "mail.example.org")) as server:
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", server.port))])
        with pytest.raises(NotDelivered) as caught:
            mail(server, trusted, host="mail.example.org").send(NOTICE)
        assert ("private_address", []) == (caught.value.code, server.said)
        assert "250" == mail(server, trusted, host="mail.example.org", addresses="127.0.0.0/8").send(NOTICE)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host": ""}, "lacks host"),
        ({"recipients": None}, "lacks recipients"),
        ({"security": "none"}, "security"),
        ({"port": "smtp"}, "port"),
        ({"port": 70_000}, "port"),
        ({"recipients": "somebody"}, "no address"),
        ({"sender": "a@example.org\r\nRCPT TO:<x@example.org>"}, "no address"),
        ({"ca_file": "pyproject.toml"}, "ca_file"),
    ],
)
def test_credential_that_will_not_do(wrong, told):
    """A credential that can't be meant is refused before anything is sent, without its values."""
    with pytest.raises(InvalidCredential, match=told) as caught:
        Mail(credential(**wrong))
    assert caught.value.fix
    assert "somebody" not in str(caught.value)


def test_addresses_that_cannot_be_read(authority, trusted):
    """A network that can't be read allows nothing."""
    with MailServer(context_of(authority)) as server, pytest.raises(InvalidCredential, match="addresses"):
        mail(server, trusted, addresses="the office").send(NOTICE)
    assert [] == server.said
