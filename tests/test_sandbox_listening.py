"""The sandbox as a process: credentials folder, control paths, options, start and stop."""

import json
import os
import signal
import ssl
import stat
import subprocess
import sys

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import pkcs12

from adaptors.sandbox import Sandbox
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.listening import PKCS12_PASSWORD, ListeningSandbox
from adaptors.sandbox.options import read_options


def client_from(folder):
    """An HTTP client with the authority and the client certificate of a credentials folder."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    return httpx.Client(verify=context, trust_env=False)


@pytest.fixture
def listening(tmp_path):
    """A listening sandbox that wrote its credentials into `tmp_path/credentials`."""
    with ListeningSandbox(Sandbox(cases=2, thumbprint_header=THUMBPRINT_HEADER)) as both:
        both.write_credentials(tmp_path / "credentials")
        yield both


def test_credentials_are_for_the_owner_only(listening, tmp_path):
    """The folder is 0700 and each file in it 0600, also where an open file was there before."""
    folder = tmp_path / "credentials"
    (folder / "client.key").chmod(0o644)

    listening.write_credentials(folder)

    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_the_credentials_lead_through_the_real_handshake(listening, tmp_path):
    """With what was written a post passes key, certificate and thumbprint, and the cases can be read."""
    folder = tmp_path / "credentials"
    primero, progres = (yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in ("primero", "progres"))
    headers = {
        "Ocp-Apim-Subscription-Key": progres["subscription_key"],
        progres["thumbprint_header"]: listening.client.thumbprint,
    }

    with client_from(folder) as client:
        listed = client.get(primero["url"] + "/api/v2/cases", auth=(primero["user"], primero["password"]))
        posted = client.post(progres["referral_url"], json={"id": "c#1"}, headers=headers)
        held = client.get(listening.dtp.url + "/sandbox/received").json()

    assert 2 == listed.json()["metadata"]["total"]
    assert 200 == posted.status_code
    assert [{"key": ["c#1"], "body": {"id": "c#1"}}] == held["effects"]
    assert ["ReceiveIncomingReferral"] == [each["kind"] for each in held["received"]]


def test_the_client_certificate_is_there_as_pkcs12_too(listening, tmp_path):
    """The PKCS#12 file holds the same certificate as the PEM file."""
    content = (tmp_path / "credentials" / "client.p12").read_bytes()

    _, certificate, _ = pkcs12.load_key_and_certificates(content, PKCS12_PASSWORD.encode())

    assert listening.client.thumbprint == certificate.fingerprint(hashes.SHA1()).hex().upper()


def test_switches_are_set_from_outside(listening, tmp_path):
    """Faults posted to a listener hit that listener, are shown, and are replaced by the next post."""
    with client_from(tmp_path / "credentials") as client:
        client.post(listening.primero.url + "/sandbox/faults", json=[{"kind": "bad_gateway", "count": None}])
        shown = client.get(listening.primero.url + "/sandbox/faults").json()
        hit = client.get(listening.primero.url + "/api/v2/primero").status_code
        spared = client.get(listening.dtp.url + "/").status_code
        client.post(listening.primero.url + "/sandbox/faults", json=[])
        after = client.get(listening.primero.url + "/api/v2/primero").status_code

    assert [{"kind": "bad_gateway", "count": None}] == shown
    assert (502, 404, 200) == (hit, spared, after)


@pytest.mark.parametrize("order", ['[{"kind": "earthquake"}]', '[{"kind": "reset", "many": 1}]', "[", "{}x"])
def test_an_order_that_is_not_understood_changes_nothing(listening, tmp_path, order):
    """A wrong switch gets 400, and the stand-in goes on as before."""
    with client_from(tmp_path / "credentials") as client:
        refused = client.post(listening.primero.url + "/sandbox/faults", content=order)
        answered = client.get(listening.primero.url + "/api/v2/primero")

    assert (400, 200) == (refused.status_code, answered.status_code)


def test_cases_and_refusals_are_ordered_from_outside(listening, tmp_path):
    """Primero takes case documents as they are, and DTP refuses as it is told."""
    with client_from(tmp_path / "credentials") as client:
        case = {"owned_by": "caseworker_mockomot", "module_id": "primeromodule-cp", "name_first": "Nobody"}
        loaded = client.post(listening.primero.url + "/sandbox/cases", json={"cases": [case]})
        refusal = client.post(listening.dtp.url + "/sandbox/refusals", json={"way": "success_false"})
        wrong = client.post(listening.dtp.url + "/sandbox/refusals", json={"way": "loudly"})

    assert {"cases": 1, "referrals": 0} == loaded.json()
    assert (200, 400) == (refusal.status_code, wrong.status_code)


def test_control_paths_are_no_part_of_the_stand_ins():
    """Without a listener around them the stand-ins know nothing under /sandbox/."""
    sandbox = Sandbox()
    urls = [
        sandbox.configuration["primero"]["url"],
        sandbox.configuration["progres"]["referral_url"].rpartition("/")[0],
    ]

    with httpx.Client(transport=sandbox.transport) as client:
        assert [404, 404] == [client.get(f"{url}/sandbox/faults").status_code for url in urls]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--write here --primero-only", "leave out --primero-only"),
        ("--http 0", "add --primero-only"),
        ("--config x.json", "add --primero-only"),
        ("--primero-only --config nowhere.json", "can't be read"),
        ("--cases 3 --empty", "not allowed with"),
        ("--cases -1", "not a number"),
        ("--cases many", "not a number"),
        ("--profile 3.0", "invalid choice"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments, said, capsys):
    """A contradiction on the command line is told, and ends with status 2."""
    with pytest.raises(SystemExit, match="2"):
        read_options(arguments.split())

    assert said in capsys.readouterr().err


def test_configurations_are_laid_over_one_another(tmp_path):
    """A second --config changes single settings of the first."""
    (tmp_path / "a.json").write_text('{"users": [1], "system_settings": {"locale": "en", "config_update_lock": false}}')
    (tmp_path / "b.json").write_text('{"system_settings": {"config_update_lock": true}}')
    files = [word for name in ("a", "b") for word in ("--config", str(tmp_path / f"{name}.json"))]

    config = read_options(["--primero-only", *files]).config

    assert {"users": [1], "system_settings": {"locale": "en", "config_update_lock": True}} == config


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_tells_its_addresses_and_ends_when_told(signal_number):
    """One line of JSON on standard output when ready; after SIGTERM or Ctrl-C the exit status is 0."""
    command = [sys.executable, "-m", "adaptors.sandbox", "--primero-only", "--empty", "--http", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ready = json.loads(process.stdout.readline())
        answer = httpx.get(ready["primero"] + "/health/api", trust_env=False)
        os.kill(process.pid, signal_number)
        status = process.wait(10)

    assert 204 == answer.status_code
    assert 0 == status
