"""E-mail: a notice to an administrator, over SMTP with TLS."""

import email.policy
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from runner.alerts.delivery import SECONDS, NotDelivered, connected, required, tls_of, why
from runner.alerts.notice import Notice
from runner.errors import InvalidCredential

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_POLICY = email.policy.SMTP.clone(cte_type="7bit")  # what every server takes
_PORTS = {"starttls": 587, "tls": 465}


class Mail:
    """One mailbox, or several, as a credential names them.

    Its entries: `host`, `sender`, `recipients` (separated by commas), `security` (starttls, unless it is tls), `port`
    (587, or 465), `user` and `password` (where the server wants them), `ca_file`, `addresses`. There is no way to send
    without TLS. Raises InvalidCredential.
    """

    def __init__(self, credential: Mapping[str, Any]) -> None:
        required(credential, "host", "sender", "recipients")
        self._credential = credential
        self._security = str(credential.get("security") or "starttls")
        if self._security not in _PORTS:
            raise InvalidCredential("security is neither starttls nor tls", fix="Write one of them.")
        self._port = _port(credential.get("port") or _PORTS[self._security])
        self._sender = _address(str(credential["sender"]))
        self._recipients = [_address(each) for each in str(credential["recipients"]).split(",")]
        self._tls = tls_of(credential)

    def send(self, notice: Notice) -> str:
        """Hand the notice over to the server; its reply's code, such as 250. Raises NotDelivered."""
        try:
            with self._connection() as server:
                if self._security == "starttls":
                    _refuse_without_tls(server)
                    server.starttls(context=self._tls)
                if password := self._credential.get("password"):
                    server.login(str(self._credential.get("user") or self._sender), password.reveal())
                return str(_handed_over(server, self._sender, self._recipients, self._message(notice)))
        except smtplib.SMTPException as error:
            raise _refused(error) from None
        except OSError as error:
            raise why(error) from None

    def _connection(self) -> smtplib.SMTP:
        named = (str(self._credential["host"]), self._port)
        allowed = str(self._credential.get("addresses") or "")
        return _Server(*named, allowed, self._tls if self._security == "tls" else None, self._sender.partition("@")[2])

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"], message["To"] = self._sender, ", ".join(self._recipients)
        message["Subject"] = notice.subject
        message["Date"] = format_datetime(notice.time)
        message["Message-ID"] = f"<{notice.id}@{self._sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n".join(notice.lines()) + "\n")
        return message


class _Server(smtplib.SMTP):
    """A conversation over a connection that is looked at before it is made; it names no machine of ours."""

    def __init__(self, host: str, port: int, addresses: str, tls: ssl.SSLContext | None, domain: str) -> None:
        self._addresses, self._wrapping = addresses, tls
        super().__init__(host, port, local_hostname=domain, timeout=SECONDS)

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        plain = connected(host, port, self._addresses)
        return self._wrapping.wrap_socket(plain, server_hostname=host) if self._wrapping else plain


def _refuse_without_tls(server: smtplib.SMTP) -> None:
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("starttls"):
        raise NotDelivered("no_tls", "the server offers no STARTTLS", fix="Try security: tls, or another server.")


def _handed_over(server: smtplib.SMTP, sender: str, recipients: list[str], message: EmailMessage) -> int:
    """Each step by itself, since the server's last code is what a test shows. Raises SMTPResponseException."""
    _agreed(server.mail(sender))
    for each in recipients:
        _agreed(server.rcpt(each))
    return _agreed(server.data(message.as_bytes()))


def _agreed(reply: tuple[int, bytes]) -> int:
    if not 200 <= reply[0] < 300:
        raise smtplib.SMTPResponseException(*reply)
    return reply[0]


def _refused(error: smtplib.SMTPException) -> NotDelivered:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return NotDelivered("not_allowed", "the server refused user and password", fix="Correct the credential.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotDelivered("no_login", "the server wants no user", fix="Take user and password out, or use another.")
    if isinstance(error, smtplib.SMTPResponseException):
        fix = "What the code means stands in RFC 5321; often sender or recipient isn't known there."
        return NotDelivered("rejected", f"the server refused it ({error.smtp_code})", fix=fix)
    return NotDelivered("connection_lost", "the server hung up", fix="It is tried again by itself.")


def _address(text: str) -> str:
    address = text.strip()
    if not _ADDRESS.fullmatch(address):
        raise InvalidCredential("sender or recipients hold no address", fix="Write name@host, separated by commas.")
    return address


def _port(value: Any) -> int:
    if not str(value).isdecimal() or not 0 < int(value) <= 65_535:
        raise InvalidCredential("port is none", fix="Write a number up to 65535.")
    return int(value)
