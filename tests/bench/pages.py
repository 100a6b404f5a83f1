"""The console's pages with 1,000,000 items in the store, over SQLite and PostgreSQL: server time of the slowest."""

from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from tests import consoles, servers
from tests.bench import history
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed
from tests.databases import InPostgres

FEW, MANY = 10_000, 1_000_000
PAGES = (
    *("/", "/settle", "/settle/code_1", "/settle/not_found", "/keys", "/setup", "/audit", "/account", "/people"),
    *("/activity", "/activity?job=read", "/activity?outcome=failed", "/activity?code=code_3"),
    *("/activity?since=2026-02-10&until=2026-02-11", "/activity?of=items", "/activity?of=items&outcome=parked"),
    *("/activity?of=items&code=not_found", "/activity?of=items&job=sort", f"/runs/{history.name_of(501)}"),
)
TABLES = ("/activity.csv", "/activity.csv?of=items")  # of 2,000 rows each, to take along


def figures(folder, rounds=5):
    """Of each store the slowest page, and the slowest table to take along; beside the same with few items."""
    yield from _compared("SQLite", folder, rounds)
    if (place := servers.programs()) is None:
        print(f"pages over PostgreSQL are skipped: {servers.MISSING}", flush=True)  # noqa: T201
        return
    server = servers.Server(place, durable=True, under=folder.parent)
    try:
        yield from _compared("PostgreSQL", folder, rounds, InPostgres(server))
    finally:
        server.remove()


def _compared(name, folder, rounds, database=None):
    with (
        _console(folder / f"{name}-few", FEW, database) as few,
        _console(folder / f"{name}-many", MANY, database) as many,
    ):
        for what, paths, target in (("page", PAGES, "≤ 200 ms"), ("table of 2,000 rows", TABLES, "—")):
            times = {path: in_turn(rounds, many=partial(_asked, many, path), few=partial(_asked, few, path))
                     for path in paths}  # fmt: skip
            slowest = max(times, key=lambda path: sorted(times[path]["many"])[rounds // 2])
            found = times[slowest]
            yield Figure(
                f"console over {name}, {MANY:,} items: slowest {what} (`{slowest}`)", seconds(found["many"]),
                f"{FEW:,} items: {seconds(found['few'])}", ratio(found["many"], found["few"]), target,
            )  # fmt: skip


@contextmanager
def _console(folder, items, database):
    """A console whose store has a past."""
    folder.mkdir(mode=0o700)
    with consoles.Console(folder, at=database and database.address(folder)) as console:
        console.jobs = tuple(replace(consoles.JOBS[0], name=name) for name in history.JOBS)
        if database:  # it would hand out each unit of the past in the midst of a statement
            database.do(folder, "ALTER TABLE units DISABLE TRIGGER units_handed_out")
        history.fill(console.store, items)
        if database:
            database.do(folder, "ALTER TABLE units ENABLE TRIGGER units_handed_out")
        console.enter(role="administrator")
        yield console


def _asked(console, path):
    """Seconds until a page is answered, in the service."""

    def ask():
        assert console.get(path).status_code == 200, path

    return timed(ask)
