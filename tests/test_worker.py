"""The worker: what becomes of messages, whatever their jobs do, in virtual time."""

import itertools
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from virtual import NOON, Service, made, settled

from runner.errors import StoreError, UnreadableFile
from runner.guard import Ending
from runner.project import Job


class Away(Exception):
    """A far side that can't be reached."""

    code, fix, retryable = "unreachable", "Wait.", True


class Refused(Exception):
    """A far side that read the request and refused it."""

    code, fix, outcome = "rejected", "Correct it.", "refused"


def fail(error):
    def send(state):
        raise error

    return send


def keep(seen, key="data"):
    def look(state):
        seen.append(state.get(key))
        return state

    return look


def lines(service, status):
    return [line for line in service.store.units(limit=1000) if line.status == status]


def minutes(service, job="sort"):
    """When the runs of a job began, in whole minutes from the start."""
    return [int((run.started - NOON).total_seconds() // 60) for run in reversed(service.store.runs(1000, job=job))]


def test_message_runs_its_job(tmp_path):
    """A message becomes the data of its job's state; when it has succeeded, the payload is gone."""
    seen = []
    with Service(tmp_path, jobs=[made("sort", keep(seen), on="x")]) as service:
        message = service.post({"type": "x", "child": 1})
        service.settle()
        (unit,) = service.store.units(message=message)
        assert ([{"type": "x", "child": 1}], "succeeded") == (seen, unit.status)
        assert service.store.envelope(unit.id) is None


def test_erased_and_scrubbed(tmp_path):
    """R-ER4: the receipt is written with the success, and marked verified when the bytes are gone."""
    with Service(tmp_path, jobs=[made("sort", on="x")]) as service:
        message = service.post({"type": "x"})
        while not service.store.receipts(message):
            service.worker.step()
        assert service.store.receipts(message)[0].verified is None
        service.kill()
        service.settle()
        assert NOON == service.store.receipts(message)[0].verified


def test_try_by_try(tmp_path):
    """R-DL2: a message whose far side is away is tried after 1, 2, 5, 15 and 60 minutes, then hourly for 72 hours."""
    with Service(tmp_path, jobs=[made("sort", fail(Away()), on="x")], retry={"jitter": 0}) as service:
        service.post({"type": "x"})
        service.run(hours=100)
        assert [0, 1, 3, 8, 23, 83, 143] == minutes(service)[:7]
        assert 72 * 60 == minutes(service)[-1]
        assert 1 == len(lines(service, "dead"))


def test_back_in_time(tmp_path):
    """H36: a far side that is back within the agreed time makes the message succeed; nobody notices but the log."""
    tries = itertools.count()

    def send(state):
        if next(tries) < 30:
            raise Away
        return state

    last = []
    jobs = [made("sort", send, on="x"), made("last", keep(last), failure="sort")]
    with Service(tmp_path, jobs=jobs) as service:
        service.post({"type": "x"})
        service.run(hours=100)
        assert (1, [], 31) == (len(lines(service, "succeeded")), last, len(service.outcomes("sort")))


def test_dead_letter(tmp_path):
    """R-DL3: after the last try a message is dead: encrypted, with code, operation, tries and expiry."""
    with Service(tmp_path, jobs=[made("sort", fail(Away()), on="x")]) as service:
        service.post({"type": "x"})
        service.run(hours=73)
        (dead,) = lines(service, "dead")
        assert ("unreachable", "send") == (dead.code, dead.error["operation"])
        assert 70 < dead.tries
        assert 7 == (dead.expires - dead.settled).days
        assert service.store.envelope(dead.id) is not None


def test_time_to_live(tmp_path):
    """R-DL4: a dead message is erased after its time to live, with a receipt; the project file may set it."""
    jobs = [made("sort", fail(Refused()), on="x")]
    with Service(tmp_path, jobs=jobs, retention={"payload_days": 2}) as service:
        message = service.post({"type": "x"})
        service.run(days=1.9)
        assert 1 == len(lines(service, "dead"))
        service.run(days=0.2)
        (expired,) = lines(service, "expired")
        assert service.store.envelope(expired.id) is None
        assert ["expired"] == [receipt.reason for receipt in service.store.receipts(message)]


def test_refusal_is_not_tried_again(tmp_path):
    """R-DL1: what the far side read and refused is not sent again."""
    with Service(tmp_path, jobs=[made("sort", fail(Refused()), on="x")]) as service:
        service.post({"type": "x"})
        service.run(hours=100)
        assert (1, 1) == (len(service.outcomes()), len(lines(service, "dead")))


def test_retry_after(tmp_path):
    """R-DL1: where the far side says when to come back, nobody comes sooner."""
    away = Away()
    away.retry_after = 600
    with Service(tmp_path, jobs=[made("sort", fail(away), on="x")]) as service:
        service.post({"type": "x"})
        service.run(minutes=25)
        assert [0, 10, 20] == minutes(service)


def test_credential_rests(tmp_path):
    """R-DL1: after a 401 or 403 no job uses that credential for 30 minutes, whatever its messages; others go on."""
    refused = Away()
    refused.credential = "north"
    jobs = [
        made("sort", fail(refused), on="x", credentials={"north": "north_narrow"}),
        made("same", on="y", credentials={"any": "north_narrow"}),
        made("other", on="z", credentials={"north": "north_wide"}),
    ]
    with Service(tmp_path, jobs=jobs, retry={"jitter": 0}) as service:
        for kind in "xyz":
            service.post({"type": kind})
        service.run(minutes=62)
        assert [[0, 31], [30], [0]] == [minutes(service, name) for name in ("sort", "same", "other")]


def test_another_credential_rests(tmp_path):
    """R-DL1 H36: for a message, a job whose first credential may be used runs, and is told which ones rest."""
    seen = []
    refused = Away()
    refused.credential = "south"
    credentials = {"north": "north_wide", "south": "south_eu"}
    jobs = [
        made("sort", keep(seen, "resting"), on="x", credentials=credentials),
        made("send", fail(refused), on="y", credentials={"south": "south_eu"}),
        made("read", keep(seen, "resting"), cron="*/10 * * * *", credentials=credentials),
    ]
    with Service(tmp_path, jobs=jobs) as service:
        service.post({"type": "y"})
        service.run(minutes=5)
        service.post({"type": "x"})
        service.run(minutes=5)
        assert [{"south": (NOON + timedelta(minutes=30)).isoformat()}] == seen
        service.run(minutes=20)
        assert ([5], [30]) == (minutes(service, "sort"), minutes(service, "read"))
        assert None is seen[-1]


def test_not_beside_a_run_by_hand_for_the_same_subject(tmp_path):
    """H18: while `runner run` is at a child, its messages wait, untried; others' go on."""
    jobs = [made("sort", on="x", subject="$.child")]
    with Service(tmp_path, jobs=jobs) as service:
        first, other = (service.post({"type": "x", "child": name}) for name in ("A", "B"))
        with service.store.lock(f"subject/{service.vault.keyed('A')}"):
            service.run(seconds=10)
            assert ["pending", "succeeded"] == [service.store.message(name).status for name in (first, other)]
        service.run(seconds=1)
        (unit,) = service.store.units(message=first)
        assert ("succeeded", 1) == (unit.status, unit.tries)


def test_locks_that_can_not_be_made(tmp_path):
    """R-WH2: when the disk refuses a lock, the unit that was claimed for it is not lost."""
    with Service(tmp_path, jobs=[made("sort", on="x", subject="$.child")]) as service:
        message = service.post({"type": "x", "child": "A"})
        lock, service.store.lock = service.store.lock, fail(StoreError("no room"))
        with pytest.raises(StoreError):
            service.settle()
        service.store.lock = lock
        service.run(seconds=2)
        assert "succeeded" == service.store.message(message).status


def test_failure_chain(tmp_path):
    """H36: after the last try the failure job gets the state that the run began with, and the error; once."""
    seen = []

    def spoil(state):
        state["data"]["child"] = "changed"
        raise Away

    last = made("last", keep(seen), keep(seen, "error"), failure="sort")
    with Service(tmp_path, jobs=[made("sort", spoil, on="x"), last]) as service:
        service.post({"type": "x", "child": 1})
        service.run(hours=100)
        data, error = seen
        assert {"type": "x", "child": 1} == data
        assert ("unreachable", "Away", "spoil") == (error["code"], error["type"], error["operation"])
        assert [1, 1] == [len(lines(service, "dead")), len(lines(service, "succeeded"))]


def test_unforeseen_error(tmp_path):
    """H35: a mistake in the job ends in the failure job too, after a few tries, and is seen in the list."""
    seen = []
    jobs = [made("sort", lambda state: {}["x"], on="x"), made("last", keep(seen, "error"), failure="sort")]
    with Service(tmp_path, jobs=jobs, retry={"jitter": 0}) as service:
        service.post({"type": "x"})
        service.run(hours=3)
        assert [0, 1, 3, 8, 23, 83] == minutes(service)
        assert [("unforeseen", "KeyError")] == [(error["code"], error["type"]) for error in seen]
        assert "unforeseen" == lines(service, "dead")[0].code


def test_last_word_has_no_end(tmp_path):
    """H36: a failure job that can't reach anybody either is tried until it can, however long that takes."""

    def tell(state):
        if service.clock() < NOON.replace(month=5):
            raise Away
        return state

    jobs = [made("sort", fail(Refused()), on="x"), made("last", tell, failure="sort")]
    with Service(tmp_path, jobs=jobs, retry={"every": 600}) as service:
        service.post({"type": "x"})
        service.run(days=60)
        assert {"failed"} == set(service.outcomes("last"))
        service.run(days=2)
        assert "succeeded" == service.outcomes("last")[-1]


def test_success_chain(tmp_path):
    """The success job gets the final state of that very run, without configuration, and only then all is erased."""
    seen = []

    def work(state):
        return {**state, "data": {"made": 1}, "kept": [2]}

    def stumble(state):
        seen.append({key: state.get(key) for key in ("data", "kept", "configuration")})
        if len(seen) == 1:
            raise Away
        return state

    jobs = [made("sort", work, on="x"), made("next", stumble, success="sort")]
    with Service(tmp_path, jobs=jobs) as service:
        message = service.post({"type": "x"})
        service.settle()
        assert "pending" == service.store.message(message).status
        service.run(minutes=2)
        assert [{"data": {"made": 1}, "kept": [2], "configuration": {}}] * 2 == seen
        assert "succeeded" == service.store.message(message).status
        assert [] == service.store.pending_epochs()


@pytest.mark.parametrize("outcome", ["parked", "failed"])
def test_no_chain_before_success(tmp_path, outcome):
    """What needs a person, or another try, starts nothing."""
    seen = []
    jobs = [
        made("sort", settled("done", outcome), on="x"),
        made("next", keep(seen), success="sort"),
        made("last", keep(seen), failure="sort"),
    ]
    with Service(tmp_path, jobs=jobs) as service:
        service.post({"type": "x"})
        service.run(hours=1)
        assert [] == seen


def test_parked_message(tmp_path):
    """A message with a parked item waits for a person, encrypted; retry runs it again."""
    with Service(tmp_path, jobs=[made("sort", settled("parked"), on="x")]) as service:
        service.post({"type": "x"})
        service.run(hours=1)
        (parked,) = lines(service, "parked")
        assert (1, 7) == (len(service.outcomes()), (parked.expires - parked.settled).days)
        assert 1 == service.store.retry(parked.id, now=service.clock())
        service.run(hours=1)
        assert 2 == len(service.outcomes())


def test_poison_blocks_nobody(tmp_path):
    """R-DL6: a message that always fails holds up neither others nor those that come after."""

    def sort(state):
        if state["data"].get("poison"):
            raise Away
        return state

    with Service(tmp_path, jobs=[made("sort", sort, on="x")]) as service:
        service.post({"type": "x", "poison": True})
        for number in range(10):
            service.post({"type": "x", "number": number})
            service.run(minutes=1)
        assert 10 == len(lines(service, "succeeded"))


def test_one_at_a_time_per_subject(tmp_path):
    """H18: what is about one child is done in order of arrival; the next waits until the one before is settled."""
    seen = []

    def sort(state):
        seen.append(state["data"]["number"])
        if len(seen) == 1:
            raise Away
        return state

    with Service(tmp_path, jobs=[made("sort", sort, on="x", subject="$.child")]) as service:
        for number, child in enumerate(["A", "A", "B", "A"]):
            service.post({"type": "x", "child": child, "number": number})
        service.settle()
        assert [0, 2] == seen
        service.run(minutes=2)
        assert [0, 2, 0, 1, 3] == seen


def test_in_threads(tmp_path):
    """H18: however many threads work, one at a time is at a subject, in order of arrival, and none is done twice."""
    seen, at, doubled = [], set(), []

    def sort(state):
        child, number = state["data"]["child"], state["data"]["number"]
        doubled.extend({child} & at)
        at.add(child)
        threading.Event().wait(0.002)
        seen.append((child, number))
        at.remove(child)
        return state

    with Service(tmp_path, jobs=[made("sort", sort, on="x", subject="$.child", workers=4)]) as service:
        for number in range(60):
            service.post({"type": "x", "child": number % 7, "number": number})
        threads = [threading.Thread(target=service.settle) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        service.settle()
        assert (60, []) == (len(seen), doubled)
        assert all(numbers == sorted(numbers) for numbers in by_child(seen))


def test_next_one_of_a_subject_comes_at_once(tmp_path, monkeypatch):
    """Who is given a child's next unit just before another thread lets go of the child waits, and puts nothing off."""
    seen, others = [], []

    def sort(state):
        seen.append(state["data"]["number"])
        return state

    with Service(tmp_path, jobs=[made("sort", sort, on="x", subject="$.child", workers=2)]) as service:
        lock = service.store.lock

        @contextmanager
        def let_go_late(name):
            with lock(name):
                yield
                others.append(threading.Thread(target=service.worker.step))
                others[-1].start()
                threading.Event().wait(0.1)  # the longer, the surer the other one comes meanwhile

        monkeypatch.setattr(service.store, "lock", let_go_late)
        for number in range(3):
            service.post({"type": "x", "child": "A", "number": number})
        service.settle()
        for other in others:
            other.join()
        assert [0, 1, 2] == seen


def by_child(seen):
    return [[number for one, number in seen if one == child] for child in range(7)]


def test_time_limit_in_a_thread(tmp_path):
    """A job that takes longer than its `timeout` is stopped, in whatever thread it runs, and tried again."""

    def hang(state):
        for _ in range(1000):
            try:
                threading.Event().wait(0.01)
            except Exception:
                continue
        return state

    with Service(tmp_path, jobs=[made("sort", hang, on="x", timeout=0.05)]) as service:
        service.post({"type": "x"})
        thread = threading.Thread(target=service.settle)
        thread.start()
        thread.join()
        assert ["failed"] == service.outcomes()
        assert "stopped" == service.store.units()[0].code


def test_later_message_waits_for_the_last_word(tmp_path):
    """H51: what follows from a message comes before the next message about the same child."""
    seen = []

    def sort(state):
        seen.append(state["data"]["number"])
        if state["data"]["number"] == 0:
            raise Refused
        return state

    jobs = [made("sort", sort, on="x", subject="$.child"), made("last", keep(seen, "error"), failure="sort")]
    with Service(tmp_path, jobs=jobs) as service:
        for number in range(2):
            service.post({"type": "x", "child": "A", "number": number})
        service.settle()
        assert [0, "rejected", 1] == [each["code"] if isinstance(each, dict) else each for each in seen]


def test_repeated_message(tmp_path):
    """H21: a repeat runs nothing while the first waits or has succeeded; after a dead end it is a new message."""
    seen = []
    jobs = [made("sort", keep(seen), on="x"), made("bad", keep(seen), fail(Refused()), on="y")]
    with Service(tmp_path, jobs=jobs) as service:
        first = service.post({"type": "x"})
        assert first == service.post({"type": "x"})
        service.settle()
        assert first == service.post({"type": "x"})
        service.settle()
        assert 1 == len(seen)
        for _ in range(2):
            service.post({"type": "y"})
            service.settle()
        assert 3 == len(seen)


class Killed(Ending):
    """The process is killed here."""


def test_killed_in_a_run(tmp_path):
    """H16: what a killed service was at is done at the next start, without a hand, and what was done is remembered."""
    runs, sent = [], []

    def send(state):
        runs.append(1)
        if state["ledger"].read("referral", "r1") is None:
            sent.append(1)
            state["ledger"].write("referral", "r1", {"status": "done", "value": "", "answer": {}})
        if len(runs) == 1:
            raise Killed
        return state

    with Service(tmp_path, jobs=[made("sort", send, on="x")]) as service:
        service.post({"type": "x"})
        with pytest.raises(Killed):
            service.settle()
        service.kill()
        service.settle()
        assert (2, 1, 1) == (len(runs), len(sent), len(lines(service, "succeeded")))


def test_store_that_refuses_for_a_while(tmp_path):
    """H16: what a run did is written down when the store is back; nothing is run twice for it."""
    seen, refusing = [], []

    def fill(state):
        refusing.append(1)
        return state

    with Service(tmp_path, jobs=[made("sort", keep(seen), fill, on="x")]) as service:
        change = service.store.change

        def change_or_refuse(work):
            if refusing:
                raise StoreError("the disk is full")
            return change(work)

        service.store.change = change_or_refuse
        service.post({"type": "x"})
        for _ in range(3):
            with pytest.raises(StoreError):
                service.settle()
        refusing.clear()
        service.settle()
        assert (1, 1) == (len(seen), len(lines(service, "succeeded")))


def test_store_that_refuses_before_a_run(tmp_path):
    """H16: what was claimed when the store refuses to be read is done when it can be again, without a restart."""
    with Service(tmp_path, jobs=[made("sort", on="x")]) as service:
        service.post({"type": "x"})
        circuits, times = service.store.circuits, iter(range(100))

        def refusing(now):
            if next(times) == 1:  # the first look is for whose turn it is
                raise StoreError("the disk can't be read")
            return circuits(now)

        service.store.circuits = refusing
        with pytest.raises(StoreError):
            service.settle()
        assert 1 == len(lines(service, "pending"))
        service.settle()
        assert (["succeeded"], 1) == (service.outcomes(), len(lines(service, "succeeded")))


def test_settled_but_told_otherwise(tmp_path):
    """H16: where the store had kept what a run did and then seemed to refuse, the work goes on with what is next."""
    with Service(tmp_path, jobs=[made("sort", on="x")]) as service:
        service.post({"type": "x"})
        succeed = service.store.succeed

        def kept_and_refused(*arguments, **more):
            succeed(*arguments, **more)
            service.store.succeed = succeed
            raise StoreError("the disk is gone")

        service.store.succeed = kept_and_refused
        for _ in range(2):  # refused; then found to be kept already
            with pytest.raises(StoreError):
                service.settle()
        service.post({"type": "x", "second": True})
        service.settle()
        assert ["succeeded", "succeeded"] == service.outcomes()


def test_stopped(tmp_path):
    """A service that is told to stop ends after the operation at hand; the next start goes on with it."""
    begun, ended = [], []

    def stop(state):
        begun.append(1)
        if len(begun) == 1:
            service.worker.stop()
        return state

    with Service(tmp_path, jobs=[made("sort", stop, keep(ended), on="x")]) as service:
        service.settle()
        service.post({"type": "x"})
        assert service.worker.step()
        (unit,) = service.store.units()
        assert ([], "pending", 0, NOON) == (ended, unit.status, unit.tries, unit.due)
        service.kill()
        service.settle()
        assert 1 == len(ended)


def test_stopped_before_the_next_sending(tmp_path):
    """A long operation, too, ends when the service stops: before it would send once more."""

    def send_all(state):
        service.worker.stop()
        state["ledger"].read("referral", "r1")
        raise AssertionError

    with Service(tmp_path, jobs=[made("sort", send_all, on="x")]) as service:
        service.settle()
        service.post({"type": "x"})
        assert service.worker.step()
        assert "pending" == service.store.units()[0].status


def test_disabled_job(tmp_path):
    """A job that is disabled is started by nothing; what waits for it waits."""
    seen = []
    jobs = [made("sort", keep(seen), on="x"), made("next", keep(seen), success="sort", enabled=False)]
    with Service(tmp_path, jobs=jobs) as service:
        service.post({"type": "x"})
        service.run(hours=1)
        assert 1 == len(seen)


def test_script_that_can_not_be_loaded(tmp_path):
    """The service doesn't start with an enabled job that can't be loaded."""
    with Service(tmp_path, jobs=[made("sort", on="x")]) as service:
        service.project.jobs["gone"] = Job("gone", tmp_path / "gone.py")
        with pytest.raises(UnreadableFile, match=r"gone\.py"):
            service.kill()


def test_idle(tmp_path):
    """An idle worker says when something is due: nothing but its housekeeping."""
    with Service(tmp_path, jobs=[made("sort", on="x")]) as service:
        service.settle()
        assert not service.worker.step()
        assert NOON < service.worker.next_due() <= NOON.replace(hour=23)
