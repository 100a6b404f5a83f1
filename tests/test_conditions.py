"""Conditions: each thing that needs a look is derived, once, as plain data without a value."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from runner import keys
from runner.alerts.conditions import Condition, conditions
from runner.alerts.registry import CONDITIONS, SEVERITIES
from runner.alerts.sight import Sight
from runner.console.ways import WAYS
from runner.project import Job
from runner.room import Room
from runner.store import Parked, Store
from runner.tls.slots import Finding
from runner.triggers import Trigger
from tests.kept import DAY, ERROR, HOUR, NOON, claim, message, post, run, sealed, unit

CANARY = "Nyaruot Beispiel"
HOURLY = Trigger("hourly", "cron", "0 * * * *")
SORT = Job("sort", Path("sort.py"), credentials={"north": "north_narrow"})
READ = Job("read", Path("read.py"), (HOURLY,), {"south": "south"})
PARKED = Parked("read", "r-1", {"id": "GAM-1"}, "no_service", CANARY)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path, now=lambda: NOON) as store:
        yield store


def found(store, *, jobs=(SORT, READ), now=NOON, **more):
    """What needs a look, by code."""
    return {each.code: each for each in conditions(Sight(store, jobs, now, **more))}


def given_up(store, name="u1", *, code="unreachable", now=NOON, expires=NOON + 7 * DAY, subject=None):
    """A unit of which the last try failed."""
    post(store, f"m-{name}", unit(name, subject=subject), now=now)
    error = {**ERROR, "code": code}
    store.give_up(claim(store, now), run(f"r-{name}", outcome="failed", code=code, ended=now), error=error,
                  expires=expires, now=now)  # fmt: skip


def parked_unit(store, name="u1", *, now=NOON, expires=NOON + 7 * DAY):
    post(store, f"m-{name}", unit(name), now=now)
    store.park(claim(store, now), run(f"r-{name}", "parked", code="no_match", ended=now), expires=expires, now=now)


def paths():
    """The paths of the console's pages."""
    return [re.sub(r"\{\w+\}", r"\\w+", way.path) for way in WAYS if way.method == "GET"]


@pytest.mark.parametrize("code", CONDITIONS)
def test_page(code):
    """Each condition has a page of the console; its address holds a code at most, never what isn't one."""
    for why in ("no_service", CANARY, "a/b", ""):
        page = Condition(code, CANARY, why).page
        assert any(re.fullmatch(path, page) for path in paths()), page
        assert CANARY.split()[0] not in page


def test_nothing(store):
    """With a key and nothing else there is nothing to look at."""
    keys.create(store, "unhcr", now=NOON)
    assert {} == found(store)


def test_in_either_database(database, tmp_path):
    """R-DL3 Wherever the store is, all that is looked at can be read there, and what needs a look is found."""
    with database.open(tmp_path, now=lambda: NOON) as store:
        keys.create(store, "unhcr", now=NOON)
        given_up(store)
        parked_unit(store, "u2")
        assert {"given_up", "to_settle"} == set(found(store))


def test_given_up(store):
    """R-DL3: what was given up is told by job and cause, with the ids of the newest, the count, and since when."""
    for number in range(5):
        given_up(store, f"u{number}", now=NOON + number * HOUR)
    given_up(store, "other", code="rejected")
    on = [each for each in conditions(Sight(store, [SORT], NOON)) if each.code == "given_up"]
    assert [("sort", "rejected", 1), ("sort", "unreachable", 5)] == [(one.about, one.why, one.count) for one in on]
    assert ("error", NOON, ("u4", "u3", "u2")) == (on[1].severity, on[1].since, on[1].ids)
    assert "sort: 5 dead (unreachable)" == on[1].sentence


def test_ten_times_as_many_is_graver(store):
    """Of the same cause, ten times as many are told again."""
    grades = []
    for number in range(10):
        given_up(store, f"u{number}")
        grades.append(found(store)["given_up"].grade)
    assert {grades[0]} == set(grades[:9])
    assert grades[0] < grades[9]


def test_parked_unit_that_will_be_erased(store):
    """R-DL4: what a person must settle is graver when its payload is about to be erased, and is told when it was."""
    parked_unit(store)
    early, late = found(store)["to_settle"], found(store, now=NOON + 5 * DAY)["to_settle"]
    assert ("warning", "error") == (early.severity, late.severity)
    assert early.cause == late.cause
    store.expire(NOON + 7 * DAY)
    after = found(store, now=NOON + 8 * DAY)
    assert ("error", 1) == (after["erased_unsettled"].severity, after["erased_unsettled"].count)
    assert "erased_unsettled" not in found(store, now=NOON + 15 * DAY)


def test_parked_records(store):
    """Records of scheduled runs are counted by cause; their ids may be a person's, and stay where they are."""
    store.settle_scheduled("read", run("r1", "parked", job="read", outcome="needs_person"), parked=[PARKED], now=NOON)
    on = found(store)["records_to_settle"]
    assert ("read", "no_service", 1, ()) == (on.about, on.why, on.count, on.ids)
    assert "GAM" not in str(on.document())
    store.retry("read/r-1", now=NOON)
    assert "records_to_settle" not in found(store)


def test_quarantined(store):
    """H37: messages that no job waits for need a look, of everybody."""
    store.accept(message("lost", envelope=sealed()), [], now=NOON)
    on = found(store)["not_routed"]
    assert ("error", 1, NOON, ()) == (on.severity, on.count, on.since, on.jobs)


def test_job_that_is_gone(store):
    """What waits for a job that isn't in the project file any more is not forgotten."""
    post(store, "m1", unit("u1"))
    assert "job_unknown" not in found(store)
    assert ("sort", 1) == (
        found(store, jobs=[READ])["job_unknown"].about,
        found(store, jobs=[READ])["job_unknown"].count,
    )


def test_backlog(store):
    """What has waited for longer than it should needs a look, units and answers alike."""
    post(store, "m1", unit("u1"))
    store.outbox("south").append({"system": "south", "kind": "answer", "key": "k", "value": "", "send": {}})
    assert {"waiting_long", "answers_waiting_long"}.isdisjoint(found(store, now=NOON + 4 * HOUR))
    late = found(store, now=NOON + 4 * HOUR + timedelta(seconds=1))
    assert {"waiting_long", "answers_waiting_long"} <= late.keys()
    assert "waiting_long" not in found(store, now=NOON + 5 * HOUR, waiting_long=timedelta(hours=6))


@pytest.mark.parametrize(("code", "severity"), [("unreachable", "info"), ("unforeseen", "error")])
def test_run_that_failed(store, code, severity):
    """H35: a run that failed is tried again and seldom worth a call, unless nobody foresaw the error."""
    store.settle_scheduled("read", run("r1", job="read", outcome="failed", code=code), now=NOON)
    assert (severity, ("read",)) == (found(store)["run_failed"].severity, found(store)["run_failed"].jobs)
    store.settle_scheduled("read", run("r2", job="read"), now=NOON)
    assert "run_failed" not in found(store)


def test_no_success(store):
    """The dead man's switch: three times of a schedule went by without a success."""
    store.set_setting("first start of read", NOON.isoformat())
    assert "no_success" not in found(store, now=NOON + 2 * HOUR)
    assert "read: no success since 2026-03-01T12:00:00Z" == found(store, now=NOON + 3 * HOUR)["no_success"].sentence


def test_refused_credential(store):
    """R-DL1: a credential that was refused needs a look, also after its rest, until a run got through with it."""
    store.open_circuit("south", NOON + HOUR, "unauthorised")
    for hours in (0, 2):
        on = found(store, now=NOON + hours * HOUR)["credential_refused"]
        assert ("south", "unauthorised", ("read",)) == (on.about, on.why, on.jobs)
    store.settle_scheduled("read", run("r1", job="read", ended=NOON + 2 * HOUR), now=NOON + 2 * HOUR)
    assert "credential_refused" not in found(store, now=NOON + 2 * HOUR)


def test_refused_credential_that_nobody_uses(store):
    """What no job uses any more is told while it rests, and no longer."""
    store.open_circuit("gone", NOON + HOUR, "unauthorised")
    assert ["credential_refused" in found(store, now=NOON + hours * HOUR) for hours in (0, 2)] == [True, False]


def ends(days, warned_at):
    return Finding("north_narrow", "certificate", "ends_soon", "it ends", "Replace it.", days=days, warned_at=warned_at)


def test_certificates(store):
    """R-RT3: a certificate's end is told at each step, graver in its last week; what is wrong with it as well."""
    steps = [found(store, findings=[ends(days, days)])["certificate_ends"] for days in (59, 29, 13, 6, 0)]
    assert ["warning", "warning", "warning", "error", "error"] == [each.severity for each in steps]
    assert sorted(each.grade for each in steps) == [each.grade for each in steps]
    assert 5 == len({each.grade for each in steps})
    assert {("certificate_ends", "north_narrow.certificate", "")} == {each.cause for each in steps}
    wrong = found(store, findings=[Finding("north_narrow", "", "unusable", CANARY, CANARY)])["certificate"]
    assert ("north_narrow", "unusable", "error", ("sort",)) == (wrong.about, wrong.why, wrong.severity, wrong.jobs)


def test_inbox_keys(store):
    """R-RT1: the end of a label's last key is told from thirty days before; one that another replaces is not."""
    keys.create(store, "unhcr", now=NOON, expires=NOON + 40 * DAY)
    assert {} == found(store)
    assert 25 == found(store, now=NOON + 15 * DAY)["key_ends"].count
    keys.create(store, "other", now=NOON)
    assert "unhcr" == found(store, now=NOON + 41 * DAY)["key_ended"].about
    assert "inbox_without_key" not in found(store, now=NOON + 41 * DAY)
    keys.rotate(store, "unhcr", overlap=DAY, now=NOON + 15 * DAY)
    assert {} == found(store, now=NOON + 15 * DAY)


def test_no_key_at_all(store):
    """R-WH3: when no key opens the inbox any more, nobody can post."""
    keys.create(store, "unhcr", now=NOON)
    keys.revoke(store, "unhcr", now=NOON)
    assert {"inbox_without_key"} == found(store).keys()


def test_vault_keys(store):
    """R-RT4: a key is missing that something waits for."""
    assert (2, "error") == (found(store, missing_keys=2)["vault_key_missing"].count, "error")


def test_keys_away(store):
    """The program that holds the keys fails: nothing can be taken in or opened."""
    assert [("keys_away", "error")] == [(each.code, each.severity) for each in found(store, keys_away=True).values()]


@pytest.mark.parametrize(("free", "severity"), [(3 << 30, None), (1 << 30, "warning"), (1 << 20, "error")])
def test_disk(store, free, severity):
    """A disk that is nearly full needs a look, the more the fuller it is."""
    on = found(store, room=Room(20 << 30, free)).get("disk_short")
    assert severity == (on and on.severity)


def test_clock_that_was_set_back(store):
    """A clock that is behind what was written down before needs a look."""
    store.settle_scheduled("read", run("r1", job="read", ended=NOON + HOUR), now=NOON)
    assert "clock_back" in found(store)
    assert "clock_back" not in found(store, now=NOON + HOUR)


@pytest.mark.parametrize("code", ["clock_jumped", "audit_broken", "not_delivered", "run_remarked"])
def test_signs(store, code):
    """What only a running service could see is told for a day after it was seen last."""
    store.note_sign(code, about="sort", why="secondary_key", now=NOON - HOUR)
    store.note_sign(code, about="sort", why="secondary_key", now=NOON)
    on = found(store, now=NOON + DAY)[code]
    assert ("sort", "secondary_key", 2, NOON - HOUR) == (on.about, on.why, on.count, on.since)
    assert code not in found(store, now=NOON + DAY + HOUR)
    store.forget_signs(code, about="sort")
    assert code not in found(store)


def test_jobs_held(store):
    """What the go-live checklist holds up needs a look."""
    assert "error" == found(store, held=True)["jobs_held"].severity


def test_order(store):
    """The gravest comes first."""
    given_up(store)
    on = conditions(Sight(store, [SORT], NOON + 5 * HOUR, held=True, room=Room(20 << 30, 1 << 30)))
    assert sorted((SEVERITIES.index(each.severity) for each in on), reverse=True) == [
        SEVERITIES.index(each.severity) for each in on
    ]


def test_no_value_in_a_condition(store):
    """R-LG8 A code, label or name that isn't a word of a program appears by its length only, whoever made it."""
    told = Condition("given_up", CANARY, CANARY, jobs=(CANARY,), ids=(CANARY,))
    assert "Nyaruot" not in f"{told.document()} {told.sentence}"
    assert ("(16 characters)", ["(16 characters)"]) == (told.document()["about"], told.document()["ids"])


def test_sentences():
    """Each sentence is made of what a condition holds, and each condition is derived or noted somewhere."""
    allowed = {"about", "why", "count", "since"}
    for code, declared in CONDITIONS.items():
        assert set(re.findall(r"{(\w+)}", declared.sentence)) <= allowed, code
        assert Condition(code, "sort", "x").sentence, code
    sources = "\n".join(path.read_text() for path in Path("runner").rglob("*.py") if path.name != "registry.py")
    assert [] == [code for code in CONDITIONS if f'"{code}"' not in sources]


def test_what_was_settled_is_not_read(store, monkeypatch):
    """Derived each minute: no query goes through all units or messages, however many were settled."""
    asked = []
    reading = Store.read
    monkeypatch.setattr(Store, "read", lambda self, *query: asked.append(query) or reading(self, *query))
    found(store)
    plans = {query: store.read(f"EXPLAIN QUERY PLAN {query}", *values) for query, *values in list(asked)}
    assert len(plans) > 5
    assert [] == [
        query for query, plan in plans.items() if re.search(r"SCAN (units|messages|runs)\b(?! USING)", str(plan))
    ]
