"""The overview: the picture of what flows, the numbers of each job, thirty days as charts, and certificates."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner import project
from runner.console import charts, plan
from runner.console.plan import Flow, Plan
from runner.store import DayCount, Parked
from tests import consoles
from tests.consoles import Console, weight
from tests.kept import DAY, HOUR, NOON, post, run, unit

TODAY = NOON.date()
ROOT = Path(__file__).parent.parent


@pytest.fixture
def console(tmp_path):
    with Console(tmp_path / "data") as console:
        console.enter(role="viewer")
        yield console


@pytest.fixture(scope="module")
def shipped():
    """The plan of the project that comes with the bridge."""
    return plan.of(project.load(ROOT / "project.yaml"), "b2")


def row_of(text, job="sort"):
    """The cells of a job's row in the table of numbers."""
    row = re.search(rf'<tr><th scope="row"><bdi>{job}</bdi></th>(.*?)</tr>', text, re.DOTALL)[1]
    return [re.sub(r"<.*?>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)]


FLOWS = {
    "progres_to_primero": ([("inbox", ""), ("system", "primero")], ["primero", "progres"]),
    "primero_decisions_to_progres": ([("system", "primero")], ["progres"]),
    "primero_to_progres": ([("system", "primero")], ["progres"]),
    "progres_decisions_to_primero": ([("inbox", ""), ("system", "primero")], ["primero"]),
    "progres_referral_given_up": ([("job", "progres_to_primero"), ("system", "primero")], ["progres"]),
    "progres_answers": ([("waiting", "progres")], ["progres"]),
    "reconcile": ([("system", "primero")], []),
}


@pytest.mark.parametrize("job", FLOWS)
def test_what_flows(shipped, job):
    """The picture shows where a job takes from and what it writes into; a system in which it only finds is no goal."""
    flow = shipped.flows[job]
    assert FLOWS[job] == ([*flow.takes], [*flow.gives])


def test_script_that_cannot_be_loaded(tmp_path):
    """A job whose script can't be loaded keeps nobody from the console: what it carries is said to be unknown."""
    (tmp_path / "sort.py").write_text("operations = nowhere\n")
    (tmp_path / "project.yaml").write_text("name: test\njobs: {sort: {script: sort.py}}\n")
    made = plan.of(project.load(tmp_path / "project.yaml"), None)
    assert ({"sort": Flow("sort")}, []) == (made.flows, made.exchanges)


def test_picture(tmp_path):
    """Each job stands between what it takes from and what it writes into, with its state as a word."""
    flow = Flow("sort", (("inbox", ""), ("system", "north")), ("south",))
    with Console(tmp_path / "data", plan=Plan(flows={"sort": flow})) as console:
        console.enter(role="viewer")
        picture = re.search(r'<ul class="flows">(.*?)</ul>\n</li>\n</ul>', console.get("/").text, re.DOTALL)[1]
    assert ["inbox", "north", "sort", "well", "south"] == re.findall(
        r">(\w+)<", picture.replace("</span>", "</span>\n")
    )


def test_numbers(console):
    """A job's row counts today's items by UTC, what waits and since when, and what is parked, records included."""
    store = console.store
    for name, ended, *items in (("r1", NOON, "done", "done", "refused"), ("r2", NOON - DAY, "done")):
        store.settle_scheduled("sort", run(name, *items, ended=ended), now=NOON)
    failed = run("r3", "failed", outcome="failed", code="unreachable")
    store.settle_scheduled("sort", failed, parked=[Parked("sort", "c-1", {"id": "c-1"}, "no_service")], now=NOON)
    post(store, "m1", unit("u1"), now=NOON - HOUR)
    assert [
        "look", "2", "1", "1", "1", "2026-03-01 11:00 UTC", "1", "0", "2026-03-01 12:00 UTC", "failed (unreachable)",
        "2026-03-01 11:00 UTC",
    ] == row_of(console.get("/").text)  # fmt: skip


def test_rest(tmp_path, monkeypatch):
    """A credential that rests is told beside each job that uses it, and until when."""
    monkeypatch.setattr(consoles, "JOBS", (replace(consoles.JOBS[0], credentials={"north": "north_narrow"}),))
    with Console(tmp_path / "data") as console:
        console.enter(role="viewer")
        assert "north_narrow rests" not in console.get("/").text
        console.store.open_circuit("north_narrow", NOON + HOUR, "refused")
        assert "north_narrow rests until 2026-03-01 13:00 UTC" in console.get("/").text


@pytest.mark.parametrize(
    ("days", "mark", "told"),
    [(200, "well", "days left: 200"), (60, "look", "days left: 60"), (-2, "wrong", "ended on")],
)
def test_certificates(tmp_path, days, mark, told):
    """How many days each certificate has left stands there in a colour, a shape and words."""
    with Console(
        tmp_path / "data", ends=lambda: {"console, certificate": NOON + timedelta(days, minutes=5)}
    ) as console:
        console.enter(role="viewer")
        assert f'<dd class="{mark}">console, certificate: {told}' in console.get("/").text


def counts(*rows):
    return [DayCount(TODAY - timedelta(days), "sort", kind, outcome, count) for days, kind, outcome, count in rows]


def test_chart():
    """What went well is a bar as high as its share of the best day, never too low to be seen; what was left to a person
    a triangle, a run that failed a square."""
    counted = counts(
        (0, "item", "done", 1), (29, "item", "done", 1000), (0, "item", "parked", 2), (1, "run", "failed", 1)
    )
    chart = charts.charts(counted, ["sort"], TODAY)["sort"]
    assert "M1 24h8v40h-8zM291 63h8v1h-8z" == chart.bars
    assert ("M291 20h8l-4-8z", "M281 2h8v8h-8z") == (chart.triangles, chart.squares)
    assert (30, TODAY, charts.first_day(TODAY)) == (len(chart.days), chart.days[-1].day, chart.days[0].day)


def test_what_a_chart_counts():
    """Items are counted by what became of them, and runs only where they failed; other jobs' aren't."""
    kinds = [("item", each) for each in ("done", "withheld", "refused", "parked", "failed")]
    counted = counts(*((0, *kind, 1 << number) for number, kind in enumerate([*kinds, ("run", "failed")])))
    found = charts.charts([*counted, replace(counted[0], job="gone")], ["sort", "idle"], TODAY)
    assert charts.Day(TODAY, done=1, withheld=2, to_person=4 + 8, failed=32) == found["sort"].today
    assert found["idle"].all.is_empty
    assert {"sort", "idle"} == found.keys()


def test_chart_for_those_who_do_not_see_it(console):
    """Each chart has a name, a sentence with its sums, and its numbers as a table; without a style within it."""
    console.store.settle_scheduled("sort", run("r1", "done", "done", "parked", outcome="needs_person"), now=NOON)
    text = console.get("/").text
    (svg,) = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert 'role="img" aria-labelledby="chart-1 sums-1"' in svg
    assert '<title id="chart-1">sort, the last 30 days</title>' in svg
    assert "Done: 2. Withheld: 0. To a person: 1. Failed runs: 0." in svg
    assert '<tr><th scope="row">2026-03-01<td>2<td>0<td>1<td>0\n' in text


def test_first_page_of_seven_busy_jobs(tmp_path, shipped, monkeypatch):
    """With seven jobs that all had something to do on each of thirty days, the first page is at most 60 KB, in whatever
    language of ours."""
    jobs = tuple(replace(consoles.JOBS[0], name=name) for name in shipped.flows)
    monkeypatch.setattr(consoles, "JOBS", jobs)
    counted = [
        DayCount(TODAY - timedelta(days), job.name, kind, outcome, 4321)
        for days in range(30) for job in jobs
        for kind, outcome in (("item", "done"), ("item", "parked"), ("item", "withheld"), ("run", "failed"))
    ]  # fmt: skip
    with Console(tmp_path / "data", plan=shipped) as console:
        console.enter(role="viewer")
        monkeypatch.setattr(console.store, "days", lambda since: counted)
        pages = [console.get("/", accept_language=code).text for code in ("en", "fr", "ar")]
    assert 3 == len(set(pages))
    assert min(page.count("<tr><th") for page in pages) > 210
    assert [] == [size for page in pages if (size := weight(page)) > 60_000]
