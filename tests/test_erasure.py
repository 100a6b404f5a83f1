"""Nothing kept: no trace of a child in any file, whatever the moment, and wherever the service died."""

import base64
import hashlib
import random
import shutil
import subprocess
import sys
from urllib.parse import quote

import pytest

from runner import custody
from runner.errors import VaultError
from runner.keyfolder import KeyFolder
from runner.store import Store
from runner.vault import Vault
from tests.canaries import compressed, traces
from tests.kept import DAY, NOON, claim, message, post, run, unit

CANARIES = ("Nyakím «Quillwort» Deng-58213", "+251 91 155 57 731", "2014-02-30/17:53")
STATE = "; ".join(CANARIES).encode()
LARGE = STATE + bytes(range(256)) * 400  # reaches beyond one page of the file


class Death(BaseException):
    """The process is gone at this very instant."""


class Fate:
    """Counts the steps at which a process can die, and lets it die before or after one of them."""

    def __init__(self, at=None, *, after=False):
        self.at, self.after, self.steps = at, after, 0

    def step(self, do):
        self.steps += 1
        if self.steps == self.at and not self.after:
            raise Death
        result = do()
        if self.steps == self.at:
            raise Death
        return result


class MortalStore(Store):
    """A store in whose every write the process may die."""

    def __init__(self, folder, fate):
        self._fate = fate
        super().__init__(folder)

    def change(self, work):
        return self._fate.step(lambda: super(MortalStore, self).change(work))

    def checkpoint(self, *, patience=0.25):
        return self._fate.step(lambda: super(MortalStore, self).checkpoint(patience=patience))


class MortalVault(Vault):
    """A vault in whose every change the process may die."""

    def __init__(self, keys, fate, *, now):
        super().__init__(keys, now=now)
        self._fate = fate

    def ensure_today(self):
        return self._fate.step(super().ensure_today)

    def destroy(self, epoch):
        return self._fate.step(lambda: super(MortalVault, self).destroy(epoch))


def live(folder, fate, answered):
    """One life of a service. `<folder>-left` is what its end leaves, as it was when the process died."""
    store = None
    try:
        store = MortalStore(folder / "data", fate)
        work_through(store, folder / "keys", fate, answered)
    except Death:
        pass
    shutil.copytree(folder, f"{folder}-left")
    if store:
        store.close()  # it would tidy up: only now


def work_through(store, keys, fate, answered):
    """Take a message, do it, erase it, and change the keys the next day; goes on from anywhere."""
    time = NOON
    vault = MortalVault(KeyFolder(keys), fate, now=lambda: time)
    custody.check(store, vault)
    store.release_abandoned(time)
    if not answered:
        name = f"u{fate.at}"
        new = unit(name, envelope=vault.seal(STATE, custody.about(name)))
        answered.append(post(store, f"m-{name}", new, fingerprint=vault.fingerprint(STATE)).id)
    while work := claim(store, time):
        assert STATE == custody.open_sealed(store, vault, work.id, work.sealed)
        store.ledger().write("referral", "r1", {"status": "intended", "value": "", "answer": {}})
        store.ledger().write("referral", "r1", {"status": "done", "value": "", "answer": {"case_id": "c-1"}})
        store.succeed(work, run(f"r{fate.at}", "done", unit_id=work.id), now=time)
    assert store.scrub(now=time)
    time += DAY
    custody.rotate(store, vault)


def steps_of_a_life(folder):
    """How many steps there are in which it can end."""
    fate = Fate()
    live(folder, fate, [])
    return fate.steps


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_death_at_any_step(tmp_path, after):
    """R-ER1, R-ER4, R-WH1: wherever a service dies, what it answered for is done once, and leaves no trace."""
    steps = steps_of_a_life(tmp_path / "whole")
    assert steps > 12
    for at in range(1, steps + 1):
        answered = []
        first = tmp_path / f"{at}"
        live(first, Fate(at, after=after), answered)
        left = tmp_path / f"{at}-left"
        assert [] == traces(left, *CANARIES), f"step {at}"
        live(left, Fate(), answered)
        with Store.open(left / "data") as store:
            done = store.messages(limit=9)
            assert [("succeeded", 1)] == [(line.status, line.matched) for line in done], f"step {at}"
            assert answered == [done[0].id]
            assert ["succeeded"] == [found.outcome for found in store.runs()]
            (receipt,) = store.receipts(done[0].id)
            assert receipt.verified
            assert (0, []) == (store.unscrubbed(), store.pending_epochs())
        assert ["2026-03-02.key", "fingerprint.key"] == sorted(path.name for path in (left / "keys").iterdir())
        assert [] == traces(tmp_path, *CANARIES), f"step {at}"
        for path in tmp_path.iterdir():
            shutil.rmtree(path)


def place(folder, moment=NOON):
    """A store and its vault."""
    return Store.open(folder / "data"), Vault(KeyFolder(folder / "keys"), now=lambda: moment)


def pieces(content):
    """Samples of some bytes, from all of its pages."""
    return [content[start : start + 16] for start in range(0, len(content) - 16, 2000)]


def found(folder, wanted):
    """Which of these bytes are in any file of a folder."""
    everything = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return [one for one in wanted if one in everything]


@pytest.mark.parametrize("ending", ["succeeded", "expired", "discarded"])
@pytest.mark.parametrize("state", [STATE, LARGE], ids=["small", "large"])
def test_not_even_what_was_sealed(tmp_path, state, ending):
    """H47: after the end of a message not even its encrypted bytes, nor its key's, are in any file."""
    store, vault = place(tmp_path)
    with store:
        sealed = vault.seal(state, custody.about("u1"))
        post(store, "m1", unit("u1", envelope=sealed))
        for number in range(20):  # neighbours, so that pages are shared
            post(store, f"n{number}", unit(f"n{number}", envelope=vault.seal(state, custody.about(f"n{number}"))))
        wanted = [*pieces(sealed.ciphertext), sealed.key.wrapped]
        assert wanted == found(tmp_path, wanted)
        assert [] == traces(tmp_path, *CANARIES)
        work = claim(store)
        if ending == "succeeded":
            store.succeed(work, run("r1"), now=NOON)
        elif ending == "expired":
            store.park(work, run("r1"), expires=NOON + DAY, now=NOON)
            store.expire(NOON + DAY)
        else:
            store.put_back(work, now=NOON)
            store.discard("u1", reason="test", now=NOON)
        assert (1, True, 0) == (store.unscrubbed(), store.scrub(now=NOON), store.unscrubbed())
        assert [] == found(tmp_path, wanted)
        assert state == custody.open_sealed(store, vault, "n1", store.envelope("n1"))
    assert [] == found(tmp_path, wanted) + traces(tmp_path, *CANARIES)


def test_pending_in_any_state(tmp_path):
    """R-ER2: new, tried again, parked, dead, quarantined or handed over: it is never readable."""
    store, vault = place(tmp_path)

    def sealed(name):
        return vault.seal(STATE, custody.about(name))

    def searched():
        assert [] == traces(tmp_path, *CANARIES)

    with store:
        error = {"code": "unreachable", "operation": "send", "item": {}, "fix": None}
        fingerprint = vault.fingerprint(STATE)
        post(store, "m1", unit("u1", subject=vault.keyed(CANARIES[0]), envelope=sealed("u1")), fingerprint=fingerprint)
        searched()
        store.try_again(claim(store), run("r1", "failed"), due=NOON, error=error, now=NOON)
        searched()
        store.park(claim(store), run("r2", "parked"), expires=NOON + DAY, now=NOON)
        searched()
        store.retry("u1", now=NOON)
        then = unit("u2", envelope=sealed("u2"), started_by="failure")
        store.give_up(claim(store), run("r3"), error=error, expires=NOON + DAY, next_units=[then], now=NOON)
        searched()
        store.accept(message("m2", envelope=sealed("m2")), [], now=NOON)
        searched()
    searched()


def test_while_somebody_reads(tmp_path):
    """R-ER4: while another reads, what was erased may still be in the file; that is noticed, and made good."""
    store, vault = place(tmp_path)
    with store:
        sealed = vault.seal(LARGE, custody.about("u1"))
        post(store, "m1", unit("u1", envelope=sealed))
        with store.reading() as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM envelopes").fetchall()
            store.succeed(claim(store), run("r1"), now=NOON)
            assert not store.scrub(now=NOON)
            assert (1, [None]) == (store.unscrubbed(), [receipt.verified for receipt in store.receipts("u1")])
            assert found(tmp_path, pieces(sealed.ciphertext))
            reader.execute("ROLLBACK")
        assert (True, 0) == (store.scrub(now=NOON + DAY), store.unscrubbed())
        assert [NOON + DAY] == [receipt.verified for receipt in store.receipts("u1")]
        assert [] == found(tmp_path, pieces(sealed.ciphertext))


def test_earlier_copy_of_the_directory(tmp_path):
    """R-ER3: once the day's key is destroyed, a copy from the time when a message waited opens with nothing that is
    left; with a copy of that day's key it would, so that both must not be backed up together."""
    store, vault = place(tmp_path / "now")
    with store:
        for name in ("done", "waiting"):
            post(store, f"m-{name}", unit(name, envelope=vault.seal(STATE, custody.about(name))))
        shutil.copytree(tmp_path / "now", tmp_path / "copy")
        store.succeed(claim(store), run("r1"), now=NOON)
        tomorrow = Vault(KeyFolder(tmp_path / "now" / "keys"), now=lambda: NOON + DAY)
        custody.rotate(store, tomorrow)
        assert STATE == custody.open_sealed(store, tomorrow, "waiting", store.envelope("waiting"))
    with Store.open(tmp_path / "copy" / "data") as copy:
        for name in ("done", "waiting"):
            sealed = copy.envelope(name)
            for path in (tmp_path / "now" / "keys").iterdir():
                trial = tmp_path / "trial"
                trial.mkdir()
                shutil.copy(path, trial / "2026-03-01.key")
                with pytest.raises(VaultError):
                    Vault(KeyFolder(trial), now=lambda: NOON).open(sealed, custody.about(name))
                shutil.rmtree(trial)
            untouched = Vault(KeyFolder(tmp_path / "copy" / "keys"), now=lambda: NOON)
            assert STATE == untouched.open(sealed, custody.about(name))


def test_nobody_can_guess_from_the_tables(tmp_path):
    """R-RP3: who knows the whole message, but not the local key, finds nothing in the tables that confirms it."""
    store, vault = place(tmp_path)
    with store:
        keyed = vault.keyed("P-4711")
        post(store, "m1", unit("u1", subject=keyed), fingerprint=vault.fingerprint(STATE))
        dump = (tmp_path / "data" / "runner.sqlite-wal").read_bytes().lower()
        assert keyed.encode() in dump
        for known in (STATE, b"P-4711"):
            for guess in (hashlib.sha256(known), hashlib.sha1(known), hashlib.md5(known), hashlib.sha512(known)):
                assert guess.hexdigest().encode() not in dump
                assert guess.digest() not in dump


@pytest.mark.parametrize(
    "leave",
    [
        str.encode,
        lambda text: text.upper().encode("utf-16"),
        lambda text: text.lower().encode("utf-16-be"),
        lambda text: base64.b64encode(b"x" + text.encode()),
        lambda text: base64.urlsafe_b64encode(b"xy" + text.encode() + b"z"),
        lambda text: base64.b64encode(text.encode()),
        lambda text: text.encode().hex().upper().encode(),
        lambda text: quote(text).encode(),
        lambda text: ascii(text).replace("\\x", "\\u00").encode(),
        compressed,
        lambda text: b"before" + compressed(f"in a {text} sentence") + b"after",
    ],
)
def test_search_finds_what_was_left(tmp_path, leave):
    """R-ER1: the search that these tests rely on finds a trace in each of the forms, also deep in a folder."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"\0\1before" + leave(CANARIES[0]) + b"after\2")
    assert traces(tmp_path, CANARIES[0])
    assert [] == traces(tmp_path, "somebody else's name")


SERVICE = """
import sys; from datetime import UTC, datetime; from pathlib import Path
from runner import custody; from runner.keyfolder import KeyFolder; from runner.vault import Vault
from runner.store import NewMessage, NewUnit, RunRecord, Store
folder, life, state = Path(sys.argv[1]), sys.argv[2], sys.stdin.buffer.readline()
now = lambda: datetime(2026, 3, 1, 12, tzinfo=UTC)
with Store.open(folder / "data") as store:
    vault = Vault(KeyFolder(folder / "keys"), now=now)
    custody.check(store, vault)
    store.release_abandoned(now())
    number = 0
    while True:
        name = f"{life}-{number}"; number += 1
        unit = NewUnit(name, "sort", None, vault.seal(state, custody.about(name)))
        accepted = store.accept(NewMessage(f"m-{name}", "unhcr", vault.keyed(name), 1), [unit], now=now())
        print(accepted.id, flush=True)
        if number % 2 or life == "last":
            while work := store.claim(now(), jobs=["sort"]):
                assert state == custody.open_sealed(store, vault, work.id, work.sealed)
                run = RunRecord(f"{life}-{work.id}", "sort", work.id, now(), now(), "succeeded")
                store.succeed(work, run, now=now())
            store.scrub(now=now())
        if life == "last":
            break
"""


def test_killed_for_real(tmp_path):
    """R-WH1, H16: every message that was answered for is done once, however often the process is killed."""
    chance = random.Random(20260301)
    folders = {"TMPDIR": str(tmp_path / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "tmp").mkdir()
    answered = []
    for life in ["1", "2", "3", "4", "5", "last"]:
        service = subprocess.Popen(
            [sys.executable, "-c", SERVICE, str(tmp_path), life],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=folders, cwd=".",
        )  # fmt: skip
        with service:
            service.stdin.write(STATE + b"\n")
            service.stdin.flush()
            for _ in range(chance.randrange(5, 60) if life != "last" else 1):
                answered.append(service.stdout.readline().decode().strip())
            if life != "last":
                service.kill()
                answered += service.stdout.read().decode().split("\n")[:-1]
            else:
                assert 0 == service.wait(60)
        assert [] == traces(tmp_path, *CANARIES)
    with Store.open(tmp_path / "data") as store:
        done = {line.id for line in store.messages(status="succeeded", limit=10_000)}
        runs = [record.unit for record in store.runs(10_000)]
        assert set(answered) <= done
        assert len(runs) == len(set(runs)) == len(store.messages(limit=10_000)) == len(done)
        assert (0, []) == (store.unscrubbed(), store.pending_epochs())
