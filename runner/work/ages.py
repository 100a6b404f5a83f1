"""How long metadata is kept: the `retention` table of the project file, and what is older than it says (R-ER8).

Payloads are erased at once when their chain has succeeded (R-ER7). The ledger stays, since what it forgets would be
sent again; the audit log stays, since nothing can be deleted in it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from runner.inbox import settings
from runner.project import Project
from runner.store import Store

_DAYS = 90
_LOG_FILE = re.compile(r"events-(\d{4}-\d{2}-\d{2})\.log")


@dataclass(frozen=True)
class Ages:
    """For how long runs (with their items, slots and receipts), settled messages and log files are kept.

    A message is kept at least as long as its repetition has to be recognised.

    >>> Ages().runs.days, Ages().log_folder
    (90, None)
    """

    runs: timedelta = timedelta(days=_DAYS)
    messages: timedelta = timedelta(days=_DAYS)
    logs: timedelta = timedelta(days=_DAYS)
    log_folder: Path | None = None

    @classmethod
    def of(cls, project: Project) -> "Ages":
        """The ages that a project file sets, else 90 days."""
        table, log = project.settings.get("retention", {}), project.settings.get("log", {})
        runs = timedelta(days=table.get("runs_days", _DAYS))
        return cls(
            runs=runs,
            messages=max(runs, timedelta(days=settings.of(project).repeat_days)),
            logs=timedelta(days=table.get("logs_days", _DAYS)),
            log_folder=project.folder / log["folder"] if "folder" in log else None,
        )

    def old(self, store: Store, now: datetime) -> dict[str, int]:
        """How much there is of each that would be deleted. Raises StoreError."""
        counts = store.old(runs=now - self.runs, messages=now - self.messages)
        return {**counts, "logs": len(self._old_logs(now))}

    def purge(self, store: Store, now: datetime) -> dict[str, int]:
        """Delete some of what is older; how many of each, {} when nothing is left. Raises StoreError."""
        counts = store.purge(runs=now - self.runs, messages=now - self.messages, now=now)
        if logs := self._old_logs(now):
            for path in logs:
                path.unlink(missing_ok=True)
            store.record("purged", now=now, logs=len(logs))
            counts["logs"] = len(logs)
        return counts

    def _old_logs(self, now: datetime) -> list[Path]:
        if not self.log_folder:
            return []
        first = (now - self.logs).astimezone(UTC).date()
        return [path for path in sorted(self.log_folder.glob("events-*.log")) if _day(path, first) < first]


def _day(path: Path, otherwise: date) -> date:
    """The day that a log file is of; a file of somebody else is left alone."""
    found = _LOG_FILE.fullmatch(path.name)
    try:
        return date.fromisoformat(found[1]) if found else otherwise
    except ValueError:
        return otherwise
