"""Whose the data directory is (runner/store/ownership.py)."""

import os

import pytest

from runner.cli import main
from runner.errors import StoreError
from runner.keyfolder import KeyFolder
from runner.store import FILE, Store
from runner.vault import Vault
from tests.virtual import NOON


@pytest.fixture
def folder(tmp_path):
    """A data directory with all that a service keeps in it."""
    folder = tmp_path / "data"
    Store.open(folder).close()
    Vault(KeyFolder(folder / "keys"), now=lambda: NOON).ensure_today()
    return folder


@pytest.mark.parametrize("bits", [0o040, 0o004, 0o010], ids=["group reads", "others read", "group enters"])
@pytest.mark.parametrize("name", ["", FILE, "store.key", "keys", f"keys/{NOON.date()}.key", "keys/fingerprint.key"])
def test_readable_by_others(folder, name, bits):
    """R-RT6: what others can read is refused before it is used, with the chmod to type; typed, all is well."""
    path = folder / name
    path.chmod(path.stat().st_mode | bits)

    with pytest.raises(StoreError, match="can be read by other users") as caught:
        Store.open(folder)

    assert (f"chmod -R go= {folder}", 0) == (caught.value.fix, os.system(caught.value.fix))
    Store.open(folder).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", ["", FILE, "keys"])
def test_of_somebody_else(folder, name):
    """R-RT6: what belongs to another user is refused, to root as well, and the fix says as whom to do it."""
    os.chown(folder / name, 65_534, 65_534)

    with pytest.raises(StoreError, match="belongs to nobody") as caught:
        Store.open(folder)

    assert "sudo -u nobody" in caught.value.fix


@pytest.mark.parametrize(
    "command",
    [["status"], ["keys", "list"], ["serve"], ["run", "sort"], ["inbox", "list"], ["retry", "x"]],
    ids=lambda command: command[0],
)
def test_every_command_refuses(folder, command, monkeypatch, capsys):
    """R-RT6: the service doesn't start on such a directory, and no command works on it."""
    monkeypatch.chdir(folder.parent)
    folder.with_name("sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    folder.with_name("project.yaml").write_text("name: test\njobs:\n  sort: {script: sort.py}\n")
    folder.chmod(0o750)

    assert 2 == main(command)
    assert "chmod -R go= data" in capsys.readouterr().err


def test_what_comes_and_goes(folder, monkeypatch):
    """A journal that is gone by the time it is looked at is no fault."""
    gone = folder / "gone"
    gone.touch(0o600)
    listed = list(folder.iterdir())
    gone.unlink()
    monkeypatch.setattr("runner.store.ownership._kept", lambda _folder: listed)
    Store.open(folder).close()
