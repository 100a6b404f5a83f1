"""Keys with a program: made once, handed out, destroyed, and never made anew because it failed."""

import json
import os
import shlex
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner import custody, keycommand
from runner.check.keys import of_command
from runner.cli import main
from runner.errors import StoreError, VaultError
from runner.inquiry import Said, ask
from runner.keycommand import KeyCommand
from runner.places import Places
from runner.store import Store
from runner.vault import Vault
from tests.kept import claim, post, run, unit

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "Nyakim-58213"
EXAMPLE = ROOT / "docs" / "deploy" / "keys.py"
# The least that does it: a file for each key, and a line for each call.
LEAST = """\
#!/bin/sh
cd {folder} && echo "$*" >> .asked || exit 1
[ -f .trouble ] && . ./.trouble
case $1 in
list) ls ;;
get) [ -f "$2" ] || exit 3; cat "$2" ;;
make) [ -f "$2" ] || head -c 32 /dev/urandom | base64 > "$2" ;;
destroy) rm -f "$2" ;;
esac
"""


class Program:
    """The least program, in a folder; `trouble` is what it does instead. Nothing is forgotten before `forget`."""

    def __init__(self, folder):
        self.folder, self.path, self._later = folder / "held", folder / "program", []
        self.folder.mkdir()
        self.path.write_text(LEAST.format(folder=shlex.quote(str(self.folder))))
        self.path.chmod(0o755)

    def keys(self, installation="data", **more):
        """What the vault is given."""
        name = self.folder.parent / installation / "keys.name"
        return KeyCommand([str(self.path)], name, later=lambda _, act: self._later.append(act), **more)

    def forget(self):
        while self._later:
            self._later.pop()()

    def trouble(self, script):
        """What it does from now on, instead; nothing, for being well again."""
        (self.folder / ".trouble").write_text(script)
        self.forget()

    def asked(self):
        """What it was asked since the last time, the names without what stands before them."""
        path = self.folder / ".asked"
        words = [line.split() for line in path.read_text().splitlines()]
        path.write_text("")
        return [" ".join([action, *(name.partition("-")[2] for name in names)]) for action, *names in words]


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


def example(tmp_path):
    """The program of docs/deploy, with its folder and a master key."""
    (tmp_path / "held").mkdir()
    (tmp_path / "master").write_bytes(bytes(range(32)))
    return [sys.executable, str(EXAMPLE), str(tmp_path / "held"), str(tmp_path / "master")]


def vault_of(keys, now=NOON):
    return Vault(keys, now=lambda: now)


def test_sealed_opens(program):
    """R-RT4 What is sealed with a program's keys opens in another process, and the next day's key opens it as well."""
    sealed = vault_of(program.keys()).seal(CANARY.encode(), "envelope/u1")
    tomorrow = vault_of(program.keys(), NOON + timedelta(days=1))
    rewrapped = tomorrow.rewrap(sealed.key, "envelope/u1")
    tomorrow.destroy("2026-03-01")
    assert (["2026-03-02"], "2026-03-02") == (tomorrow.epochs(), rewrapped.epoch)
    with pytest.raises(VaultError, match="2026-03-01 is missing"):
        tomorrow.open(sealed, "envelope/u1")


def test_the_example(tmp_path):
    """The program in docs/deploy does all that is asked of it, and its folder alone opens nothing."""
    command = example(tmp_path)
    keys = KeyCommand(command, tmp_path / "data" / "keys.name")
    assert ["ok"] == [finding.level for finding in of_command(keys)]
    keys.make("2026-03-01")
    (held,) = (tmp_path / "held").iterdir()
    assert keys.read("2026-03-01") not in held.read_bytes()
    (tmp_path / "master").write_bytes(bytes(32))
    with pytest.raises(StoreError, match="get failed: exit code 1"):
        KeyCommand(command, tmp_path / "data" / "keys.name").read("2026-03-01")


def test_many_hosts_at_the_first_moment(tmp_path):
    """Of many hosts that make the first key at the same moment, all get the same one, under one name."""
    command = example(tmp_path)
    hosts = [KeyCommand(command, tmp_path / "data" / "keys.name") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda host: host.make("2026-03-01"), hosts))
        assert 1 == len(set(pool.map(lambda host: host.read("2026-03-01"), hosts)))
    assert 1 == len(list((tmp_path / "held").iterdir()))


def test_what_check_finds(program):
    """`runner check` tries the program, and finds one that replaces a key, keeps a destroyed one, or lists nothing."""
    assert ["ok"] == [finding.level for finding in of_command(program.keys())]
    wrongs = {
        '[ $1 = make ] && rm -f "$2"': ["make replaces a key that is there: what it seals would be lost"],
        "[ $1 = destroy ] && exit 0": ["list shows what destroy has destroyed", "get gives what destroy has destroyed"],
        "[ $1 = list ] && exit 0": ["list doesn't show what make has made"],
        "exit 9": ["the key command's make failed: exit code 9"],
    }
    for script, wanted in wrongs.items():
        program.trouble(script)
        assert wanted == [finding.found for finding in of_command(program.keys())]


@pytest.mark.parametrize(
    "script",
    [
        f"echo {CANARY}; exit 0", "exit 0", "head -c 31 /dev/urandom | base64; exit 0", f"echo {CANARY} >&2; exit 1",
        "cat held held; exit 0", "yes; exit 0", "echo '<html>Sorry</html>'; exit 0", "kill -9 $$",
    ],
)  # fmt: skip
def test_program_that_fails(program, script, capfd):
    """R-ER9 R-WH2 A program that fails or says what is no key is trouble that may pass; what it said is told nowhere,
    and no key is made in its place."""
    sealed = vault_of(program.keys()).seal(b"a state", "envelope/u1")
    before = sorted(program.folder.iterdir())
    program.trouble(script)
    for act in (lambda vault: vault.seal(b"x", "envelope/u2"), lambda vault: vault.open(sealed, "envelope/u1")):
        with pytest.raises(StoreError) as caught:
            act(vault_of(program.keys()))
        assert caught.value.fix
        assert CANARY not in f"{caught.value} {caught.value.fix} {caught.value.__cause__}"
    assert CANARY not in "".join(capfd.readouterr())
    (program.folder / ".trouble").unlink()
    assert before == sorted(program.folder.iterdir())
    assert b"a state" == vault_of(program.keys()).open(sealed, "envelope/u1")


def test_list_that_is_none(program):
    """R-RT4 What the program lists is taken for names only where it can be: a page of HTML is no list."""
    program.keys().make("2026-03-01")
    program.trouble("echo '<html>Sorry</html>'; exit 0")
    with pytest.raises(StoreError, match="no names"):
        program.keys().names()


def test_program_that_isnt_there(tmp_path):
    """A program that can't be started is told with the reason."""
    with pytest.raises(StoreError, match="can't be started: No such file"):
        KeyCommand([str(tmp_path / "nowhere")], tmp_path / "data" / "keys.name").make("2026-03-01")


def test_program_that_hangs(program):
    """One that hangs is ended in time, with all that it has started."""
    program.trouble("sleep 1000 & echo $! > .child; wait")
    with pytest.raises(StoreError, match=r"took longer than 0\.2 s"):
        program.keys(seconds=0.2).make("2026-03-01")
    child = int((program.folder / ".child").read_text())
    for _ in range(500):
        if not os.path.exists(f"/proc/{child}") or " Z " in Path(f"/proc/{child}/stat").read_text():
            break
        time.sleep(0.01)
    else:
        pytest.fail("what it has started still runs")


def test_a_key_that_is_gone(program):
    """R-RT4 A key that the program doesn't have is missing, which is for a person; none is made in its place."""
    vault = vault_of(program.keys())
    vault.seal(b"a state", "envelope/u1")
    (path,) = program.folder.glob("*-2026-03-01")
    path.unlink()
    program.forget()
    with pytest.raises(VaultError, match="the epoch key 2026-03-01 is missing"):
        vault.seal(b"x", "envelope/u2")
    assert not path.exists()


def test_how_long_it_is_remembered(program):
    """What the program said is remembered for a while, a failure too, and forgotten at each change."""
    keys = program.keys()
    keys.make("one")
    keys.make("two")
    program.asked()
    for _ in range(3):
        keys.read("one"), keys.names()
    assert ["get one", "list"] == program.asked()
    program.forget()
    keys.read("one")
    keys.destroy("two")
    keys.read("one")
    assert ["get one", "destroy two", "get one"] == program.asked()
    program.trouble("exit 1")
    for _ in range(3):
        with pytest.raises(StoreError):
            keys.read("one")
    assert ["get one"] == program.asked()


def test_what_was_said_before_a_change(program, monkeypatch):
    """What was asked before a key was made, and answered after it, isn't remembered: it would seem to be gone."""
    keys = program.keys()
    keys.make("old")

    def slowly(command, *, seconds):
        said = ask(command, seconds=seconds)
        if command[-1] == "list":
            monkeypatch.setattr(keycommand.inquiry, "ask", ask)
            keys.make("new")
        return said

    monkeypatch.setattr(keycommand.inquiry, "ask", slowly)
    assert (["old"], ["new", "old"]) == (keys.names(), sorted(keys.names()))


def test_two_installations(program):
    """Two installations with one program have keys of their own, and neither destroys what is the other's."""
    one, other = program.keys("production"), program.keys("staging")
    for keys in (one, other):
        keys.make("2026-03-01")
    assert one.read("2026-03-01") != other.read("2026-03-01")
    other.destroy("2026-03-01")
    assert (["2026-03-01"], []) == (one.names(), other.names())


def test_whose_keys(program, tmp_path):
    """R-RT4 Without its name an installation has no keys, makes none when it reads, and a wrong name is refused."""
    keys = program.keys()
    keys.make("2026-03-01")
    name = tmp_path / "data" / "keys.name"
    assert 0o400 == name.stat().st_mode & 0o777
    whole = name.read_bytes()
    name.unlink()
    program.forget()
    assert [] == keys.names()
    with pytest.raises(VaultError):
        keys.read("2026-03-01")
    assert not name.exists()
    name.write_bytes(whole[:-1])
    with pytest.raises(VaultError, match="holds no name"):
        keys.names()


def test_the_end_of_a_key(program, tmp_path):
    """R-ER3 R-ER4 While the program can't destroy the day's key, nothing counts as destroyed; then it goes on."""
    time = [NOON]
    keys = program.keys()
    vault = Vault(keys, now=lambda: time[0])
    with Store.open(tmp_path / "data") as store:
        custody.check(store, vault)
        post(store, "m1", unit("u1", envelope=vault.seal(b"a state", custody.about("u1"))), now=NOON)
        time[0] += timedelta(days=1)
        program.trouble("[ $1 = destroy ] && exit 1")
        with pytest.raises(StoreError, match="destroy failed"):
            custody.rotate(store, vault)
        assert ["2026-03-01", "2026-03-02"] == vault.epochs()
        program.trouble("")
        assert (1, ["2026-03-02"]) == (custody.rotate(store, vault), store.pending_epochs())
        assert [] == list(program.folder.glob("*2026-03-01"))
        work = claim(store, now=time[0])
        assert b"a state" == custody.open_sealed(store, vault, "u1", work.sealed)
        store.succeed(work, run("r1"), now=time[0])


def test_what_the_project_file_names(program, tmp_path):
    """`keys: {command: …}` names it, a path beginning at the project file; without it there is the folder."""
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = []\n')
    words = "name: x\njobs: {sort: {script: sort.py}}\n"
    places = Places(tmp_path / "project.yaml", tmp_path, tmp_path / "data")
    places.project.write_text(words)
    assert places.key_command() is None
    places.project.write_text(words + "keys: {command: [./program]}\n")
    places.vault(now=lambda: NOON).ensure_today()
    assert {"2026-03-01", "fingerprint"} == {path.name[17:] for path in program.folder.glob("[!.]*")}
    assert not (tmp_path / "data" / "keys").exists()


def test_status(program, tmp_path, monkeypatch, capsys):
    """R-RT4 The status tells that the program fails, and otherwise which of its keys are gone."""

    def told():
        main(["status", "--json"])
        return [(each["code"], each["count"]) for each in json.loads(capsys.readouterr().out)["conditions"]]

    monkeypatch.chdir(tmp_path)
    Path("sort.py").write_text('"""Sorts."""\n\noperations = []\n')
    Path("project.yaml").write_text("name: x\njobs: {sort: {script: sort.py}}\nkeys: {command: [./program]}\n")
    with Store.open(tmp_path / "data") as store:
        vault = vault_of(program.keys())
        post(store, "m1", unit("u1", envelope=vault.seal(b"a state", custody.about("u1"))), now=NOON)
    assert not {"keys_away", "vault_key_missing"} & {code for code, _ in told()}
    program.trouble("exit 1")
    assert ("keys_away", 1) in told()
    program.trouble("")
    (epoch,) = program.folder.glob("*-2026-03-01")
    epoch.rename(tmp_path / "elsewhere")
    assert ("vault_key_missing", 1) in told()
    name = tmp_path / "data" / "keys.name"
    name.unlink()
    name.write_text("no name")
    name.chmod(0o400)
    assert "vault_key_missing" in {code for code, _ in told()}


def test_inquiry_keeps_nothing_to_show():
    """R-ER9 What a program has said is in no text that shows it."""
    assert CANARY not in repr(Said(0, CANARY.encode()))
