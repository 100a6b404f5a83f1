"""10,000 items through `each` with the mapping of 2a, against a plain loop with the same mapping."""

from types import SimpleNamespace

from adaptors.common import each, log_ids, map_values
from adaptors.promises import data_value, resolve
from tests.bench.far_side import FarSide
from tests.bench.flow import JOB
from tests.bench.measure import Figure, in_turn, ratio, seconds, timed

ITEMS = 10_000
CONTACT = {"position": "Case worker", "email": "x@example.org", "phone": "0900", "full_name": "Erfunden"}


def figures(_folder, rounds=7):
    """The time for all items, from the list of records to the last outcome."""
    mapping = _job().REFERRAL
    operation = each(
        "$.records[*]",
        log_ids(id=data_value("case.id"), case_id=data_value("case.case_id")),
        map_values(mapping),
    )
    records = [{"case": row, "service": row["services_section"][0]} for row in _rows()]

    def through_each():
        after = operation({"records": records, "contact": CONTACT})
        assert ITEMS == len(after["outcomes"])
        assert {"done"} == {item["outcome"] for item in after["outcomes"]}

    def plain_loop():
        for record in records:
            resolve(mapping, {"data": record, "contact": CONTACT})

    found = in_turn(rounds, ours=lambda: timed(through_each), plain=lambda: timed(plain_loop))
    yield Figure(
        f"{ITEMS:,} items through `each` with the mapping of 2a",
        seconds(found["ours"]),
        f"a plain loop with the same mapping: {seconds(found['plain'])}",
        ratio(found["ours"], found["plain"]),
        "≤ 4 ×",
    )


def _rows():
    return FarSide(ITEMS).answer("GET", f"/api/v2/cases?per={ITEMS}")["data"]


def _job():
    """What the script of 2a defines; the runner gives its operations only."""
    names = {"__file__": str(JOB), "__name__": "job"}
    exec(compile(JOB.read_bytes(), str(JOB), "exec"), names)
    return SimpleNamespace(**names)
