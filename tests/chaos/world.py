"""The place of one seed: its service, its stand-ins, and how each step of its plan is taken."""

import json
import os
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import psycopg
import yaml

from adaptors.sandbox.authority import Authority
from runner import keys
from runner.store import Store
from tests.canaries import traces
from tests.chaos.judge import Ended, violations
from tests.chaos.people import People
from tests.chaos.plan import CANARIES, HURTS, SCHEDULED, TIME_OUT
from tests.chaos.processes import (
    LONGEST_COMMAND,
    ROOT,
    RUNNER,
    Died,
    Service,
    begun,
    ended,
    far_side_tls,
    free_port,
    sandbox,
)
from tests.chaos.sender import Sender

LONG_AGO = "2026-01-01T00:00:00Z"
LONGEST_REST = 90  # seconds until all is settled, when nothing goes wrong any more
ALL = 100_000  # more than there are of anything
REFUSED = {"answer_refused", "rejected", "waiting_behind"}
MOST_ROUNDS = 6  # of letting go: DTP refuses six posts at most
SHORT_PAUSES = {"minutes": [0.005, 0.01, 0.02], "every": 0.02, "jitter": 0.5, "rest": 0.02, "tries": 1000}
KEY_PROGRAM = ROOT / "docs" / "deploy" / "keys.py"
PLACES = ("data", "logs", "tmp")
NONSENSE = {"no JSON": b"{", "NaN": b'{"a": NaN}', "twice the same key": b'{"a": 1, "a": 2}', "wrong key": b"{}"}
# What a command may end with; 2 is for one that comes while another is at the same job.
LACKS_DATABASE = (2,)
FINE = {"run": (0, 1, 2, 4), "status": (0, 4), "parked": (0, 4), "inbox": (0,), "runs": (0,), "retry": (0,)}


class World:
    """One seed in a folder. `play` takes the steps, lets all settle and gives the violations.

    `database` is where the store is, if not in the folder.
    """

    def __init__(self, plan, folder, story, database=None):
        self.plan, self.folder, self.story, self._database = plan, folder, story, database
        self._port = free_port(Random(f"port {plan.seed} {os.getpid()}"))
        self._service = Service(folder, command=self._command(), kept_up=True)
        self._wrong, self._taken, self._commands = [], [], []

    def play(self):
        """The violations; empty when all is well."""
        with sandbox(self.folder, cases=self.plan.cases, seed=self.plan.seed) as self._addresses:
            key = self._prepared()
            url, authority = f"https://127.0.0.1:{self._port}", self.folder / "authority.pem"
            with (
                Sender(url, key, authority=authority) as self._sender,
                httpx.Client(verify=far_side_tls(self.folder), timeout=30, trust_env=False) as self._far_sides,
            ):
                self._people = People(self.plan, self._far_sides, self._addresses, self._post, self.story.tell)
                try:
                    self._live()
                except Died as error:
                    self._wrong.append(str(error))
                finally:
                    self._service.away()
                    for process, *_ in self._commands:
                        process.kill()
                        process.wait()
        return self._wrong

    def _live(self):
        self._service.start()
        self._take_steps()
        self._settle()
        self._wrong += violations(self.plan, self._ended())
        self.story.tell("all is judged")
        self._stop_it()
        self.story.tell("it has stopped")
        self._search()
        if self._database:  # all its files, which takes too long to be done in the midst
            self._database.rest()
            found = self._database.traces(*CANARIES)
            self._wrong += [f"a trace in the database's {file} ({form})" for file, form in found]
        self.story.tell("every file was searched")
        self._wrong += [f"a traceback in {log.name}" for log in (self.folder / "logs").iterdir()
                        if "Traceback" in log.read_text("utf-8", "replace")]  # fmt: skip

    def _command(self):
        if self.plan.speed == 1:
            return RUNNER
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
        begin = midnight - timedelta(hours=self.plan.before_midnight)
        return (RUNNER[0], "-m", "tests.chaos.fast", begin.isoformat(), str(time.time()), str(self.plan.speed))

    def _prepared(self):
        """The project, its certificate, and a data directory with a key; that key."""
        authority = Authority()
        server = authority.server()
        contents = {"authority.pem": authority.certificate_pem, "inbox.pem": server.certificate_pem,
                    "inbox.key": server.key_pem}  # fmt: skip
        for name, content in contents.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_bytes(content)
        (self.folder / "jobs").symlink_to(ROOT / "jobs")
        document = yaml.safe_load((ROOT / "project.yaml").read_text("utf-8"))
        document["inbox"] = {"port": self._port, "certificate": "inbox.pem", "private_key": "file:inbox.key"}
        if self.plan.speed == 1:
            document["retry"] = {**SHORT_PAUSES, "hours": self.plan.hours}
        if self._database:
            document["store"] = self._database.address
        if self.plan.keys_with_program:
            document["keys"] = {"command": self._key_program()}
        (self.folder / "project.yaml").write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        with self._opened() as store:
            for job in SCHEDULED:
                store.move_cursor(job, LONG_AGO)
            return keys.create(store, "unhcr", now=datetime.now(UTC))

    def _opened(self):
        return Store.open(self.folder / "data", at=self._database and self._database.address)

    def _key_program(self):
        """The one of docs/deploy, with its folder and its master key."""
        (self.folder / "held").mkdir()
        (self.folder / "master").write_bytes(Random(self.plan.seed).randbytes(32))
        return [sys.executable, str(KEY_PROGRAM), str(self.folder / "held"), str(self.folder / "master")]

    def _take_steps(self):
        """Each at its moment: what ends the service one after the other, all else beside it."""
        in_turn = {
            "kill": self._kill, "kill twice": self._kill_twice, "stop": self._stop,
            "time out, then kill": self._time_out_then_kill, "second service": self._second_service,
        }  # fmt: skip
        beside = {
            "post": self._post, "nonsense": self._nonsense, "hurt": self._hurt, "disk full": self._fill_disk,
            "DTP refuses": self._refuse, "by hand": self._by_hand,
            "database restarts": self._restart_database, "database cuts off": self._cut_off,
            "search": self._search, "caseworker decides": self._people.caseworker_decides,
            "caseworker edits": self._people.caseworker_edits, "caseworker refers": self._people.caseworker_refers,
            "UNHCR decides": self._people.unhcr_decides,
            "UNHCR decides about nothing": self._people.unhcr_decides_about_nothing,
        }  # fmt: skip
        begin = self.story.seconds()
        # The database's has a thread of its own: those who post may all wait for it.
        with ThreadPoolExecutor(24) as hands, ThreadPoolExecutor(1) as at_database:
            going = []
            try:
                for step in self.plan.steps:
                    time.sleep(max(0, begin + step.at - self.story.seconds()))
                    self.story.tell(step.kind)
                    if step.kind in in_turn:
                        in_turn[step.kind](**step.detail)
                    else:
                        ready = at_database if step.kind.startswith("database") else hands
                        going.append(ready.submit(beside[step.kind], **step.detail))
            except BaseException:
                self._sender.give_up()
                raise
            for each in going:
                while wait([each], timeout=0.1).not_done:
                    self._service.check()
                each.result()  # raises what went wrong in a thread

    # Messages.

    def _post(self, message):
        body = json.dumps(message).encode()
        answer = self._sender.post(body)
        if answer.status_code == 202:
            self._taken.append((body, answer.json()["id"]))
            self.story.tell(f"202 {answer.json()['id'][:8]}")
        else:
            self._wrong.append(f"a good message was answered {answer.status_code} {answer.text}")

    def _nonsense(self, sort):
        answer = self._sender.post(NONSENSE[sort], key="guessed" if sort == "wrong key" else None)
        if answer.status_code != (401 if sort == "wrong key" else 400):
            self._wrong.append(f"{sort} was answered {answer.status_code}")

    # The service's ends.

    def _kill(self, pause, again):
        self._service.kill()
        time.sleep(pause)
        self._service.start()

    def _kill_twice(self, pause, again):
        """Also while it starts."""
        self._kill(pause, again)
        time.sleep(again)
        self._kill(0, again)

    def _stop(self, pause, again):
        self._stop_it()
        time.sleep(pause)
        self._service.start()

    def _stop_it(self):
        code = self._service.stop()
        # A SIGTERM that comes while Python itself starts ends it as it ends any process.
        if code not in (0, -15):
            self._wrong.append(f"the service stopped with {code}: {self._service.last_words()}")

    def _time_out_then_kill(self, pause, again):
        self._switch("primero", [TIME_OUT])
        time.sleep(again)
        self._kill(pause, again)
        self._switch("primero", [])

    def _second_service(self):
        """Started by mistake while the first is at work: refused, and the first goes on."""
        code = self._service.second()
        if code != 2:
            self._wrong.append(f"a second service ended with {code}")
        self._service.check()

    # What hurts, who types, and who looks for traces.

    def _hurt(self, whom, how, seconds):
        self._switch(whom, [HURTS[how]])
        time.sleep(seconds)
        self._switch(whom, [])

    def _switch(self, whom, switches):
        self._far_sides.post(f"{self._addresses[whom]}/sandbox/faults", json=switches).raise_for_status()

    def _refuse(self, way, count):
        wish = {"way": way, "count": count}
        self._far_sides.post(f"{self._addresses['dtp']}/sandbox/refusals", json=wish).raise_for_status()

    def _fill_disk(self, seconds):
        """No file takes another byte of the service that runs just then."""
        pid, none = self._service.pid, resource.RLIM_INFINITY
        with suppress(ProcessLookupError):  # it may be killed meanwhile
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, none))
            time.sleep(seconds)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (none, none))

    def _restart_database(self, pause, mode):
        self._database.restart(pause, mode)
        self.story.tell("the database is there again")

    def _cut_off(self, pick):
        with suppress(psycopg.OperationalError):  # it is away just now
            self.story.tell(f"the database cut off one of {self._database.cut(pick)}")

    def _by_hand(self, words):
        name = f"by-hand-{len(self._commands)}"
        self._commands.append((begun([*RUNNER, *words], self.folder, name), words, name))

    def _search(self):
        for place in PLACES:
            try:
                found = traces(self.folder / place, *CANARIES)
            except FileNotFoundError:  # it went while we looked
                continue
            self._wrong += [f"a trace in {place}/{file} ({form})" for file, form in found]

    # The end.

    def _settle(self):
        """Nothing hurts any more: everything that can be done is done."""
        self.story.tell("all is well again")
        for whom in ("primero", "dtp"):
            self._switch(whom, [])
        self._judge_commands()
        with self._opened() as store:
            for _ in range(2):  # what one scheduled job did, the other may have to read
                self._wait(lambda: is_quiet(store), "it doesn't come to rest")
                self._run_once_more(store)
            self._wait(lambda: is_quiet(store), "it doesn't come to rest after the last runs")
            self._release_what_was_refused(store)
        self.story.tell("all is settled")

    def _release_what_was_refused(self, store):
        """A person lets go what DTP has refused, until nothing is left of it; what waited behind it goes then, too."""
        for _ in range(MOST_ROUNDS):
            if not REFUSED & codes_that_wait(store):
                return
            self.story.tell("a person lets go what DTP refused")
            for code in sorted(REFUSED):
                self._command_well("retry", "--all", "--code", code)
            self._wait(lambda: is_quiet(store), "it doesn't come to rest after what was refused was let go")
            self._run_once_more(store)
        self._wait(lambda: is_quiet(store), "it doesn't come to rest after all was let go")

    def _judge_commands(self):
        for process, words, name in self._commands:
            code = ended(process, LONGEST_COMMAND)
            said = (self.folder / "logs" / f"{name}.txt").read_text("utf-8", "replace")
            fine = (*FINE[words[0]], *LACKS_DATABASE) if self._database else FINE[words[0]]
            if code not in fine or "went wrong" in said:
                self._wrong.append(f"runner {' '.join(words)} ended with {code}: {said[-300:]}")

    def _run_once_more(self, store):
        """A run of each scheduled job that began when all was well, and in which nothing failed."""

        def good_runs(job):
            return sum(run.outcome in ("succeeded", "needs_person") for run in store.runs(ALL, job=job))

        if self.plan.speed > 1:
            # The next one may have begun before; the one after it has not.
            wanted = {job: good_runs(job) + 2 for job in SCHEDULED}
            self._wait(lambda: all(good_runs(job) >= wanted[job] for job in SCHEDULED), "the schedule stands still")
        else:
            for job in SCHEDULED:
                self._wait(lambda: self._run_well(job), f"{job} by hand never ends well")  # noqa: B023

    def _run_well(self, job):
        return self._command_well("run", job, "--move-cursor", name=f"last-{job}")

    def _command_well(self, *words, name="last"):
        """One command to its end; whether it ended with 0 or 4."""
        return ended(begun([*RUNNER, *words], self.folder, name), LONGEST_COMMAND) in (0, 4)

    def _reconciled(self):
        """What comparing both sides finds in the end: the rows of `runner reconcile`."""
        if not self._command_well("reconcile", "--json", name="reconcile"):
            self._wrong.append("comparing both sides ended in an error")
            return []
        return json.loads((self.folder / "logs" / "reconcile.txt").read_text("utf-8"))["findings"]

    def _wait(self, happened, complaint):
        until = time.monotonic() + LONGEST_REST
        while not happened():
            self._service.check()
            if time.monotonic() > until:
                raise Died(f"{complaint} within {LONGEST_REST} s")
            time.sleep(0.1)

    def _ended(self):
        reconciled = self._reconciled()
        with self._opened() as store:
            runs = store.runs(ALL)
            answers = {one.number: store.ledger().read("answer", one.number) for one in self.plan.asked}
            return Ended(
                cases=self._people.cases(),
                posts=self._people.posts_at_dtp(),
                taken=list(self._taken),
                decisions=self._people.decisions,
                edits=self._people.edits,
                messages={line.id: line.status for line in store.messages(limit=ALL)},
                units=store.units(limit=ALL),
                successes=Counter(run.unit for run in runs if run.unit and run.outcome == "succeeded"),
                answers={number: entry and entry["status"] for number, entry in answers.items()},
                parked=store.parked(),
                reconciled=reconciled,
                outbox=store.counts().outbox,
            )


def codes_that_wait(store):
    """The codes of what waits for a person."""
    units = {unit.code for unit in store.units(limit=ALL) if unit.status == "parked"}
    return units | {record.code for record in store.parked()}


def is_quiet(store):
    """Whether nothing waits to be done, delivered or scrubbed."""
    counts = store.counts()
    busy = counts.units.get("pending", 0) + counts.units.get("running", 0) + counts.outbox
    return busy == 0 and store.unscrubbed() == 0
