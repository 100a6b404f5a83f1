"""A certificate authority made at start: it signs the stand-ins' certificate and the client's, and is gone with them.

Keys are on the curve P-256; certificates are good from yesterday for ninety days, unless others are given:
nobody warns of their end then.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as PEM, without a passphrase."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def thumbprint(self) -> str:
        """The SHA-1 of the certificate, in upper-case hex."""
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()

    def pkcs12(self, password: str) -> bytes:
        """Certificate and key as one PKCS#12 file."""
        name = b"sandbox client"
        return pkcs12.serialize_key_and_certificates(
            name, self.key, self.certificate, None, BestAvailableEncryption(password.encode())
        )


class Authority:
    """Signs certificates for one run of the sandbox, its own among them, that are good for so many `days`.

    >>> authority = Authority()
    >>> authority.client().certificate.issuer == authority.certificate.subject
    True
    """

    def __init__(self, days: int = 90) -> None:
        self._days = days
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(_name("Sandbox authority"), self._key, ca=True, extensions=[])

    @property
    def certificate_pem(self) -> bytes:
        """The authority's own certificate, which a client names as its `ca_file`."""
        return self.certificate.public_bytes(Encoding.PEM)

    def server(self) -> Identity:
        """A server on this machine: `localhost` and `127.0.0.1`."""
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        return self._identity("Sandbox server", [names, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])])

    def client(self, name: str = "Sandbox client") -> Identity:
        """A client that DTP accepts."""
        return self._identity(name, [x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])

    def server_context(self, identity: Identity, *, demand_client: bool = False) -> ssl.SSLContext:
        """TLS 1.2 or newer with this identity; with `demand_client` nobody comes in without a certificate of ours."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # ssl takes keys from files only; this one is readable by us alone and gone at once.
        with tempfile.NamedTemporaryFile() as short_lived:
            short_lived.write(identity.key_pem + identity.certificate_pem)
            short_lived.flush()
            context.load_cert_chain(short_lived.name)
        if demand_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self.certificate_pem.decode())
        return context

    def _identity(self, name: str, extensions: list[x509.ExtensionType]) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        return Identity(self._signed(_name(name), key, ca=False, extensions=extensions), key)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool, extensions: list[x509.ExtensionType]
    ) -> x509.Certificate:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_name("Sandbox authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(yesterday)
            .not_valid_after(yesterday + timedelta(days=self._days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
            .add_extension(_usage(ca), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
