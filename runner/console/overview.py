"""The overview: whether it works, what flows from where to where, what waits, and what came of the last thirty days."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from runner.alerts.conditions import Condition
from runner.alerts.registry import CONDITIONS
from runner.alerts.sight import Sight
from runner.alerts.standing import standing
from runner.console.charts import DAYS, HEIGHT, WIDTH, Chart, charts, first_day
from runner.console.plan import Flow
from runner.console.visit import Answer, Page, Visit
from runner.store import Circuit
from runner.tls.certificates import WARN_AT

_MARKS = {"info": "well", "warning": "look", "error": "wrong"}


def overview(visit: Visit) -> Answer:
    """What needs a look, the gravest first; each job with its numbers and its last thirty days; certificates."""
    sight, on = visit.service.look()
    document = standing(sight, on)
    today = visit.now.astimezone(UTC).date()
    drawn = charts(visit.store.days(first_day(today)), [job.name for job in sight.jobs], today)
    values = {
        "jobs": _jobs(visit, sight, on, document["jobs"], drawn),
        "told": [_told(visit, condition) for condition in on],
        "all_in_all": _MARKS[on[0].severity] if on else "well",
        "certificates": [_certificate(where, end, visit.now) for where, end in visit.service.ends().items()],
        "days": DAYS, "width": WIDTH, "height": HEIGHT, "today": today,
    }  # fmt: skip
    return Page("overview.html", {**document, **values})


def _told(visit: Visit, condition: Condition) -> dict[str, Any]:
    """What needs a look, in the language of the page."""
    sentence = condition.told(visit.language.text(CONDITIONS[condition.code].sentence))
    return {**condition.document(), "sentence": sentence, "mark": _MARKS[condition.severity]}


def _jobs(
    visit: Visit, sight: Sight, on: Sequence[Condition], rows: Sequence[Mapping[str, Any]], drawn: Mapping[str, Chart]
) -> list[dict[str, Any]]:
    worst: dict[str, str] = {}
    for condition in on:  # the gravest first
        for job in condition.jobs:
            worst.setdefault(job, _MARKS[condition.severity])
    oldest = {each.job: each.since for each in sight.unsettled if each.kind == "waiting"}
    records: Counter[str] = Counter()
    for each in sight.unsettled:
        if each.kind == "record":
            records[each.job] += each.count
    circuits = sight.store.circuits(sight.now)
    credentials = {job.name: job.credentials for job in sight.jobs}
    return [
        {
            **row,
            "mark": worst.get(row["job"], "well") if row["enabled"] else "off",
            "flow": visit.service.plan.flows.get(row["job"], Flow(row["job"])),
            "parked": row["parked"] + records[row["job"]],
            "oldest": oldest.get(row["job"]),
            "resting": _resting(credentials[row["job"]], circuits),
            "chart": drawn[row["job"]],
        }
        for row in rows
    ]


def _resting(credentials: Mapping[str, str], circuits: Mapping[str, Circuit]) -> list[Circuit]:
    return [circuits[file] for file in dict.fromkeys(credentials.values()) if file in circuits]


def _certificate(where: str, end: datetime, now: datetime) -> dict[str, Any]:
    """How long it lasts: as alerts have it, it needs a look before its end."""
    days = (end - now).days
    mark = "wrong" if days < 0 else "look" if days <= WARN_AT[0] else "well"
    return {"where": where, "days": days, "ends": end, "mark": mark}
