"""What has changed since the last start, as the audit log tells it."""

import json
import shutil

import pytest
import trustme

from runner import changes, project
from runner.keyfolder import KeyFolder
from runner.provenance import Provenance
from runner.store import Store
from runner.vault import Vault
from tests.kept import NOON

PROJECT = """\
name: test
jobs:
  sort: {script: sort.py, credentials: [north]}
  off: {script: sort.py, enabled: false}
retry: {hours: 72}
"""
SECRET = "Sesame-58213"


@pytest.fixture
def folder(tmp_path):
    """A project folder with a credential."""
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(PROJECT)
    (tmp_path / "credentials").mkdir()
    authority = trustme.CA()
    for name in ("old", "new"):
        made = authority.issue_cert("client.example.org")
        made.cert_chain_pems[0].write_to_path(str(tmp_path / "credentials" / f"{name}.pem"))
        made.private_key_pem.write_to_path(str(tmp_path / "credentials" / f"{name}.key"))
    credential(tmp_path, password=SECRET, certificate="old.pem", private_key="old.key")
    return tmp_path


def credential(folder, **entries):
    path = folder / "credentials" / "north.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in entries.items()))
    for file in path.parent.iterdir():
        file.chmod(0o600)


def started(folder):
    """Start, and give the new entries of the log."""
    with Store.open(folder / "data") as store:
        before = len(store.audit_log())
        vault = Vault(KeyFolder(folder / "data" / "keys"), now=lambda: NOON)
        found = project.load(folder / "project.yaml")
        changes.tell_start(store, found, folder / "credentials", Provenance("a1", "b2"), vault.fingerprint)
        return [(line.event, dict(line.about)) for line in store.audit_log()[before:]]


def test_first_start_and_the_same_again(folder):
    """R-AU3 A start is an entry with commit and configuration; where nothing has changed there is no other."""
    entry = ("service_started", {"commit": "a1", "configuration": "b2", "jobs": 1})
    assert [[entry], [entry]] == [started(folder), started(folder)]


def test_settings(folder):
    """R-AU3 A setting that was changed, added or removed is told with its value before and after."""
    started(folder)
    text = PROJECT.replace("hours: 72", "hours: 48, tries: 5").replace("name: test\n", "name: other\n")
    (folder / "project.yaml").write_text(text)
    assert [
        ("setting_changed", {"setting": "project.name", "before": "test", "after": "other"}),
        ("setting_changed", {"setting": "project.retry.hours", "before": "72", "after": "48"}),
        ("setting_changed", {"setting": "project.retry.tries", "after": "5"}),
    ] == started(folder)[1:]


def test_jobs(folder):
    """R-AU3 A flow that was enabled or disabled is told by its name."""
    started(folder)
    text = PROJECT.replace("north]}", "north], enabled: false}").replace(", enabled: false}\nretry", "}\nretry")
    (folder / "project.yaml").write_text(text)
    assert [("job_enabled", {"job": "off"}), ("job_disabled", {"job": "sort"})] == started(folder)[1:]


@pytest.mark.parametrize("table", ["inbox", "console"])
def test_our_own_certificates(folder, table):
    """R-AU3 Another certificate of the inbox or the console under the same name is told by its thumbprint."""
    named = f"{table}: {{certificate: credentials/old.pem, private_key: credentials/old.key}}\n"
    (folder / "project.yaml").write_text(PROJECT + named)
    started(folder)
    shutil.copy(folder / "credentials" / "new.pem", folder / "credentials" / "old.pem")
    assert {("certificate_changed", table)} == {(name, about["setting"]) for name, about in started(folder)[1:]} - {
        ("certificate_changed", "north.certificate")
    }


def test_secrets_and_certificates(folder):
    """R-AU3 R-AU4 Of a secret and of a private key there are fingerprints, of a certificate its thumbprint; neither is
    in the data directory."""
    started(folder)
    credential(folder, password="another", certificate="new.pem", private_key="new.key", user="anna@example.org")
    told = started(folder)[1:]
    assert ["certificate.", "north.certificate", "password", "private_key", "user"] == [
        "certificate.", told[0][1]["setting"], *(about["setting"].rpartition(".")[2] for _, about in told[1:])
    ]  # fmt: skip
    assert ["certificate_changed", *["setting_changed"] * 3] == [event for event, _ in told]
    assert all(about["after"].startswith("keyed:") for _, about in told[1:])
    assert 64 == len(told[0][1]["after"])
    content = b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())
    assert not [word for word in (SECRET, "another", "anna@example.org") if word.encode() in content]
    assert "another" not in json.dumps(told)


def test_credential_that_cant_be_read(folder):
    """A credential that is missing doesn't keep the service from starting; that it was there before is told."""
    started(folder)
    shutil.rmtree(folder / "credentials")
    assert ("setting_changed", {"setting": "credential.north", "after": "unreadable"}) in started(folder)


def test_credentials_of_recipients(folder):
    """R-AU3 R-AU4 To whom alerts go is a setting like others; addresses and secrets are told apart, not told."""
    table = "alerts: {recipients: {office: {mail: mail, at_once: error}}}\n"
    (folder / "project.yaml").write_text(PROJECT + table)
    mail = folder / "credentials" / "mail.yaml"
    told = []
    for address in ("office@example.org", "other@example.org"):
        mail.write_text(f"host: mail.example.org\nrecipients: {address}\npassword: {SECRET}\n")
        mail.chmod(0o600)
        told = started(folder)
    (event, about) = told[1]
    assert ("setting_changed", "credential.mail.recipients") == (event, about["setting"])
    assert "example.org" not in about["before"] + about["after"]
    assert SECRET not in str(told)
