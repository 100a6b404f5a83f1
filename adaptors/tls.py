"""TLS as a credential asks for it: 1.2 or newer, always verified, with a client certificate where one is named."""

import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adaptors.errors import JobError

Reveal = Callable[[Any], Any]

_SLOT = ("certificate", "private_key", "pkcs12", "pkcs12_password")


def certificate_slots(credential: dict[str, Any]) -> list[dict[str, Any]]:
    """The credential as it is with each client certificate that it names: the present one, then the next one.

    The next one stands under the same keys with `next_` before them, so that a certificate can be replaced without a
    day on which the far side accepts neither (R-RT3).

    >>> [each["certificate"] for each in certificate_slots({"certificate": "a.pem", "next_certificate": "b.pem"})]
    ['a.pem', 'b.pem']
    """
    following = {key: credential.get(f"next_{key}") for key in _SLOT}
    return [credential, {**credential, **following}] if any(following.values()) else [credential]


def tls_context(credential: dict[str, Any], reveal: Reveal) -> ssl.SSLContext:
    """The context for `ca_file`, `certificate` and `private_key` (PEM), or `pkcs12` and `pkcs12_password`.

    There is no way to switch verification off: a server with a certificate of one's own gets a `ca_file`. Raises
    JobError when a file can't be read or the key doesn't fit.

    >>> tls_context({}, str).verify_mode is ssl.CERT_REQUIRED
    True
    """
    with _usable_files():
        context = ssl.create_default_context(cafile=credential.get("ca_file"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python takes SSLKEYLOGFILE, and writes there what opens every connection.
        context.keylog_filename = None  # type: ignore[assignment]
        if credential.get("pkcs12"):
            _load_pkcs12(context, Path(credential["pkcs12"]), reveal(credential.get("pkcs12_password")))
        elif credential.get("certificate"):
            # Without a password OpenSSL would ask for one at the terminal.
            context.load_cert_chain(credential["certificate"], credential.get("private_key"), password="")
    return context


def certificate_thumbprint(credential: dict[str, Any], reveal: Reveal, form: str = "SHA1") -> str:
    """The thumbprint of the client certificate, as gateways ask for it: upper-case hex of SHA-1 unless told otherwise.

    `form` is made of `SHA1` or `SHA256`, then `lower` and `colons` where wanted, such as `SHA256 lower colons`.
    Raises JobError when the form isn't understood, or there is no certificate that can be read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    words = form.split()
    kinds: dict[str, hashes.HashAlgorithm] = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256()}
    if not words or words[0].upper() not in kinds or not set(words[1:]) <= {"lower", "colons", "upper"}:
        raise JobError("thumbprint_form is not understood", fix="Write SHA1 or SHA256, then lower, colons as needed.")
    with _usable_files():
        if credential.get("pkcs12"):
            certificate = _pkcs12(Path(credential["pkcs12"]), reveal(credential.get("pkcs12_password")))[1]
        else:
            certificate = x509.load_pem_x509_certificate(Path(credential.get("certificate") or "").read_bytes())
    digits = certificate.fingerprint(kinds[words[0].upper()]).hex()
    shown = digits if "lower" in words else digits.upper()
    return ":".join(shown[place : place + 2] for place in range(0, len(shown), 2)) if "colons" in words else shown


@contextmanager
def _usable_files() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise JobError(
            f"the TLS files of the credential can't be used ({type(error).__name__})",
            code="tls_files",
            fix="Check ca_file, certificate, private_key or pkcs12 and its password.",
        ) from None


def _pkcs12(file: Path, password: str | None) -> Any:
    from cryptography.hazmat.primitives.serialization import pkcs12

    key, certificate, chain = pkcs12.load_key_and_certificates(
        file.read_bytes(), password.encode() if password else None
    )
    if key is None or certificate is None:
        raise ValueError("no key or no certificate")
    return key, certificate, chain


def _load_pkcs12(context: ssl.SSLContext, file: Path, password: str | None) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, certificate, chain = _pkcs12(file, password)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += b"".join(each.public_bytes(Encoding.PEM) for each in (certificate, *chain))
    # ssl takes keys from files only; this one is readable by us alone and gone at once.
    with tempfile.NamedTemporaryFile(dir=_memory_folder()) as short_lived:
        short_lived.write(pem)
        short_lived.flush()
        context.load_cert_chain(short_lived.name)


def _memory_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
