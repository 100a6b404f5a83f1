"""The store in PostgreSQL beside the one in a file: posts, changes of many threads at once, erasing, and claims."""

import statistics
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from runner.store import NewUnit, units
from tests import servers
from tests.bench import claims, erasing, posts
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed
from tests.databases import InFiles, InPostgres

CHANGES, THREADS = 2_000, 32


def figures(folder, rounds=7):
    """Each beside SQLite."""
    with databases(folder, "postgres") as database:
        for each in (_posts, _changes, _erasing, _claims) if database else ():
            yield from each(folder, database, rounds)


@contextmanager
def databases(folder, name):
    """Databases of a server of our own; None, and a line that says so, where no PostgreSQL is installed."""
    place = servers.programs()
    if place is None:
        print(f"{name} is skipped: {servers.MISSING}", flush=True)  # noqa: T201
        yield None
        return
    # Beside the folder, not in it: that is closed to the user whom the server runs as.
    server = servers.Server(place, durable=True, under=folder.parent)
    try:
        yield InPostgres(server)
    finally:
        server.remove()


@contextmanager
def _stores(folder, database):
    """A new store in PostgreSQL, and one in a file."""
    folder.mkdir()
    with database.open(folder / "ours") as ours, InFiles().open(folder / "other") as other:
        yield ours, other


def _posts(folder, database, rounds):
    mine, theirs = folder / "posts", folder / "posts-sqlite"
    mine.mkdir()
    theirs.mkdir()
    with posts.inbox(mine, database.address(mine)) as ours, posts.inbox(theirs) as other:
        yield from posts.compared(f"PostgreSQL: {posts.WHAT}", rounds, ours, ("SQLite", other))


def _changes(folder, database, rounds):
    with _stores(folder / "changes", database) as (ours, other):
        found = in_turn(rounds, ours=partial(_rate, ours), other=partial(_rate, other))
    a_second = {side: f"{statistics.median(rates):,.0f}/s" for side, rates in found.items()}
    what = f"PostgreSQL: changes by {THREADS} threads, one new unit each"
    yield Figure(what, a_second["ours"], f"SQLite: {a_second['other']}", ratio(found["ours"], found["other"]))


def _rate(store):
    """How many changes are committed a second, those that wait together in one transaction."""

    def change(_):
        new = NewUnit(uuid.uuid4().hex, "sort", None, erasing.SEALED)
        store.change(lambda db: units.add(db, [new], message=None, turn=units.next_turn(db), now=claims.NOW))

    with ThreadPoolExecutor(THREADS) as threads:
        return CHANGES / timed(lambda: list(threads.map(change, range(CHANGES))))


def _erasing(folder, database, rounds):
    with _stores(folder / "erasing", database) as (ours, other):
        found = in_turn(rounds, ours=partial(erasing.one_erasure, ours), other=partial(erasing.one_erasure, other))
    what = f"PostgreSQL: erasing a payload of 8 KB, with its receipt ({erasing.PAYLOADS} in a row)"
    other = f"SQLite, scrubbed: {seconds(found['other'])}"
    yield Figure(what, seconds(found["ours"]), other, ratio(found["ours"], found["other"]))


def _claims(folder, database, rounds):
    with _stores(folder / "few", database) as few, _stores(folder / "many", database) as many:
        sides = {"few": few[0], "few in SQLite": few[1], "many": many[0], "many in SQLite": many[1]}
        for name, store in sides.items():
            claims.fill(store, claims.FEW if name.startswith("few") else claims.MANY)
        found = in_turn(rounds, **{name: partial(claims.one_claim, store) for name, store in sides.items()})
    for name, number in (("few", claims.FEW), ("many", claims.MANY)):
        ours, other = found[name], found[f"{name} in SQLite"]
        what = f"PostgreSQL: claim with {number:,} pending"
        yield Figure(what, seconds(ours), f"SQLite: {seconds(other)}", ratio(ours, other))
    few, many = found["few"], found["many"]
    what = f"PostgreSQL: claim with {claims.MANY:,} pending, beside fewer"
    yield Figure(what, seconds(many), f"{claims.FEW:,} pending: {seconds(few)}", ratio(many, few), "≤ 2 ×")
