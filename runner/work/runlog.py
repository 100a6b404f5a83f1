"""What the log says of a run: that it began, what became of its items, what it printed or raised, and how it ended."""

from runner.errors import Cause
from runner.logs.log import Log
from runner.outcome import Run
from runner.project import Job
from runner.store import RunRecord

_QUIET = ("done", "unchanged")


def tell_run(log: Log, job: Job, run: Run, record: RunRecord) -> None:
    """Write the events of a run that has ended; `record` is what is kept of it."""
    about = {"job": job.name, "run": record.id}
    for item, found in zip(run.items, run.state.get("outcomes", ()), strict=True):
        if item["outcome"] not in _QUIET:
            told = {name: item[name] for name in ("index", "outcome", "code", "ids")}
            log.write("item", **about, **told, operation=found.get("operation"))
        for code in found.get("remarks", ()):
            log.write("remark", **about, index=item["index"], code=code)
    for operation, kind, file, line in dict.fromkeys(map(_place, run.causes)):
        if file:
            log.write("job_raised", **about, operation=operation, type=kind, file=file, line=line)
    if run.printed:
        log.write("job_printed", **about, lines=run.printed)
    _tell_answers(log, job, run, about, delivered=run.counts["done"])
    seconds = (record.ended - record.started).total_seconds()
    ended = {"unit": record.unit, "outcome": run.outcome, "code": record.code, "seconds": seconds}
    log.write("run_ended", **about, **ended, **run.counts)


def _tell_answers(log: Log, job: Job, run: Run, about: dict[str, str], *, delivered: int) -> None:
    if job.delivers_to:
        if delivered:
            log.write("answers_delivered", **about, count=delivered)
    elif kept := len(run.state.get("outbox", ())):
        log.write("answers_kept", **about, count=kept)


def _place(cause: Cause) -> tuple[str, str, str | None, int | None]:
    return cause.operation, cause.type, cause.file, cause.line
