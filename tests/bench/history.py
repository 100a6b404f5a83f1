"""A store with a past: items by the million, with the runs, messages, mentions and entries that go with them.

The database makes all rows of a table itself, in one statement that both understand: a million items take it a minute.
Half of the items are of scheduled runs; of the other half each has a message and a unit of its own, and one in fifty of
these isn't settled.
"""

from datetime import UTC, datetime

from runner.store.mentions import mark

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOBS = ("sort", "read")
EACH = 500  # items of a scheduled run; so many runs with one item each come before it
KNOWN = "GAM-26-00901"  # an id that a few items name

_MINUTES = 28 * 24 * 60
_RUN = "'000000000000000000000000' || CAST(10000000 + n AS TEXT)"
_SCHEDULED = f"n % {EACH + 1} = 0"
_STATUS = "CASE n % 200 WHEN 1 THEN 'pending' WHEN 2 THEN 'pending' WHEN 3 THEN 'parked' WHEN 4 THEN 'dead' {} END"
_UNIT_STATUS = _STATUS.format("ELSE 'succeeded'")
_RUN_OUTCOME = "CASE n % 200 WHEN 3 THEN 'needs_person' WHEN 4 THEN 'failed' ELSE 'succeeded' END"
_ITEM_OUTCOME = "CASE n % 200 WHEN 3 THEN 'parked' WHEN 4 THEN 'failed' ELSE 'done' END"
_SOON = "'2026-03-20T12:00:00.000+00:00'"
_CODE = "CASE WHEN n % 200 IN (3, 4) THEN 'code_' || CAST(n / 200 % 8 AS TEXT) END"


def fill(store, items):
    """Put in so many items, a multiple of 2 * EACH."""
    last = items // (2 * EACH) * (EACH + 1)
    when = _moment(f"n * {_MINUTES} / {last + 1}")
    numbers = (
        f"WITH RECURSIVE counted (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM counted WHERE n < {last})"
    )
    for table, (columns, selected) in _ROWS.items():
        names = table.partition(" ")[0]
        statement = f"{numbers} INSERT INTO {names} ({columns}) SELECT {selected.format(when=when)}"
        store.change(lambda db, made=statement: db.execute(made))
    store.change(_name_some)


def name_of(number):
    """The id of a run, and that of its unit.

    >>> name_of(7)
    '00000000000000000000000010000007'
    """
    return f"{10_000_000 + number:032}"


def _moment(minutes):
    """A moment of February as the store writes it; `minutes` is an expression."""
    day, hour, minute = (
        f"substr(CAST(100 + {part} AS TEXT), 2)"
        for part in (f"{minutes} / 1440 + 1", f"{minutes} / 60 % 24", f"{minutes} % 60")
    )
    return f"'2026-02-' || {day} || 'T' || {hour} || ':' || {minute} || ':00.000+00:00'"


def _name_some(db):
    """Let some items name the id that is known."""
    row = mark(db.sealed, KNOWN)
    db.executemany(
        "INSERT INTO mentions (name, run, position) VALUES (?, ?, 0)", [(row, each) for each in (5, 50, 203)]
    )


# Of each table its columns, and what stands in them; `n` counts the runs.
_ROWS = {
    "messages": (
        "id, key_label, fingerprint, size, matched, status, arrived",
        f"""{_RUN}, 'unhcr', {_RUN}, 8000, 1, {_UNIT_STATUS}, {{when}} FROM counted WHERE NOT {_SCHEDULED}""",
    ),
    "messages of no job": (
        "id, key_label, fingerprint, size, matched, status, arrived, expires",
        f"""'q' || {_RUN}, 'unhcr', 'q' || {_RUN}, 8000, 0, 'quarantined', {{when}}, {_SOON} FROM counted
            WHERE n % 5000 = 9""",
    ),
    "units": (
        "id, message, job, subject, started_by, turn, head, status, tries, arrived, since, due, code, expires, settled",
        f"""{_RUN}, {_RUN}, 'sort', 'child ' || CAST(n AS TEXT), 'message', n, 1, {_UNIT_STATUS},
              CASE WHEN n % 400 = 1 THEN 3 ELSE 0 END, {{when}}, {{when}}, {{when}}, {_CODE},
              CASE WHEN n % 200 IN (3, 4) THEN {_SOON} END, CASE WHEN n % 200 NOT IN (1, 2) THEN {{when}} END
            FROM counted WHERE NOT {_SCHEDULED}""",
    ),
    "envelopes": ("holder, ciphertext", f"{_RUN}, '' FROM counted WHERE n % 200 IN (1, 2, 3, 4)"),
    "wrapped_keys": (
        "holder, epoch, wrapped", f"{_RUN}, substr({{when}}, 1, 10), '' FROM counted WHERE n % 200 IN (1, 2, 3, 4)"
    ),
    "receipts": (
        "holder, message, reason, accepted, erased, verified",
        f"""{_RUN}, {_RUN}, 'succeeded', {{when}}, {{when}}, {{when}} FROM counted
            WHERE NOT {_SCHEDULED} AND n % 200 NOT IN (1, 2, 3, 4)""",
    ),
    "runs": (
        "id, job, unit, started, ended, outcome, code, counts",
        f"""{_RUN}, CASE WHEN {_SCHEDULED} THEN 'read' ELSE 'sort' END, CASE WHEN NOT {_SCHEDULED} THEN {_RUN} END,
              {{when}}, {{when}}, {_RUN_OUTCOME}, {_CODE}, '{{{{}}}}' FROM counted""",
    ),
    "items": (
        "run, run_number, position, outcome, ids, code",
        f"""{_RUN}, n, 0, {_ITEM_OUTCOME}, '{{{{"id": "c-' || CAST(n AS TEXT) || '"}}}}', {_CODE} FROM counted
            WHERE NOT {_SCHEDULED}""",
    ),
    "items of scheduled runs": (
        "run, run_number, position, outcome, ids, code",
        f"""{_RUN}, n, runs.number - 1,
              CASE WHEN runs.number % 50 = 1 THEN 'withheld' WHEN runs.number % 250 = 3 THEN 'parked' ELSE 'done' END,
              '{{{{"id": "c-' || CAST(n + runs.number AS TEXT) || '"}}}}',
              CASE WHEN runs.number % 250 = 3 THEN 'not_found' END
            FROM counted CROSS JOIN runs WHERE {_SCHEDULED} AND runs.number <= {EACH}""",
    ),
    "mentions": ("name, run, position", "CAST(run_number AS TEXT) || ids, run_number, position FROM items"),
    "ledger": (
        "kind, key, status, value, answer, updated",
        "'answer', 'c-' || CAST(n AS TEXT), 'done', 'v', '{{}}', {when} FROM counted",
    ),
    "days": (
        "day, job, kind, outcome, count",
        "substr(ended, 1, 10), job, 'run', outcome, count(*) FROM runs GROUP BY substr(ended, 1, 10), job, outcome",
    ),
    "parked": (
        "job, record, ids, code, since",
        f"'read', 'c-' || CAST(n AS TEXT), '{{{{}}}}', 'not_found', {{when}} FROM counted WHERE n % {EACH + 1} = 0",
    ),
    "outbox": (
        "system, kind, key, entry, since",
        "'south', 'answer', 'c-' || CAST(n AS TEXT), '{{}}', {when} FROM counted WHERE n % 5000 = 1",
    ),
}  # fmt: skip
