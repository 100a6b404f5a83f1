"""Conditions: what needs a look just now, derived from all that can be seen (sight.py).

The status, alerts, metrics and whoever else wants to know read this list; nobody derives it a second time. A condition
is plain data: codes, names of jobs and credentials, counts, times, and ids that the engine made. Never a value (R-LG8).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runner import keys
from runner.alerts.registry import CONDITIONS, SEVERITIES, Severity
from runner.alerts.sight import Sight
from runner.logs.events import said
from runner.report import shown
from runner.store import Key, Unsettled
from runner.tls.certificates import WARN_AT
from runner.tls.slots import Finding
from runner.work.lateness import late_since

_SIGNS_LAST = timedelta(days=1)
_ERASED_LAST = timedelta(days=7)
_ERASED_SOON = timedelta(days=2)
_GRAVE_DAYS = 7  # before the end of a key or certificate
_CLOCK_OFF = timedelta(minutes=5)
_KEY_ENDED = timedelta(days=7)  # for so long a label that nobody renewed is missed
_MOST_DIGITS = 10  # that a count has
_UNSETTLED = {
    "dead": "given_up", "parked": "to_settle", "record": "records_to_settle", "held": "answers_held",
    "quarantined": "not_routed",
}  # fmt: skip
_UNITS = ("waiting", "parked", "dead")
_WAITING = {"waiting_long": "waiting", "answers_waiting_long": "answers"}
_MIB = 1 << 20


@dataclass(frozen=True)
class Condition:
    """Something that needs a look as long as it is so. `code`, `about` and `why` say what it is; the rest may change.

    `about` is a job, a credential, a label or a recipient; `why` a code; `jobs` those that it hinders, all when there
    is none. A greater `step` is a graver one of the same severity. `ids` are those of a few units of work.

    >>> Condition("run_failed", "sort", "unreachable").sentence
    'sort: the last run failed (unreachable)'
    """

    code: str
    about: str = ""
    why: str = ""
    severity: Severity = "warning"
    step: int = 0
    count: int = 1
    since: datetime | None = None
    jobs: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @property
    def cause(self) -> tuple[str, str, str]:
        """What it is: as long as that stays the same, it is the same condition."""
        return self.code, self.about, self.why

    @property
    def grade(self) -> tuple[int, int]:
        """How grave it is: greater is graver."""
        return SEVERITIES.index(self.severity), self.step

    @property
    def sentence(self) -> str:
        """What people are told; in place of what isn't a word of a program stands its length."""
        return self.told(CONDITIONS[self.code].sentence)

    def told(self, sentence: str) -> str:
        """The same by another sentence with the same places, such as that of another language.

        >>> Condition("run_failed", "sort", "unreachable").told("{about} : dernière exécution en échec ({why})")
        'sort : dernière exécution en échec (unreachable)'
        """
        return sentence.format(
            about=_word(self.about), why=_word(self.why) or "unknown", count=self.count, since=shown(self.since)
        )

    @property
    def runbook(self) -> str:
        """Where it stands what to do."""
        return f"docs/runbook.md#{self.code}"

    @property
    def page(self) -> str:
        """The path of the console's page on which it is settled; nothing of it but a code.

        >>> Condition("given_up", "sort", "unreachable").page, Condition("given_up").page
        ('/settle/unreachable', '/settle')
        """
        why = _word(self.why)
        return CONDITIONS[self.code].page.format(why=why if why == self.why else "").rstrip("/") or "/"

    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {
            "code": self.code,
            "about": _word(self.about),
            "why": _word(self.why),
            "severity": self.severity,
            "count": self.count,
            "since": self.since,
            "jobs": [_word(job) for job in self.jobs],
            "ids": [str(said("system-id", unit)) for unit in self.ids],
            "sentence": self.sentence,
            "runbook": self.runbook,
            "page": self.page,
        }


def conditions(sight: Sight) -> list[Condition]:
    """All that need a look, the gravest first. Raises StoreError."""
    found = [condition for each in _SOURCES for condition in each(sight)]
    return sorted(found, key=lambda each: (-each.grade[0], list(CONDITIONS).index(each.code), each.about, each.why))


def _made(code: str, about: str = "", why: str = "", *, severity: Severity | None = None, **more: Any) -> Condition:
    return Condition(code, about, why, severity or CONDITIONS[code].severity, **more)


def _word(text: str) -> str:
    return str(said("code", text)) if text else ""


def _unsettled(sight: Sight) -> Iterator[Condition]:
    found = sight.unsettled
    for each in found:
        if each.kind in _UNSETTLED:
            yield _settled_by_nobody(each, sight.now)
    known = {job.name for job in sight.jobs}
    for name in sorted({each.job for each in found if each.kind in _UNITS} - known):
        yield _made("job_unknown", name, count=sum(each.count for each in found if each.job == name))
    for code, kind in _WAITING.items():
        since = min((each.since for each in found if each.kind == kind and each.since), default=sight.now)
        if sight.now - since > sight.waiting_long:
            yield _made(code, count=sum(each.count for each in found if each.kind == kind), since=since)
    count, first = sight.store.erased_unsettled(sight.now - _ERASED_LAST)
    if count:
        yield _made("erased_unsettled", count=count, since=first)


def _settled_by_nobody(each: Unsettled, now: datetime) -> Condition:
    """Ten times as many of the same cause is graver, and so is what will be erased soon."""
    soon = each.expires is not None and each.expires - now <= _ERASED_SOON
    jobs = (each.job,) if each.kind in (*_UNITS, "record") else ()
    return _made(
        _UNSETTLED[each.kind], each.job, each.code, severity="error" if soon else None,
        step=len(str(each.count)) + (_MOST_DIGITS if soon else 0),
        count=each.count, since=each.since, jobs=jobs, ids=each.ids,
    )  # fmt: skip


def _runs(sight: Sight) -> Iterator[Condition]:
    off = sight.store.switched_off()
    for job in (job for job in sight.jobs if job.enabled):
        outcome, code = sight.store.last_outcome(job.name) or (None, None)
        if outcome == "failed":
            unforeseen: Severity | None = "error" if code == "unforeseen" else None
            yield _made("run_failed", job.name, code or "", severity=unforeseen, jobs=(job.name,))
        if job.name in off:  # so that nobody expects a success
            yield _made("schedule_off", job.name, since=off[job.name].since, jobs=(job.name,))
        elif since := late_since(sight.store, job, sight.now):
            yield _made("no_success", job.name, since=since, jobs=(job.name,))
    if sight.held:
        yield _made("jobs_held")


def _credentials(sight: Sight) -> Iterator[Condition]:
    """A credential that was refused needs a look until a job that uses it got through after its rest."""
    for circuit in sight.store.refusals():
        users = tuple(job.name for job in sight.jobs if circuit.credential in job.credentials.values())
        through = [moment for name in users if (moment := sight.store.last_through(name))]
        proved = not users or any(moment > circuit.until for moment in through)
        if circuit.until > sight.now or not proved:
            yield _made("credential_refused", circuit.credential, circuit.code, jobs=users)


def _certificates(sight: Sight) -> Iterator[Condition]:
    for finding in sight.findings:
        users = tuple(job.name for job in sight.jobs if finding.name in job.credentials.values())
        if finding.code == "ends_soon":
            yield _ending("certificate_ends", _slot_of(finding), finding.days or 0, jobs=users)
        else:
            yield _made("certificate", _slot_of(finding), finding.code, jobs=users)


def _slot_of(finding: Finding) -> str:
    return f"{finding.name}.{finding.key}" if finding.key else finding.name


def _ending(code: str, about: str, days: int, **more: Any) -> Condition:
    step = sum(days < limit for limit in WARN_AT)
    return _made(code, about, severity="error" if days < _GRAVE_DAYS else None, step=step, count=max(days, 0), **more)


def _keys(sight: Sight) -> Iterator[Condition]:
    known = sight.store.keys()
    if known and not any(keys.is_active(key, sight.now) for key in known):
        yield _made("inbox_without_key")
    by_label: dict[str, list[Key]] = {}
    for key in known:
        if key.revoked is None:
            by_label.setdefault(key.label, []).append(key)
    for label, mine in by_label.items():
        ends = [key.expires for key in mine if key.expires]
        if len(ends) == len(mine):  # else one of them has no end
            yield from _end_of_key(label, max(ends), sight.now)
    if sight.missing_keys:
        yield _made("vault_key_missing", count=sight.missing_keys)
    if sight.keys_away:
        yield _made("keys_away")


def _end_of_key(label: str, end: datetime, now: datetime) -> Iterator[Condition]:
    left = end - now
    if timedelta(0) < left <= timedelta(days=WARN_AT[1]):
        yield _ending("key_ends", label, left.days)
    elif -_KEY_ENDED < left <= timedelta(0):
        yield _made("key_ended", label, since=end)


def _machine(sight: Sight) -> Iterator[Condition]:
    if sight.room and sight.room.is_short:
        gone: Severity | None = "error" if sight.room.is_gone else None
        yield _made("disk_short", severity=gone, count=sight.room.free // _MIB)
    latest = sight.store.latest()
    if latest and latest - sight.now > _CLOCK_OFF:
        yield _made("clock_back", since=latest)
    for sign in sight.store.signs(sight.now - _SIGNS_LAST):
        jobs = (sign.about,) if sign.code == "run_remarked" else ()
        yield _made(sign.code, sign.about, sign.why, count=sign.times, since=sign.first, jobs=jobs)


_SOURCES: tuple[Callable[[Sight], Iterator[Condition]], ...] = (
    _unsettled, _runs, _credentials, _certificates, _keys, _machine
)  # fmt: skip
