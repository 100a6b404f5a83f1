"""The certificates that we show: what they say, and whether they will do (R-TL2, R-RT3).

What needs a look is plain data, so that a command, the status and an alert can tell it in their own ways.
"""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from runner.errors import InvalidCredential
from runner.project import Project
from runner.tls.slots import Finding, Slot, slots

WARN_AT = (60, 30, 14, 7, 1)  # days before the end
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_USAGES = {"client": ExtendedKeyUsageOID.CLIENT_AUTH, "server": ExtendedKeyUsageOID.SERVER_AUTH}


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key and those that came with it. It prints no key."""

    slot: Slot
    own: x509.Certificate
    key: Any
    chain: tuple[x509.Certificate, ...]

    def __repr__(self) -> str:
        return f"<certificate of {self.slot.name}, {self.slot.key}>"

    @property
    def ends(self) -> datetime:
        """When it stops being good."""
        return self.own.not_valid_after_utc

    def thumbprint(self, *, sha256: bool = False, colons: bool = False) -> str:
        """What is handed over to the other side: upper-case hex of SHA-1, or of SHA-256."""
        digest = self.own.fingerprint(hashes.SHA256() if sha256 else hashes.SHA1())
        return (digest.hex(":") if colons else digest.hex()).upper()

    def document(self, now: datetime, *, colons: bool = False) -> dict[str, Any]:
        """All that may be told of it."""
        return {
            "subject": self.own.subject.rfc4514_string(),
            "issuer": self.own.issuer.rfc4514_string(),
            "begins": self.own.not_valid_before_utc,
            "ends": self.ends,
            "days_left": (self.ends - now).days,
            "key": _kind(self.own.public_key()),
            "sha1": self.thumbprint(colons=colons),
            "sha256": self.thumbprint(sha256=True, colons=colons),
        }

    def findings(self, now: datetime) -> Iterator[Finding]:
        """What is wrong with it, or soon will be."""
        yield from self._end(now)
        if self.key.public_key() != self.own.public_key():
            yield self.slot.finding(
                "key_mismatch", "the private key is that of another certificate", "Name the two together."
            )
        if not _is_strong(self.own.public_key()):
            fix = "Make a new one: runner cert request."
            yield self.slot.finding("weak_key", f"a key of the kind {_kind(self.own.public_key())} is too weak", fix)
        if not self._may_be_shown_by(self.slot.use):
            fix = f"Ask who issued it for one with the usage {self.slot.use} authentication."
            yield self.slot.finding("wrong_usage", f"it is not meant for a {self.slot.use}", fix)
        if not _reaches(self.own, self.chain, self.slot.files.get("ca_file")):
            fix = "Append the certificates of its issuer, up to an authority that is known, to the file."
            yield self.slot.finding("chain_incomplete", "who issued it is neither known here nor in the file", fix)

    def _end(self, now: datetime) -> Iterator[Finding]:
        left = self.ends - now
        reached = [days for days in WARN_AT if left.total_seconds() <= days * 86_400]
        fix = "Replace it: docs/rotation.md tells how."
        if now < self.own.not_valid_before_utc:
            begins = self.own.not_valid_before_utc
            yield self.slot.finding("not_yet_valid", f"it begins on {begins:%Y-%m-%d}", "Look at this machine's clock.")
        if left.total_seconds() <= 0:
            yield self.slot.finding("expired", f"it ended on {self.ends:%Y-%m-%d}", fix, days=left.days, warned_at=0)
        elif reached:
            message = f"it ends on {self.ends:%Y-%m-%d}, in {_days(left.days)}"
            yield self.slot.finding("ends_soon", message, fix, days=left.days, warned_at=min(reached))

    def _may_be_shown_by(self, use: str) -> bool:
        try:
            usages = self.own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            return True
        return bool({_USAGES[use], ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usages))


def read(slot: Slot) -> Certificate:
    """Read the files of a slot. Raises InvalidCredential, without a word of what is in them."""
    try:
        if slot.files.get("pkcs12"):
            return _from_pkcs12(slot)
        own, *chain = x509.load_pem_x509_certificates(Path(slot.files["certificate"]).read_bytes())
        key = load_pem_private_key(Path(slot.files.get("private_key") or slot.files["certificate"]).read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        fix = "Certificates first, the client's own before its issuer's; the key without a password; both as PEM."
        raise InvalidCredential(f"its files can't be used ({type(error).__name__})", fix=fix) from None
    return Certificate(slot, own, key, tuple(chain))


def look(project: Project, folder: Path, now: datetime) -> list[Finding]:
    """All that needs a look, of all certificates of a project and its folder of credentials."""
    return [finding for each in slots(project, folder) for finding in findings_of(each, now)]


def ends(project: Project, folder: Path) -> dict[str, datetime]:
    """When each certificate ends that can be read, by where it is named, such as `north, certificate`."""
    found = {}
    for slot in slots(project, folder):
        if isinstance(slot, Slot):
            with suppress(InvalidCredential):
                found[f"{slot.name}, {slot.key}"] = read(slot).ends
    return found


def findings_of(slot: Slot | Finding, now: datetime) -> list[Finding]:
    """What needs a look at one slot."""
    if isinstance(slot, Finding):
        return [slot]
    try:
        return list(read(slot).findings(now))
    except InvalidCredential as error:
        return [slot.finding("unusable", str(error), str(error.fix))]


def _from_pkcs12(slot: Slot) -> Certificate:
    password = slot.files["pkcs12_password"]
    secret = password.reveal().encode() if password else None
    key, own, chain = pkcs12.load_key_and_certificates(Path(slot.files["pkcs12"]).read_bytes(), secret)
    if key is None or own is None:
        raise ValueError("no key or no certificate")
    return Certificate(slot, own, key, tuple(chain))


def _kind(key: Any) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "P-256"}.get(key.curve.name, key.curve.name)
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")


def _is_strong(key: Any) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES


def _reaches(own: x509.Certificate, chain: Iterable[x509.Certificate], ca_file: str | None) -> bool:
    """Whether each was signed by the next, up to one that is known here or that signed itself."""
    at, left = own, list(chain)
    while not _signed(at, at):
        if any(_signed(at, authority) for authority in _known_by_name(at.issuer, ca_file)):
            return True
        issuer = next((each for each in left if _signed(at, each)), None)
        if issuer is None:
            return False
        left.remove(issuer)
        at = issuer
    return True


def _known_by_name(name: x509.Name, ca_file: str | None) -> Iterator[x509.Certificate]:
    """The authorities that this machine, or the credential, believes and that bear the name."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    # Few of them are worth the parsing, and old ones are parsed with complaints.
    wanted = name.public_bytes()
    yield from (x509.load_der_x509_certificate(der) for der in context.get_ca_certs(True) if wanted in der)


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _days(number: int) -> str:
    return "less than a day" if number == 0 else f"{number} day{'' if number == 1 else 's'}"
