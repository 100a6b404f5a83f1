"""A new private key, and the request that an authority signs: the first step to another certificate."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runner.errors import WrongUse

Kind = Literal["p256", "rsa"]
RSA_BITS = 3072


def request(
    folder: Path,
    name: str,
    *,
    common_name: str,
    organisation: str | None = None,
    kind: Kind = "p256",
    hosts: Sequence[str] = (),
) -> tuple[Path, Path]:
    """Make `NAME.key` (0600) and `NAME.csr` in a folder and give their paths.

    With `hosts` the certificate is asked for as that of a server with these names, else as that of a client. Raises
    WrongUse where a file of that name is there, or the names can't stand in a certificate; then nothing was written.

    >>> request(Path("credentials"), "client-next", common_name="bridge.example.org")  # doctest: +SKIP
    (PosixPath('credentials/client-next.key'), PosixPath('credentials/client-next.csr'))
    """
    key_file, request_file = folder / f"{name}.key", folder / f"{name}.csr"
    for path in (key_file, request_file):
        if path.exists():
            raise WrongUse(f"{path} is there already", fix="Choose another name: a key is never overwritten.")
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "p256" else rsa.generate_private_key(65537, RSA_BITS)
    signed = _described(common_name, organisation, hosts).sign(key, hashes.SHA256())
    _write(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    _write(request_file, signed.public_bytes(Encoding.PEM), mode=0o644)
    return key_file, request_file


def _described(
    common_name: str, organisation: str | None, hosts: Sequence[str]
) -> x509.CertificateSigningRequestBuilder:
    use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    try:
        names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if organisation:
            names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
        builder = x509.CertificateSigningRequestBuilder(x509.Name(names))
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False)
    except ValueError:
        raise WrongUse("these names can't stand in a certificate", fix="Use at most 64 letters each.") from None
    return builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except OSError as error:
        raise WrongUse(f"{path} can't be written: {error.strerror}", fix="Look at the folder.") from None
