"""Credentials: references, concealment, and the refusal of what isn't kept safely."""

import copy
import json
import pickle

import pytest

from runner import credentials
from runner.credentials import Secret
from runner.errors import InvalidCredential


def write(folder, text, name="north.yaml", mode=0o600):
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def test_secret_prints_as_asterisks():
    """A secret shows itself in no print, format, repr, JSON or pickle, and in nothing that holds it."""
    secret = Secret("open sesame")
    shown = f"{secret} {secret!r} {[secret]} {secret:>40}" + "%s" % secret  # noqa: UP031
    assert "sesame" not in shown
    assert "open sesame" == secret.reveal()
    assert copy.deepcopy({"password": secret})["password"] is secret
    with pytest.raises(TypeError):
        json.dumps({"password": secret})
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_are_concealed_and_the_rest_is_not(tmp_path):
    """Passwords, keys and tokens come as Secret; addresses and user names as they are."""
    write(
        tmp_path, "url: https://north.example.org\nuser: bridge\npassword: p\nsubscription_key: k\napiKey: a\nrate: 5\n"
    )
    found = credentials.load(tmp_path, "north")
    assert {"password": "p", "subscription_key": "k", "apiKey": "a"} == {
        key: value.reveal() for key, value in found.items() if isinstance(value, Secret)
    }
    assert ("https://north.example.org", "bridge", 5) == (found["url"], found["user"], found["rate"])


def test_references(tmp_path, monkeypatch):
    """R-RT5: a value can come from the environment or from a file beside the credential."""
    monkeypatch.setenv("NORTH_USER", "bridge")
    write(tmp_path, "from a file\n", name="password.txt")
    write(tmp_path, "user: ${NORTH_USER}\npassword: file:password.txt\n")
    found = credentials.load(tmp_path, "north")
    assert ("bridge", "from a file") == (found["user"], found["password"].reveal())


@pytest.mark.parametrize("value", ["${RUNNER_TEST_UNSET}", "file:missing.txt"])
def test_reference_to_nothing(tmp_path, value):
    """A reference to what isn't there is refused, with the place in the file."""
    write(tmp_path, f"user: bridge\npassword: {value}\n")
    with pytest.raises(InvalidCredential, match=r"north\.yaml, line 2, column 1"):
        credentials.load(tmp_path, "north")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_credential_that_others_can_read(tmp_path, mode):
    """R-RT6: a credential that group or others can read is refused, and the fix is the command."""
    path = write(tmp_path, "user: bridge\n", mode=mode)
    with pytest.raises(InvalidCredential) as caught:
        credentials.load(tmp_path, "north")
    assert f"chmod 600 {path}" == caught.value.fix


@pytest.mark.parametrize(
    "line",
    [
        "private_key: north.pem", "certificate: north.pem", "pkcs12: north.pem", "password: file:north.pem",
        "next_private_key: north.pem", "next_certificate: north.pem", "next_pkcs12: north.pem",
    ],
)  # fmt: skip
def test_key_file_that_others_can_read(tmp_path, line):
    """R-RT6: the same holds for the files that a credential names: keys, certificates, secrets, in both slots."""
    write(tmp_path, "a key", name="north.pem", mode=0o644)
    write(tmp_path, line)
    with pytest.raises(InvalidCredential, match="can be read by other users"):
        credentials.load(tmp_path, "north")


def test_paths_become_absolute(tmp_path):
    """Paths begin at the credential's folder, and the certificate of an authority may be readable by all."""
    write(tmp_path, "public", name="ca.pem", mode=0o644)
    write(tmp_path, "ca_file: ca.pem\ncertificate:\n")
    assert {"ca_file": str(tmp_path / "ca.pem"), "certificate": None} == credentials.load(tmp_path, "north")


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_authority_that_others_can_change(tmp_path, mode):
    """R-RT6: an authority's file that others can write would let them decide whom we believe; it is refused."""
    path = write(tmp_path, "public", name="ca.pem", mode=mode)
    write(tmp_path, "ca_file: ca.pem\n")
    with pytest.raises(InvalidCredential) as caught:
        credentials.load(tmp_path, "north")
    assert f"chmod go-w {path}" == caught.value.fix


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "http://localhost/api",
        "http://[::1]:80",
        "https://north.example.org",
        "HTTPS://a.example",
    ],
)
def test_address_that_is_safe(tmp_path, url):
    """H44: https anywhere, plain http on this machine only."""
    assert url == credentials.resolve({"url": url}, tmp_path)["url"]


@pytest.mark.parametrize(
    "url",
    [
        "http://north.example.org",
        "HTTP://north.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@north.example.org",
        "http://127.0.0.1.example.org",
        "https://bridge:p@north.example.org",
        "http:north.example.org",
        "https://[broken",
    ],
)
def test_address_that_is_not_safe(tmp_path, url):
    """H45: an address that would send secrets in the clear, or holds some, is refused without being shown."""
    with pytest.raises(InvalidCredential) as caught:
        credentials.resolve({"referral_url": url}, tmp_path)
    assert "referral_url" in str(caught.value)
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["- a\n", "just text\n", "", "url: {a: b}\n", "url: [a]\n", "private_key: '-----BEGIN X'\n"]
)
def test_wrong_shape(tmp_path, text):
    """A credential is a table of plain values, and keys are files."""
    write(tmp_path, text)
    with pytest.raises(InvalidCredential):
        credentials.load(tmp_path, "north")


def test_password_that_looks_like_a_number(tmp_path):
    """A password is a text: 1234 without quotes is refused rather than turned into one."""
    write(tmp_path, "password: 12340\n")
    with pytest.raises(InvalidCredential) as caught:
        credentials.load(tmp_path, "north")
    assert "12340" not in str(caught.value)


def test_missing_credential(tmp_path):
    """A missing credential says which file to copy where."""
    with pytest.raises(InvalidCredential) as caught:
        credentials.load(tmp_path, "north")
    assert "credentials.example/north.yaml" in caught.value.fix
