"""The certificates that we show: what is told of them, when they need a look, and how others are asked for."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from virtual import Clock

from runner import project
from runner.alerts.dispatch import Dispatch
from runner.alerts.rounds import Rounds
from runner.alerts.settings import Settings
from runner.alerts.sight import Sight
from runner.cli import main
from runner.logs.log import Log
from runner.store import Store
from runner.tls import certificates
from runner.tls.certificates import WARN_AT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROJECT = "name: test\njobs:\n  send: {script: send.py, credentials: [north]}\n"
PEM = "certificate: north.pem\nprivate_key: north.key\n"


class Identity:
    """A certificate, its key, and who signed it; itself unless told otherwise."""

    def __init__(
        self,
        name="north",
        *,
        issuer=None,
        days=365.0,
        key=None,
        usage=(ExtendedKeyUsageOID.CLIENT_AUTH,),
        begins=NOW,
        authority=False,
    ):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        builder = (
            x509.CertificateBuilder(signer.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(begins - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=days))
        )
        if authority:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        elif usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        algorithm = None if isinstance(signer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        self.certificate = builder.sign(signer.key, algorithm)

    @property
    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self):
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Folder:
    """A project with one job and the credential north."""

    def __init__(self, path):
        self.path = path
        (path / "credentials").mkdir()
        (path / "send.py").write_text('"""Sends."""\n\noperations = [print]\n')
        (path / "project.yaml").write_text(PROJECT)

    def write(self, name, content):
        file = self.path / "credentials" / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        file.chmod(0o600)

    def shows(self, identity, *chain, key=None, more=""):
        """Let the credential name this certificate; the findings about it."""
        self.write("north.pem", identity.pem + b"".join(each.pem for each in chain))
        self.write("north.key", (key or identity).key_pem)
        self.write("north.yaml", PEM + more)
        return self.findings()

    def findings(self, now=NOW):
        return certificates.look(project.load(self.path / "project.yaml"), self.path / "credentials", now)

    def ends(self):
        return certificates.ends(project.load(self.path / "project.yaml"), self.path / "credentials")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project folder, and we in it."""
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


def codes(findings):
    return [finding.code for finding in findings]


def test_a_good_certificate(folder):
    """R-TL2: a certificate with its key, client usage, a good while and a whole chain needs no look."""
    assert [] == folder.shows(Identity())


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_good_curves(folder, curve):
    """R-TL2: P-256, and what is stronger, will do."""
    assert [] == folder.shows(Identity(key=ec.generate_private_key(curve)))


def test_no_usage_means_any(folder):
    """R-TL2: a certificate that names no usage may be shown by a client; so may one that allows any."""
    assert [] == folder.shows(Identity(usage=()))
    assert [] == folder.shows(Identity(usage=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)))


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"usage": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "wrong_usage"),
        ({"key": rsa.generate_private_key(65537, 1024)}, "weak_key"),
        ({"key": ec.generate_private_key(ec.SECP192R1())}, "weak_key"),
        ({"key": ed25519.Ed25519PrivateKey.generate()}, "weak_key"),
        ({"days": -1}, "expired"),
        ({"begins": NOW + timedelta(days=3)}, "not_yet_valid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_certificate(folder, bad, code):
    """R-TL2: what will not do is told by its code, with what to do about it."""
    (finding,) = folder.shows(Identity(**bad))

    assert (code, "north, certificate") == (finding.code, finding.where)
    assert finding.fix


def test_the_key_of_another(folder):
    """R-TL2: a key that isn't the certificate's is found before a far side finds it."""
    assert ["key_mismatch"] == codes(folder.shows(Identity(), key=Identity()))


def test_the_chain(folder):
    """R-TL2: every issuer up to a known one must be in the file, in whatever order; the last may be in ca_file."""
    root = Identity("root", authority=True)
    between = Identity("between", issuer=root, authority=True)
    own = Identity(issuer=between)
    folder.write("root.pem", root.pem)

    assert ["chain_incomplete"] == codes(folder.shows(own))
    assert ["chain_incomplete"] == codes(folder.shows(own, between))
    assert ["chain_incomplete"] == codes(folder.shows(own, root))
    assert [] == folder.shows(own, between, root)
    assert [] == folder.shows(own, root, between)
    assert [] == folder.shows(own, between, more="ca_file: root.pem\n")
    assert ["chain_incomplete"] == codes(folder.shows(own, Identity("between", issuer=root, authority=True), root))


@pytest.mark.parametrize("days", [90, 61, 60, 59, 31, 30, 14.5, 14, 8, 7, 2, 1, 0.5])
def test_when_it_ends(folder, days):
    """R-RT3: its end is told from 60 days before on, and the steps 60, 30, 14, 7 and 1 can be told apart."""
    findings = folder.shows(Identity(days=days))

    reached = [step for step in WARN_AT if days <= step][-1:]
    assert [("ends_soon", step, int(days)) for step in reached] == [
        (finding.code, finding.warned_at, finding.days) for finding in findings
    ]


def test_the_moment_it_ends(folder):
    """R-RT3: to the second of its end it ends soon, from then on it has ended."""
    folder.shows(Identity(days=10))

    end = NOW + timedelta(days=10)
    assert ["ends_soon"] == codes(folder.findings(end - timedelta(seconds=1)))
    assert ["expired"] == codes(folder.findings(end))


def test_both_slots(folder):
    """R-RT3: the certificate in the second slot is looked at like the one in the first."""
    folder.write("next.pem", Identity(days=5).pem)
    folder.write("next.key", Identity().key_pem)
    findings = folder.shows(Identity(), more="next_certificate: next.pem\nnext_private_key: next.key\n")

    assert [("north, next_certificate", "ends_soon"), ("north, next_certificate", "key_mismatch")] == [
        (finding.where, finding.code) for finding in findings
    ]


def test_pkcs12(folder):
    """R-TL1, R-TL2: a PKCS#12 file with its password is looked at, chain and all."""
    root = Identity("root", authority=True)
    own = Identity(issuer=root, days=20)
    sealed = pkcs12.serialize_key_and_certificates(
        b"north", own.key, own.certificate, [root.certificate], BestAvailableEncryption(b"open sesame")
    )
    folder.write("north.p12", sealed)
    folder.write("north.yaml", "pkcs12: north.p12\npkcs12_password: open sesame\n")
    assert [("north, pkcs12", "ends_soon")] == [(each.where, each.code) for each in folder.findings()]

    folder.write("north.yaml", "pkcs12: north.p12\npkcs12_password: closed sesame\n")
    (finding,) = folder.findings()
    assert "unusable" == finding.code
    assert "sesame" not in str(finding)


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
@pytest.mark.parametrize("file", ["north.pem", "north.key"])
def test_files_that_hold_something_else(folder, file, content):
    """A file that holds no certificate, or no key, is a finding, and nothing of it is shown."""
    folder.shows(Identity())
    folder.write(file, content)

    (finding,) = folder.findings()
    assert ("unusable", "north, certificate") == (finding.code, finding.where)
    assert "AAAA" not in str(finding)


def test_a_key_that_others_can_read(folder):
    """R-RT6: files of a certificate that others can read are told like any other trouble, with the chmod to type."""
    folder.shows(Identity())
    (folder.path / "credentials" / "north.key").chmod(0o640)

    (finding,) = folder.findings()
    assert ("north", "unusable") == (finding.where, finding.code)
    assert finding.fix.startswith("chmod 600 ")


def test_what_names_no_certificate(folder):
    """A credential without a certificate, one that isn't there, and an inbox without TLS need no look."""
    assert [] == folder.findings()
    folder.write("north.yaml", "url: https://north.example.org\n")
    assert [] == folder.findings()


@pytest.mark.parametrize("table", ["inbox", "console"])
def test_our_own(folder, table):
    """R-TL2: the certificates of the inbox and of the console are looked at as a server's."""
    own = Identity("bridge.example.org", days=10, usage=(ExtendedKeyUsageOID.SERVER_AUTH,))
    folder.write("own.pem", own.pem)
    folder.write("own.key", own.key_pem)
    named = f"{table}: {{certificate: credentials/own.pem, private_key: credentials/own.key}}\n"
    (folder.path / "project.yaml").write_text(PROJECT + named)
    assert [(f"{table}, certificate", "ends_soon")] == [(each.where, each.code) for each in folder.findings()]

    folder.write("own.pem", Identity(key=own.key).pem)
    assert ["wrong_usage"] == codes(folder.findings())


def test_ends(folder):
    """When each certificate ends is known by where it is named; one that can't be read has no end."""
    assert {} == folder.ends()
    own = Identity()
    folder.shows(own)
    assert {"north, certificate": own.certificate.not_valid_after_utc} == folder.ends()
    folder.write("north.pem", "AAAA")
    assert {} == folder.ends()


def shown(capsys, *arguments):
    code = main(["cert", *arguments])
    return capsys.readouterr().out, code


def test_show(folder, capsys):
    """R-TL2: `cert show` tells subject, issuer, dates, kind of key and both thumbprints, and never the key."""
    own = Identity()
    folder.shows(own)

    text, code = shown(capsys, "show")
    assert 0 == code
    for word in (
        "north, certificate",
        "CN=north",
        "2027-03-01",
        "P-256",
        own.certificate.fingerprint(hashes.SHA1()).hex().upper(),
    ):
        assert word in text
    assert own.certificate.fingerprint(hashes.SHA256()).hex().upper() in text
    assert "PRIVATE" not in text

    text, code = shown(capsys, "show", "--colons")
    assert own.certificate.fingerprint(hashes.SHA1()).hex(":").upper() in text


def test_show_as_json(folder, capsys):
    """R-TL2: the same for a program."""
    own = Identity()
    folder.shows(own)

    text, _ = shown(capsys, "show", "--json")
    (told,) = json.loads(text)["certificates"]
    assert {
        "name",
        "slot",
        "subject",
        "issuer",
        "begins",
        "ends",
        "days_left",
        "key",
        "sha1",
        "sha256",
        "findings",
    } == set(told)
    assert ("north", "certificate", "CN=north", "P-256") == (told["name"], told["slot"], told["subject"], told["key"])


def test_a_name_that_speaks_to_the_terminal(folder, capsys):
    """R-LG7: what a certificate says of itself does nothing to the terminal."""
    folder.shows(Identity("north\x1b[2J"))
    assert "\x1b" not in shown(capsys, "show")[0]


@time_machine.travel(NOW, tick=False)
def test_check(folder, capsys):
    """R-TL2: `cert check` gives 0 when all is well, 4 with a fix for each finding when not."""
    folder.shows(Identity(days=3650))
    assert 0 == shown(capsys, "check")[1]

    folder.shows(Identity(days=3650), key=Identity())
    text, code = shown(capsys, "check")
    assert 4 == code
    assert "! north, certificate: the private key is that of another certificate\n  fix: " in text

    text, code = shown(capsys, "check", "--json")
    assert (4, "key_mismatch") == (code, json.loads(text)["certificates"][0]["findings"][0]["code"])


@time_machine.travel(NOW, tick=False)
def test_status_warns(folder, capsys):
    """R-RT3: `runner status` gives 4 while a certificate needs a look, and says which."""
    folder.shows(Identity(days=-1))
    assert 4 == main(["status"])
    assert "! the certificate of north.certificate: expired" in capsys.readouterr().out

    folder.shows(Identity(days=3650))
    assert 0 == main(["status"])


@pytest.mark.parametrize(("option", "kind"), [([], ec.EllipticCurvePrivateKey), (["--rsa"], rsa.RSAPrivateKey)])
def test_request(folder, capsys, option, kind):
    """R-RT3: `cert request` makes a key for its owner only, and a request signed with it, with names and use."""
    text, code = shown(
        capsys, "request", "next", "--common-name", "bridge.example.org", "--organisation", "Us", *option
    )

    made = folder.path / "credentials"
    key = load_pem_private_key((made / "next.key").read_bytes(), None)
    request = x509.load_pem_x509_csr((made / "next.csr").read_bytes())
    assert (0, 0o600) == (code, (made / "next.key").stat().st_mode & 0o777)
    assert isinstance(key, kind)
    assert getattr(key, "key_size", 0) in (256, 3072)
    assert request.is_signature_valid
    assert key.public_key() == request.public_key()
    assert "CN=bridge.example.org,O=Us" == request.subject.rfc4514_string()
    usage = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [ExtendedKeyUsageOID.CLIENT_AUTH] == list(usage)
    assert "PRIVATE" not in text


def test_request_for_the_inbox(folder, capsys):
    """A request with hosts is for a server, by these names."""
    shown(
        capsys,
        "request",
        "inbox",
        "--common-name",
        "in.example.org",
        "--host",
        "in.example.org",
        "--host",
        "b.example.org",
    )

    request = x509.load_pem_x509_csr((folder.path / "credentials" / "inbox.csr").read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ["in.example.org", "b.example.org"] == names.get_values_for_type(x509.DNSName)
    assert [ExtendedKeyUsageOID.SERVER_AUTH] == list(usage)


@pytest.mark.parametrize("there", ["next.key", "next.csr"])
def test_a_key_is_never_overwritten(folder, capsys, there):
    """R-RT3: a file that is there stays as it is, and nothing beside it is made."""
    folder.write(there, "mine")

    assert 2 == main(["cert", "request", "next", "--common-name", "x"])
    assert ["next." + there[5:]] == [path.name for path in (folder.path / "credentials").iterdir()]
    assert "mine" == (folder.path / "credentials" / there).read_text()


@pytest.mark.parametrize(
    "words", [["../next", "--common-name", "x"], ["next", "--common-name", "x" * 65], ["next", "--common-name", ""]]
)
def test_names_that_cannot_be(folder, words):
    """A name that leads elsewhere, or that can't stand in a certificate, is refused, and nothing is made."""
    assert 2 == main(["cert", "request", *words])
    assert [] == list((folder.path / "credentials").iterdir())


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl isn't there to be asked")
def test_openssl_says_the_same(folder, capsys):
    """R-RT3: the thumbprints are those that openssl shows to the other side."""
    folder.shows(Identity())
    text, _ = shown(capsys, "show", "--colons")
    for digest in ("sha1", "sha256"):
        command = ["openssl", "x509", "-in", "credentials/north.pem", "-noout", "-fingerprint", f"-{digest}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert said.strip().partition("=")[2] in text


def test_the_service_tells(folder):
    """R-RT3: when the service starts, and then every day, it writes what needs a look into its log."""
    folder.shows(Identity(days=-0.5))
    lines, clock = [], Clock(NOW)
    log = Log(lambda time, line: lines.append(line), now=clock)
    found = project.load(folder.path / "project.yaml")

    with Store.open(folder.path / "data", now=clock) as store:
        rounds = Rounds(
            store, Dispatch(store, Settings(), "test", way=None, now=clock),
            lambda findings: Sight(store, list(found.jobs.values()), clock(), findings),
            lambda: certificates.look(found, folder.path / "credentials", clock()),
            now=clock, passed=lambda: clock().timestamp(), log=log,
        )  # fmt: skip
        for _ in range(25):
            rounds.step()
            clock.pass_by(hours=1)

    told = "warning certificate credential=north code=expired days=0"
    assert [f"2026-03-0{day}T12:00:00.000Z {told}" for day in (1, 2)] == lines
