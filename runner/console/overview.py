"""The overview: whether it works, what waits, and what needs a look."""

from runner.alerts.standing import standing
from runner.console.visit import Answer, Page, Visit

_MARKS = {"info": "well", "warning": "look", "error": "wrong"}


def overview(visit: Visit) -> Answer:
    """One row for each job, and what needs a look, the gravest first."""
    sight, on = visit.service.look()
    document = standing(sight, on)
    told = [{**each.document(), "mark": _MARKS[each.severity]} for each in on]
    worst: dict[str, str] = {}
    for each in on:  # the gravest first
        for job in each.jobs:
            worst.setdefault(job, _MARKS[each.severity])
    rows = [{**row, "mark": worst.get(row["job"], "well") if row["enabled"] else "off"} for row in document["jobs"]]
    all_in_all = _MARKS[on[0].severity] if on else "well"
    return Page("overview.html", {**document, "jobs": rows, "told": told, "all_in_all": all_in_all})
