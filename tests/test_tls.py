"""TLS on real sockets: who is believed, what is shown, and what is refused (adaptors/tls.py, failures.py)."""

import contextlib
import hashlib
import inspect
import os
import socket
import ssl
import threading

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from adaptors.errors import JobError, Unreachable
from adaptors.http import Client
from adaptors.runtime import Runtime
from adaptors.tls import certificate_thumbprint, tls_context


@pytest.fixture(scope="module")
def authority():
    """An authority that nobody but these tests believes."""
    return trustme.CA()


class Server:
    """An HTTPS server on a free port of this machine; it says 200 to whoever comes through the handshake."""

    def __init__(self, context):
        self.context = context
        self.heard = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        with contextlib.suppress(OSError):  # the socket is closed: that is the end
            while True:
                connection, _ = self.socket.accept()
                connection.settimeout(30)
                with contextlib.suppress(OSError), self.context.wrap_socket(connection, server_side=True) as secure:
                    self.answer(secure)

    def answer(self, secure):
        self.heard.append((secure.version(), secure.getpeercert(binary_form=True), secure.recv(65_536)))
        secure.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


def server_context(certificate, *, believes=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if believes:
        context.verify_mode = ssl.CERT_REQUIRED
        believes.configure_trust(context)
    return context


def ask(server, method="DELETE", **credential):
    """One request with a client of ours; sleeping takes no time."""
    runtime = Runtime()
    runtime.sleep = lambda seconds: None
    with contextlib.closing(Client("primero", {"url": server.url, **credential}, runtime)) as client:
        return client.send(method, "/x").status


@pytest.fixture
def ca_file(authority, tmp_path):
    """The authority's certificate in a file."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return str(file)


def pem_files(certificate, folder):
    """A certificate and its key in files, as a credential names them."""
    chain, key = folder / "client.pem", folder / "client.key"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(key)
    return {"certificate": str(chain), "private_key": str(key)}


def pkcs12_file(certificate, folder, password="secret"):
    """The same in one PKCS#12 file."""
    chain = [x509.load_pem_x509_certificate(blob.bytes()) for blob in certificate.cert_chain_pems]
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    file = folder / "client.p12"
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"client", key, chain[0], chain[1:], sealed))
    return {"pkcs12": str(file), "pkcs12_password": password}


def test_private_authority(authority, ca_file):
    """H44: a server whose certificate an authority of one's own signed is believed by that authority's file."""
    with Server(server_context(authority.issue_cert("127.0.0.1"))) as server:
        assert 200 == ask(server, ca_file=ca_file)

    assert server.heard[0][0] in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_authority(authority, method):
    """H44: a certificate that nobody known has signed is refused; the fix names ca_file, and nothing was sent."""
    with Server(server_context(authority.issue_cert("127.0.0.1"))) as server, pytest.raises(Unreachable) as caught:
        ask(server, method)

    assert ("tls_failed", False) == (caught.value.code, caught.value.unknown)
    assert "ca_file" in caught.value.fix
    assert [] == server.heard


def test_certificate_of_another_host(authority, ca_file):
    """H44: a good certificate for another name is refused."""
    with (
        Server(server_context(authority.issue_cert("primero.example.org"))) as server,
        pytest.raises(Unreachable) as caught,
    ):
        ask(server, ca_file=ca_file)

    assert ("tls_failed", []) == (caught.value.code, server.heard)


def test_a_private_authority_replaces_all_others(ca_file):
    """H44: with a ca_file, that authority alone is believed."""
    assert 1 == len(tls_context({"ca_file": ca_file}, str).get_ca_certs())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls(authority, ca_file, version):
    """H44: a server that speaks nothing newer than TLS 1.1 is refused, and the fix says why."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version

    with Server(context) as server, pytest.raises(Unreachable) as caught:
        ask(server, ca_file=ca_file)

    assert ("tls_failed", False, []) == (caught.value.code, caught.value.unknown, server.heard)
    assert "TLS 1.2" in caught.value.fix


def test_tls_1_2_will_do(authority, ca_file):
    """TLS 1.2 is new enough."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    with Server(context) as server:
        assert 200 == ask(server, ca_file=ca_file)

    assert "TLSv1.2" == server.heard[0][0]


def test_verification_cannot_be_switched_off(authority):
    """H44: there is no key, argument or variable that makes an unknown certificate believed."""
    keys = dict.fromkeys(
        ("verify", "verify_ssl", "verify_tls", "tls_verify", "insecure", "check_hostname", "ca_file"), False
    )

    with Server(server_context(authority.issue_cert("127.0.0.1"))) as server, pytest.raises(Unreachable) as caught:
        ask(server, **keys)

    assert ("tls_failed", []) == (caught.value.code, server.heard)
    context = tls_context(keys, str)
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)
    assert not {"verify", "insecure"} & set(inspect.signature(Client).parameters)


@pytest.mark.parametrize("form", [pem_files, pkcs12_file], ids=["pem", "pkcs12"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate(authority, ca_file, tmp_path, form, version):
    """A client certificate is shown to the server, from PEM files or from PKCS#12."""
    ours = authority.issue_cert("bridge@example.org")
    context = server_context(authority.issue_cert("127.0.0.1"), believes=authority)
    context.minimum_version = context.maximum_version = version

    with Server(context) as server:
        assert 200 == ask(server, ca_file=ca_file, **form(ours, tmp_path))

    shown = x509.load_der_x509_certificate(server.heard[0][1])
    assert x509.load_pem_x509_certificate(ours.cert_chain_pems[0].bytes()) == shown


@pytest.mark.parametrize("whose", ["none", "stranger"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificate_that_is_refused(authority, ca_file, tmp_path, whose, version):
    """H10: no client certificate, or another's, is told as such where TLS tells it; the fix names the certificate."""
    context = server_context(authority.issue_cert("127.0.0.1"), believes=authority)
    context.minimum_version = context.maximum_version = version
    shown = pem_files(trustme.CA().issue_cert("stranger@example.org"), tmp_path) if whose == "stranger" else {}

    with Server(context) as server, pytest.raises(Unreachable) as caught:
        ask(server, ca_file=ca_file, **shown)

    # With TLS 1.3 the server's alert may be lost when it closes the connection behind it.
    assert caught.value.code in ("certificate_refused", "connection_lost")
    assert "certificate" in caught.value.fix
    assert [] == server.heard


def test_pkcs12_leaves_no_key_behind(authority, tmp_path, monkeypatch):
    """H47: the key of a PKCS#12 file lies in a file of ours, for us alone, only while it is loaded."""
    seen, load = [], ssl.SSLContext.load_cert_chain

    def look(context, file, *more, **options):
        seen.append((file, os.stat(file).st_mode & 0o777))
        load(context, file, *more, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", look)
    tls_context(pkcs12_file(authority.issue_cert("bridge@example.org"), tmp_path), str)

    ((file, mode),) = seen
    assert 0o600 == mode
    assert not os.path.exists(file)


def broken(kind, certificate, folder):
    """A credential whose TLS files are not as they should be."""
    files = pem_files(certificate, folder)
    if kind == "no ca_file":
        return {"ca_file": str(folder / "absent.pem")}
    if kind == "no certificate":
        return {**files, "certificate": str(folder / "absent.pem")}
    if kind == "no key":
        return {"certificate": __file__}
    if kind == "another key":
        trustme.CA().issue_cert("x@example.org").private_key_pem.write_to_path(files["private_key"])
        return files
    if kind == "sealed key":
        key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        sealed = key.private_bytes(pem, form, serialization.BestAvailableEncryption(b"secret"))
        (folder / "client.key").write_bytes(sealed)
        return files
    if kind == "no pkcs12":
        return {"pkcs12": __file__}
    return {**pkcs12_file(certificate, folder), "pkcs12_password": "wrong-secret"}


@pytest.mark.parametrize(
    "kind", ["no ca_file", "no certificate", "no key", "another key", "sealed key", "no pkcs12", "wrong password"]
)
def test_files_that_cannot_be_used(authority, tmp_path, kind):
    """H42: TLS files that can't be used are told as such, without path, password or content."""
    with pytest.raises(JobError) as caught:
        tls_context(broken(kind, authority.issue_cert("bridge@example.org"), tmp_path), str)

    assert "tls_files" == caught.value.code
    assert "secret" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_pkcs12_without_password(authority, tmp_path):
    """A PKCS#12 file may have no password."""
    tls_context(pkcs12_file(authority.issue_cert("bridge@example.org"), tmp_path, password=None), lambda value: value)


@pytest.mark.parametrize("files", [pem_files, pkcs12_file], ids=["pem", "pkcs12"])
@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("SHA1", lambda der: hashlib.sha1(der).hexdigest().upper()),
        ("SHA1 lower", lambda der: hashlib.sha1(der).hexdigest()),
        ("sha256", lambda der: hashlib.sha256(der).hexdigest().upper()),
        ("SHA1 colons", lambda der: hashlib.sha1(der).digest().hex(":").upper()),
        ("SHA256 colons lower", lambda der: hashlib.sha256(der).digest().hex(":")),
        ("SHA1 upper", lambda der: hashlib.sha1(der).hexdigest().upper()),
    ],
)
def test_thumbprint(authority, tmp_path, files, form, shape):
    """The thumbprint is of the client's own certificate, in the form that the gateway asks for."""
    ours = authority.issue_cert("bridge@example.org")
    der = x509.load_pem_x509_certificate(ours.cert_chain_pems[0].bytes()).public_bytes(serialization.Encoding.DER)

    assert shape(der) == certificate_thumbprint(files(ours, tmp_path), str, form)


@pytest.mark.parametrize("form", ["", "MD5", "SHA1 dashes", "lower SHA1"])
def test_form_of_a_thumbprint(form):
    """A form that isn't understood is refused, with what may be written."""
    with pytest.raises(JobError, match="thumbprint_form") as caught:
        certificate_thumbprint({}, str, form)

    assert "SHA256" in caught.value.fix


@pytest.mark.parametrize("credential", [{}, {"certificate": "/absent/client.pem"}, {"pkcs12": "/absent/client.p12"}])
def test_thumbprint_of_no_certificate(credential):
    """A thumbprint is asked for and there is no certificate: the credential is at fault, and told so."""
    with pytest.raises(JobError) as caught:
        certificate_thumbprint(credential, str)

    assert "tls_files" == caught.value.code


def test_no_keys_of_connections_in_a_file(tmp_path, monkeypatch):
    """R-ER9 SSLKEYLOGFILE, by which a connection could be read later, has no effect."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    assert tls_context({}, str).keylog_filename is None
