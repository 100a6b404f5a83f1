"""docs/rotation.md: what the page shows is what the commands say."""

import re
import textwrap

import pytest
import time_machine
from pages import DOCS, text_of
from test_certificates import NOW, Folder, Identity

from runner.cli import main

PAGE = DOCS / "rotation.md"
PROJECT = "name: test\njobs:\n  send: {script: send.py, credentials: [progres]}\n"
CREDENTIAL = (
    "certificate: client.pem\nprivate_key: client.key\n"
    "next_certificate: client-next.pem\nnext_private_key: client-next.key\n"
)


def shown():
    """The outputs on the page, in order."""
    found = re.findall(r"^ *```text\n(.*?)^ *```", text_of(PAGE), re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in found]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project whose credential names two certificates, the first of which ends soon."""
    monkeypatch.chdir(tmp_path)
    made = Folder(tmp_path)
    (tmp_path / "project.yaml").write_text(PROJECT)
    authority = Identity("Example Authority", authority=True, days=3650)
    for name, days in (("client", 25), ("client-next", 730)):
        own = Identity("bridge.example.org", issuer=authority, days=days)
        made.write(f"{name}.pem", own.pem + authority.pem)
        made.write(f"{name}.key", own.key_pem)
    made.write("progres.yaml", CREDENTIAL)
    return made


@time_machine.travel(NOW, tick=False)
def test_check(folder, capsys):
    """`cert check` says of two slots what the page shows."""
    assert 4 == main(["cert", "check"])
    assert capsys.readouterr().out in shown()


@time_machine.travel(NOW, tick=False)
def test_show(folder, capsys):
    """`cert show` tells of a certificate what the page shows, with other thumbprints."""

    def masked(text):
        return re.sub(r"[0-9A-F]{40,64}", "…", text)

    assert 0 == main(["cert", "show"])
    said = masked(capsys.readouterr().out)
    assert [block for block in shown() if "sha256" in block]
    assert all(masked(block) in said for block in shown() if "sha256" in block)


def test_request(folder, capsys):
    """`cert request` says what the page shows."""
    (folder.path / "credentials" / "client-next.key").unlink()
    assert 0 == main(
        ["cert", "request", "client-next", "--common-name", "bridge.example.org", "--organisation", "UNICEF"]
    )
    assert capsys.readouterr().out.replace("credentials/", "/etc/bridge/credentials/") in shown()


def test_keys(folder, capsys):
    """`keys list` has the columns that the page shows."""
    main(["keys", "create", "dtp"])
    main(["keys", "rotate", "dtp"])
    capsys.readouterr()
    main(["keys", "list"])
    said = capsys.readouterr().out.splitlines()
    (block,) = [block for block in shown() if "label" in block]
    assert said[0].split() == block.splitlines()[0].split()
    assert len(said) == len(block.splitlines())


def test_the_second_slot_is_written_as_shown():
    """The entries of the second slot are those that the page shows."""
    entries = textwrap.indent("".join(f"{line}\n" for line in CREDENTIAL.splitlines()), "   ")
    assert f"```yaml\n{entries}   ```" in text_of(PAGE)
