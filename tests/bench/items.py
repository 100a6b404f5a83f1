"""10,000 items through `each` with the mapping of 2a, against a plain loop with the same mapping."""

import runpy
from functools import partial

from adaptors.common import data_value, each, log_ids, map_values
from adaptors.promises import resolve
from tests.bench.far_side import FarSide
from tests.bench.flow import JOB
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed

ITEMS = 10_000
CONTACT = {"position": "Case worker", "email": "x@example.org", "phone": "0900", "full_name": "Erfunden"}


def figures(_folder, rounds=7):
    """The time for all items, from the list of records to the last outcome."""
    given = records(), mapping()
    found = in_turn(rounds, ours=partial(through_each, *given), plain=partial(plain_loop, *given))
    yield Figure(
        f"{ITEMS:,} items through `each` with the mapping of 2a",
        seconds(found["ours"]),
        f"a plain loop with the same mapping: {seconds(found['plain'])}",
        ratio(found["ours"], found["plain"]),
        "≤ 4 ×",
    )


def records():
    """What 2a has at hand of each referral when it maps it."""
    rows = FarSide(ITEMS).answer("GET", f"/api/v2/cases?per={ITEMS}")["data"]
    return [{"case": row, "service": row["services_section"][0]} for row in rows]


def mapping():
    """The mapping of 2a, as its job script has it."""
    return runpy.run_path(str(JOB))["REFERRAL"]


def through_each(records, mapping):
    """Seconds for all records through `each`, with their ids told."""
    ids = log_ids(id=data_value("case.id"), case_id=data_value("case.case_id"))
    operation = each("$.records[*]", ids, map_values(mapping))
    state = {"records": records, "contact": CONTACT}
    after = {}
    took = timed(lambda: after.update(operation(state)))
    if [item["outcome"] for item in after["outcomes"]] != ["done"] * ITEMS:
        raise RuntimeError("not all items are done")
    return took


def plain_loop(records, mapping):
    """Seconds for all records through the mapping alone."""
    return timed(lambda: [resolve(mapping, {"data": record, "contact": CONTACT}) for record in records])
