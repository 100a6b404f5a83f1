"""The world of one seed: a service on a folder, the sandbox, two clocks, and people; it lives through a scenario."""

import json
import shutil
import tempfile
from datetime import timedelta
from functools import lru_cache
from itertools import count
from pathlib import Path
from random import Random

from adaptors.sandbox import Sandbox
from runner import jobscript, project
from runner.errors import StoreError, VaultError
from runner.keyfolder import KeyFolder
from tests.canaries import traces
from tests.simulation.faults import Death, Fate, FaultyTransport, MortalStore, MortalVault
from tests.simulation.inward import WAITS_FOR_A_PERSON
from tests.simulation.judge import Evidence
from tests.simulation.people import People
from tests.simulation.scenario import MISTAKEN, TOKEN
from tests.simulation.witness import Witness
from tests.virtual import NOON, ROOT, Service, VirtualRuntime

ANSWERS = "progres_answers"
# What people, or another thread of the service, may do while it asks somebody something.
MEANWHILE = ("decide", "touch", "edit_notes", "revoke", "withdraw_consent", "give_consent", "work", "work", "work")
SCHEDULED = ("primero_decisions_to_progres", "primero_to_progres")
LONG_AGO = "2026-01-01T00:00:00Z"
MOST_STEPS = 200_000
PATIENCE = timedelta(hours=12)  # within which all is done, once nothing goes wrong any more
STOPPED = timedelta(hours=1)  # until somebody looks why the service has ended, and starts it again

_BEFORE = "        require(*REQUIRED),\n"
_STUMBLE = f'''
def stumble(state):
    """A mistake in the script, which shows for one agency only."""
    return state if state["data"]["user.progres_partner"]["Name"] != "{MISTAKEN}" else state["there is no such thing"]


operations = ['''

_project = lru_cache(project.load)


@lru_cache
def _script(path, name):
    """A job script; the one that takes referrals in has a mistake, at which it stumbles for one agency."""
    if name != "progres_to_primero":
        return jobscript.load(path, name)
    text = path.read_text("utf-8")
    assert _BEFORE in text
    with tempfile.TemporaryDirectory() as folder:
        wrong = Path(folder) / path.name
        text = text.replace(_BEFORE, f"{_BEFORE}        stumble,\n").replace("\noperations = [", _STUMBLE)
        wrong.write_text(text, "utf-8")
        return jobscript.load(wrong, name)


class OurClock:
    """The clock that the service sees: the world's time, and by how much it is wrong."""

    def __init__(self, world):
        self._world = world
        self.offset = timedelta()

    def __call__(self):
        return self._world.time + self.offset

    @property
    def time(self):
        return self()

    def pass_by(self, **lasting):
        """Let time pass."""
        self._world.time += timedelta(**lasting)


class MortalService(Service):
    """The service with faults at its seams."""

    def __init__(self, folder, world):
        self._world = world
        super().__init__(
            folder,
            sandbox=world.sandbox,
            clock=world.clock,
            seed=world.chance.random(),
            found=_project(ROOT / "project.yaml"),
        )
        if world.scenario.parks:
            self.credentials["progres"] |= {"on_unknown": "park"}

    def opened(self):
        """Store and vault, which may fail."""
        fate, clock = self._world.fate, self._world.clock
        keys = KeyFolder(self.folder / "keys")
        return (
            MortalStore(self.folder, fate, self._world.witness, now=clock, at=self._world.at),
            MortalVault(keys, fate, self._world.sealed, now=clock),
        )

    def _load(self, job):
        return _script(job.script, job.name)

    def _runtime(self):
        runtime = VirtualRuntime(self.clock, self.sandbox, self._random)
        runtime.transport = self._world.transport
        return runtime


class World:
    """One seed's world in a folder of its own. `live` gives the evidence; `story` are its lines so far.

    `at` is the address of an empty PostgreSQL database, where the store is kept there.
    """

    def __init__(self, scenario, folder, at=None):
        self.scenario, self._folder, self.at = scenario, folder, at
        self.time = NOON
        self.story = []
        self._lives = count(1)
        self.clock = OurClock(self)
        self.chance = Random(f"service {scenario.seed}")
        self._chance = Random(f"world {scenario.seed}")
        self._their_offset = timedelta(minutes=scenario.skew)
        self.fate = Fate(scenario.risks, Random(f"fate {scenario.seed}"), self.tell, self._on_death)
        self.witness = Witness(self.tell, self._meanwhile)
        self.sandbox = Sandbox(seed=scenario.seed, clock=lambda: self.time + self._their_offset)
        self.witness.sandbox, self.witness.now, self.witness.waiting = self.sandbox, self.clock, self._waiting
        self.witness.time = lambda: self.time
        self.transport = FaultyTransport(self.sandbox.transport, self.fate, self.witness)
        self.people = People(scenario, self.sandbox, self.witness, self.tell)
        self._unsent = []
        self._returns = []
        self._place = folder / "life-0"
        self._service = None
        self._traces = []
        self._hours_away = 0.0
        self._deaths = 0
        self._ends = False
        self._offsets = {self.clock.offset}
        self.sealed = []

    def tell(self, line):
        """Add a line to the story."""
        self.story.append(f"{(self.time - NOON) / timedelta(hours=1):9.4f} h  {line}")

    def live(self):
        """Let everything happen, and then settle."""
        self._begin()
        for deed in self.scenario.deeds:
            self._pass_until(NOON + timedelta(minutes=deed.minute))
            self._do(deed)
        self._pass_until(max(self.time, NOON + timedelta(hours=1), *(when for when, _ in self._returns)))
        self._calm_down()
        self._settle()
        if self.scenario.last_retry:
            self._retry({})
            self._settle()
        return self._evidence()

    def close(self):
        """End the service."""
        if self._service:
            self._service.store.close()

    def _begin(self):
        raging, self.fate.raging = self.fate.raging, False
        self.people.begin()
        self._start()
        for job in SCHEDULED:
            self._service.store.move_cursor(job, LONG_AGO)
        self.fate.raging = raging

    def _do(self, deed):
        self.tell(f"{deed.kind} {', '.join(map(str, deed.details.get('sorts', ())))}")
        try:
            getattr(self, f"_{deed.kind}")(deed.details)
            self._deliver_posts()
        except Death:
            self._rise()
        except VaultError:
            self._stop()
        except StoreError:
            pass

    # Deeds of UNHCR.

    def _post(self, details):
        self._unsent.append(self.people.message(details["interventions"]))

    def _repeat(self, details):
        if message := self.people.again(details["pick"]):
            self._unsent.append(message)

    def _unmatched(self, details):
        self._unsent.append({"request_type": "SomethingElse", "note": f"{TOKEN} {details['pick']}"})

    def _answer_referral(self, details):
        if message := self.people.decision(details["pick"], details["other"]):
            self._unsent.append(message)

    # Deeds of caseworkers.

    def _refer(self, details):
        self.people.refer(details["sorts"], details["child"], details["index"])

    def _refer_again(self, details):
        self.people.refer_again(details["pick"])

    def _revoke(self, details):
        self.people.revoke(details["pick"])

    def _withdraw_consent(self, details):
        self.people.set_consent(details["pick"], False)

    def _give_consent(self, details):
        self.people.set_consent(details["pick"], True)

    def _decide(self, details):
        self.people.decide(details["pick"], details["other"])

    def _touch(self, details):
        self.people.touch(details["pick"])

    def _work(self, details):
        """Another thread of the service does something. What makes it end, ends the service when this one is done."""
        try:
            self._service.worker.step()
        except StoreError:
            pass
        except VaultError:
            self._ends = True

    def _edit_notes(self, details):
        self.people.edit_notes(details["pick"])

    # Deeds of administrators, and mishaps.

    def _retry(self, details):
        """Try again whatever is parked or dead."""
        if not self._service:
            return
        store, now = self._service.store, self.clock()
        codes = {unit.code for status in ("parked", "dead") for unit in store.units(status=status)}
        codes |= {record.code for record in store.parked()}
        for code in sorted(code for code in codes if code):
            self.witness.retried(*self._concerned(code))
            store.retry(code=code, now=now)

    def _concerned(self, code):
        """Which answers, and which decisions and referrals, a retry of this code lets go once more."""
        store = self._service.store
        units = [unit for unit in store.units(limit=10_000) if unit.code == code and unit.status in ("parked", "dead")]
        records = [record for record in store.parked() if record.code == code]
        messages = {message_id: message for message_id, message, _ in self.witness.taken}
        told = [one for unit in units for one in messages[unit.message_id]["interventions"]]
        answers = [one.get("progres_interventionnumber") for one in told]
        answers += [record.record_id for record in records if record.job == ANSWERS]
        cases = {record.record_id for record in records if record.job != ANSWERS}
        return answers, self.people.keys_of(cases)

    def _kill(self, details):
        self._on_death()
        self._rise()

    def _off(self, details):
        self._on_death()
        self._rise(away=timedelta(hours=details["hours"]))

    def _primero_away(self, details):
        self._leave(details, "primero")

    def _dtp_away(self, details):
        self._leave(details, "dtp")

    def _both_away(self, details):
        self._leave(details, "primero", "dtp")

    def _leave(self, details, *systems):
        self.tell(f"  … {' and '.join(systems)} for {details['hours']} h")
        self.fate.away |= set(systems)
        self._hours_away += details["hours"] if "primero" in systems else 0
        self._returns.append((self.time + timedelta(hours=details["hours"]), systems))

    def _our_clock(self, details):
        self.clock.offset += timedelta(hours=details["hours"])
        self._offsets.add(self.clock.offset)

    def _their_clock(self, details):
        self._their_offset += timedelta(hours=details["hours"])

    # Time.

    def _pass_until(self, until):
        """Let time pass; outages end when it is time."""
        self._returns.sort(key=lambda one: one[0])
        while self._returns and self._returns[0][0] <= until:
            when, systems = self._returns.pop(0)
            self._work_until(when)
            self.tell(f"{' and '.join(systems)} back")
            self.fate.away -= set(systems)
        self._work_until(until)

    def _work_until(self, until):
        """Do what becomes due; whoever dies is started again at once, whoever is refused waits a little.

        What people do while the service is off is done before it starts again.
        """
        for _ in range(MOST_STEPS if until > self.time else 0):
            try:
                if self._service is None:
                    self._start()
                due = self._next_due()
            except Death:
                self._rise()
                continue
            except VaultError:
                self._stop()
                continue
            except StoreError:
                due = self.time + timedelta(seconds=5)
            if due is None or due > until:
                self.time = max(self.time, until)
                return
            # What is due already, but can't be done yet, is tried again a little later.
            self.time = due if due > self.time else self.time + timedelta(seconds=1)
        if until > self.time:
            raise AssertionError("the service never comes to rest")

    def _next_due(self):
        """Do what is due; the moment when something is again. Raises VaultError when another thread met one."""
        self._deliver_posts()
        while not self._ends and self._service.worker.step():
            pass
        if self._ends:
            raise VaultError("another thread has ended the service")
        due = self._service.worker.next_due()
        return due and due - self.clock.offset

    def _deliver_posts(self):
        """Post what waits; DTP posts again until it is answered 202."""
        while self._unsent and self._service:
            message = self._unsent[0]
            self.fate.step("an answer 202", lambda: self._take(message))  # noqa: B023
            self._unsent.pop(0)

    def _take(self, message):
        accepted = self._service.take(json.dumps(message).encode())
        self.witness.taken.append((accepted.id, message, self.clock()))
        self.tell(
            f"inbox: 202 {accepted.id[:8]} matched {accepted.matched}{' duplicate' if accepted.duplicate else ''}"
        )

    def _meanwhile(self):
        """Now and then people do something while the service is at it."""
        if self.fate.strikes(self.scenario.risks.interleave):
            kind = self._chance.choice(MEANWHILE)
            self.tell(f"meanwhile: {kind}")
            getattr(self, f"_{kind}")({"pick": self._chance.random(), "other": self._chance.random()})

    # Lives.

    def _start(self):
        self._service = MortalService(self._place, self)

    def _on_death(self):
        """What a death leaves: the files as they are, before anything is tidied up."""
        self.witness.died()
        old, self._place = self._place, self._folder / f"life-{next(self._lives)}"
        if old.exists():
            shutil.copytree(old, self._place)
        self._left = old

    def _rise(self, away=timedelta()):
        """Begin a new life on the files that the old one left."""
        if self._service:
            self.fate.dead = True
            self._service.store.close()
            self._service = None
        self.fate.dead = self._ends = False
        self._deaths += 1
        self._traces += traces(self._place, TOKEN)
        shutil.rmtree(self._left, ignore_errors=True)
        self.tell("killed; it starts again" + (f" after {away}" if away else ""))
        self.time += away

    def _stop(self):
        """The service has ended by itself, since a key can't be read; a person starts it again."""
        if self._service:
            self._service.store.close()
            self._service = None
        self._ends = False
        self.witness.died()
        self._deaths += 1
        self.tell("stopped; somebody starts it again")
        self.time += STOPPED

    # The end.

    def _calm_down(self):
        """All faults end."""
        self.tell("calm")
        self._calm_since = self.time
        self.fate.raging = False
        self.fate.away.clear()
        self._returns.clear()

    def _settle(self):
        """Let time pass until nothing waits but the clock."""
        end = self.time + PATIENCE
        quiet = 0
        while quiet < 2 and self.time < end:
            self._work_until(self.time + timedelta(hours=1, minutes=30))
            quiet = quiet + 1 if self._is_quiet() else 0

    def _is_quiet(self):
        store = self._service.store
        units = store.counts().units
        waiting = units.get("pending", 0) + units.get("running", 0) + self._undelivered()
        tries = sum(len(store.item_tries(job)) + len(store.revisit(job)) for job in SCHEDULED)
        return not self._idle() and not (waiting or tries or store.unscrubbed() or store.interrupted() or self._unsent)

    def _idle(self):
        """The jobs that haven't run since nothing goes wrong any more."""
        return [job for job in SCHEDULED if self.witness.last_runs.get(job, NOON) <= self._calm_since]

    def _undelivered(self):
        """How many answers wait for anything but a person."""
        store = self._service.store
        with_people = {one.record_id for one in store.parked(ANSWERS) if one.code == "outcome_unknown"}
        return sum(entry["key"] not in with_people for entry in store.outbox("progres"))

    def _evidence(self):
        store = self._service.store
        units = store.units(limit=10_000)
        gone = [unit.id for unit in units if unit.status in ("succeeded", "refused") and store.envelope(unit.id)]
        return Evidence(
            taken=self.witness.taken,
            cases=[case.data | {"id": case.id} for case in self.sandbox.primero.cases.values()],
            referrals=[
                one.data | {"id": one.id, "case": one.case_id} for one in self.sandbox.primero.referrals.values()
            ],
            events=self.witness.events,
            units=[
                {"message": unit.message_id, "job": unit.job, "status": unit.status, "code": unit.code}
                for unit in units
            ],
            items=list(self._items_with_people(units)),
            parked=list(self._parts_with_people()),
            theirs=self.people.theirs,
            touched=self.people.touched,
            edited=self.people.edited,
            users={user["user_name"]: user for user in self.sandbox.config["users"]},
            refused=self.witness.refused,
            ledger={
                (kind, key): (status, value)
                for kind, key, status, value in store.read("SELECT kind, key, status, value FROM ledger")
            },
            cursors={job: store.cursor(job) for job in SCHEDULED},
            ended=self.clock(),
            away=self._hours_away,
            skewed=(max(self._offsets) - min(self._offsets)) / timedelta(hours=1),
            deaths=self._deaths,
            parks=self.scenario.parks,
            left={
                "outbox": self._undelivered(), "idle": self._idle(), "unscrubbed": store.unscrubbed(),
                "interrupted": len(store.interrupted()), "envelopes": len(gone),
                "tries": sum(len(store.item_tries(job)) for job in SCHEDULED),
                "sealed": self._sealed_bytes(), "traces": [*self._traces, *traces(self._place, TOKEN)],
            },
        )  # fmt: skip

    def _items_with_people(self, units):
        """What became of the parts of each unit that waits for a person, in its last run."""
        waiting = {unit.id: unit for unit in units if unit.status in WAITS_FOR_A_PERSON}
        store = self._service.store
        for told in store.runs(10_000):
            if unit := waiting.pop(told.unit, None):
                for item in store.run(told.id).items:
                    yield {"message": unit.message_id, "status": unit.status, "code": item.code, "ids": item.ids}

    def _parts_with_people(self):
        """What became last of the parts of each record that is parked."""
        store = self._service.store
        waiting = {(record.job, record.record_id): record.code for record in store.parked()}
        known = set()
        for told in store.runs(10_000):
            for item in store.run(told.id).items:
                record, part = item.ids.get("id"), tuple(sorted(item.ids.items()))
                if (told.job, record) in waiting and (told.job, part) not in known:
                    known.add((told.job, part))
                    if item.outcome == "parked" or item.code == waiting[told.job, record]:
                        yield {"job": told.job, "record": record, "code": item.code, "ids": item.ids}

    def _sealed_bytes(self):
        """How many sealed payloads are still in some file, though nothing refers to them any more."""
        kept = {bytes(row[0]) for row in self._service.store.read("SELECT ciphertext FROM envelopes")}
        files = [path.read_bytes() for path in self._place.rglob("*") if path.is_file()]
        return sum(any(one in content for content in files) for one in self.sealed if one not in kept)

    def _waiting(self):
        """For which interventions an answer waits just now, other than one that has only to be removed."""
        delivered = "SELECT 1 FROM ledger WHERE kind = outbox.kind AND key = outbox.key AND status = 'done'"
        with super(MortalStore, self._service.store).reading() as db:
            return {key for (key,) in db.execute(f"SELECT key FROM outbox WHERE NOT EXISTS ({delivered})")}
