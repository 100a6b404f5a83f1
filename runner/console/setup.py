"""Set-up: how the last checks ended, schedules that are switched, the mapping specification, and what the log holds."""

from datetime import datetime
from typing import Any

from runner.console.visit import Answer, File, Moved, Page, Table, Visit
from runner.logs import inventory, reasons
from runner.logs.audit import CHECKLIST
from runner.logs.events import ALWAYS, EVENTS, FIELDS
from runner.mapping import texts, workbook
from runner.mapping.pages import overview, pages
from runner.work.switching import switch

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAME = "mapping"


def setup(visit: Visit) -> Answer:
    """How the last check of the live systems and the go-live checklist ended, and all schedules."""
    sight, _ = visit.service.look()
    off = visit.store.switched_off()
    schedules = [
        {"job": job.name, "enabled": job.enabled, "off": off.get(job.name),
         "begins": [str(trigger) for trigger in job.triggers if trigger.kind == "cron"]}
        for job in sight.jobs if job.is_scheduled
    ]  # fmt: skip
    ended = {"check": _last(visit, "systems_checked"), "golive": _last(visit, "golive_checked")}
    return Page("setup.html", {**ended, "held": sight.held, "schedules": schedules})


def switch_schedule(visit: Visit) -> Answer:
    """Switch a schedule on or off."""
    name, reason = visit.fields["job"], visit.fields["reason"]
    if visit.fields["switch"] not in ("on", "off"):
        return Page("refused.html", {"why": "request"}, status=400)
    if not reasons.may_be_kept(reason):
        return Page("refused.html", {"why": "kept"}, status=400)
    sight, _ = visit.service.look()
    with visit.acting() as store:
        switch(store, sight.jobs, name, on=visit.fields["switch"] == "on", reason=reason, now=visit.now)
    return Moved("/setup")


def mapping(visit: Visit) -> Answer:
    """The specification that people sign, as it is now."""
    return Page("mapping.html", {"pages": pages(visit.service.plan.exchanges)})


def mapping_as_csv(visit: Visit) -> Answer:
    """The same as one table, with a mark for spreadsheets that take CSV for another encoding."""
    content = texts.as_csv(visit.service.plan.exchanges).encode("utf-8-sig")
    return File(f"{_NAME}.csv", content, "text/csv")


def mapping_as_workbook(visit: Visit) -> Answer:
    """The same as a workbook. Raises WrongUse where what writes it isn't installed."""
    plan = visit.service.plan
    shown = [overview(plan.facts, plan.exchanges), *pages(plan.exchanges)]
    return File(f"{_NAME}.xlsx", workbook.written(shown), _WORKBOOK)


def log_inventory(visit: Visit) -> Answer:
    """All events and fields that the log can hold."""
    told = {"events": EVENTS, "fields": FIELDS, "always": ALWAYS, "shown_ids": visit.service.plan.shown_ids}
    return Page("inventory.html", told)


def log_inventory_as_table(visit: Visit) -> Answer:
    """The same as a table, one row for each field of each event."""
    rows = [[row[name] for name in inventory.COLUMNS] for row in inventory.rows()]
    return Table("log-inventory.csv", [list(inventory.COLUMNS), *rows])


def _last(visit: Visit, event: str) -> dict[str, Any] | None:
    """The last entry of a check: when, by whom, how it ended, and whether it was of what runs now."""
    entry = next(iter(visit.store.audit_log(event=event, last=1)), None)
    if entry is None:
        return None
    about = entry.about
    same = about.get("configuration") == visit.service.plan.configuration is not None
    rows = {row: about[row] for row in CHECKLIST if row in about}
    told = {"time": datetime.fromisoformat(entry.time), "who": entry.who, "same": same, "rows": rows}
    return {**told, "code": about.get("code"), "count": about.get("count", 0)}
