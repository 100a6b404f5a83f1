"""The registry of events: everything that the log can say, and the fields it says it with (R-LG1).

A field holds a value of one of five classes, and no other:

    system-id   an id that a system made: letters, digits and `_.:#/-`, with a digit among them, at most 80 characters
    timestamp   an aware datetime, or its ISO text
    count       a whole number from 0 to a thousand million
    code        a word of a program or of the project file: a code, job, credential, class, file; at most 80 characters
    duration    seconds

What isn't declared here can't be written. `runner logs inventory` prints this module as the sheet that partners sign.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Literal

Kind = Literal["system-id", "timestamp", "count", "code", "duration"]
Level = Literal["info", "warning", "error"]

_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_.:#/-]{1,80}", re.ASCII)
_CODE = re.compile(r"[0-9]{0,2}[A-Za-z_][A-Za-z0-9_.-]{0,77}", re.ASCII)
_MOST = 1_000_000_000


@dataclass(frozen=True)
class Field:
    """One field: the class of its values, and what they mean."""

    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Event:
    """One event: when it is written, its fields in order, and how grave it is.

    `rarely`: written once a minute at most for each `code` or `type`, since others decide how often it happens.
    """

    when: str
    fields: tuple[str, ...] = ()
    level: Level = "info"
    rarely: bool = False


ALWAYS = ("time", "level", "event")

FIELDS = {
    "time": Field("timestamp", "when it was written"),
    "level": Field("code", "info, warning (somebody should look) or error (somebody must)"),
    "event": Field("code", "the name of the event"),
    "left_out": Field("count", "values that were left out, since no such field is declared"),
    "times": Field("count", "how often it has happened since the last such line, this time included"),
    "ids": Field("system-id", "the ids of the record at hand, each under the name that the job gives it"),
    "message": Field("system-id", "the id that the inbox gave to a message"),
    "unit": Field("system-id", "the id of a unit of work: what one job has to do for one message"),
    "run": Field("system-id", "the id of a run"),
    "commit": Field("system-id", "the version of the project's files"),
    "configuration": Field("system-id", "the hash of the project file and its jobs"),
    "job": Field("code", "the job's name in the project file"),
    "operation": Field("code", "the operation's name in the job script"),
    "credential": Field("code", "the credential's name"),
    "recipient": Field("code", "the recipient of alerts, as the project file names them"),
    "key": Field("code", "the label of the key that the sender showed"),
    "code": Field("code", "why: a code of the engine, an adaptor or a job script"),
    "outcome": Field("code", "what became of it: succeeded, needs_person, failed; of an item: one of the six outcomes"),
    "part": Field("code", "which part of the program it happened in"),
    "type": Field("code", "the class of the error"),
    "file": Field("code", "the program file that it came from"),
    "line": Field("count", "the line in that file"),
    "index": Field("count", "the item's place in the run, from 0"),
    "size": Field("count", "bytes that were posted"),
    "units": Field("count", "units of work that the message is"),
    "jobs": Field("count", "jobs that are enabled"),
    "lines": Field("count", "lines, each of which was dropped"),
    "tries": Field("count", "how often it was tried"),
    "days": Field("count", "days that are left"),
    "count": Field("count", "how many"),
    **{
        outcome: Field("count", f"items with the outcome {outcome}")
        for outcome in ("done", "unchanged", "withheld", "refused", "parked", "failed")
    },
    "due": Field("timestamp", "when it is tried again"),
    "since": Field("timestamp", "since when"),
    "until": Field("timestamp", "until when"),
    "slot": Field("timestamp", "the time for which the job was scheduled"),
    "cursor": Field("timestamp", "how far the job has read: a time of the far side"),
    "seconds": Field("duration", "how long it took"),
    "by": Field("duration", "by how much a clock was set back"),
    "late": Field("duration", "how long after its time it began"),
}

_PLACE = ("type", "file", "line")
_COUNTED = ("done", "unchanged", "withheld", "refused", "parked", "failed")

EVENTS = {
    "service_started": Event("the service begins", ("commit", "configuration", "jobs")),
    "service_stopped": Event("the service ends in order", ("seconds",)),
    "jobs_held": Event("no job starts, since the go-live checklist wasn't passed for what would run", level="error"),
    "keys_lost": Event("the service ends, since a key of its vault is gone", level="error"),
    "message_accepted": Event("a message was kept, encrypted", ("message", "key", "size", "units")),
    "message_repeated": Event("a message was posted again while its first counts", ("message", "key", "size", "units")),
    "message_quarantined": Event("no job waits for a message", ("message", "key", "size", "units"), "warning"),
    "message_refused": Event("the holder of a key was refused", ("code", "key", "times"), "warning", rarely=True),
    "request_unauthorised": Event("somebody without a key was turned away", ("times",), "warning", rarely=True),
    "run_started": Event("a job begins", ("job", "run", "unit", "message")),
    "run_ended": Event("a job has ended", ("job", "run", "unit", "outcome", "code", *_COUNTED, "seconds")),
    "item": Event(
        "an item of a run is neither done nor unchanged", ("job", "run", "index", "outcome", "code", "operation", "ids")
    ),
    "remark": Event("a run found out what an administrator should know", ("job", "run", "index", "code"), "warning"),
    "job_raised": Event("a job met an error that nobody foresaw", ("job", "run", "operation", *_PLACE), "error"),
    "job_printed": Event("a job printed or logged; it was dropped", ("job", "run", "lines"), "warning"),
    "unit_again": Event("a unit will be tried again", ("job", "unit", "tries", "due", "code")),
    "unit_parked": Event("a person must settle a unit", ("job", "unit", "code"), "warning"),
    "unit_dead": Event("a unit was given up", ("job", "unit", "tries", "code"), "error"),
    "units_recovered": Event("what was left by a process that is gone is handed out again", ("count",), "warning"),
    "payload_erased": Event("a unit has succeeded, and its payload is deleted", ("job", "unit")),
    "payloads_scrubbed": Event("what was deleted was seen gone from the files", ("count",)),
    "payloads_expired": Event("what nobody settled in time was deleted", ("count",), "warning"),
    "record_parked": Event("a person must settle a record of a scheduled run", ("job", "ids", "code"), "warning"),
    "answers_kept": Event("answers wait, since the far side could not be reached", ("job", "run", "count")),
    "answers_delivered": Event("answers that waited were delivered", ("job", "run", "count")),
    "schedule_fired": Event("a job's time has come", ("job", "slot", "late")),
    "schedule_missed": Event("times of a job were missed; one run makes up for them", ("job", "slot", "until")),
    "no_success": Event("a job has had no success for three of its times", ("job", "since"), "error"),
    "cursor_moved": Event("a job's next run reads from a later time on", ("job", "cursor")),
    "clock_set_back": Event("the clock was set back; what waited for a later time is due now", ("by",), "warning"),
    "circuit_opened": Event(
        "a credential was refused and is left alone", ("credential", "code", "until"), "error"
    ),
    "circuit_closed": Event("a credential may be used again", ("credential",)),
    "certificate": Event("a certificate that we show needs a look", ("credential", "code", "days"), "warning"),
    "alert_sent": Event("somebody was told of what needs a look", ("recipient", "count")),
    "alert_failed": Event(
        "somebody could not be told; it is tried again", ("recipient", "code", "tries", "due"), "error"
    ),
    "clock_jumped": Event("this machine's clock went on by more, or less, than the time that passed", ("seconds",),
                          "warning"),
    "audit_broken": Event("the audit log is not as it was written", ("count",), "error"),
    "epoch_changed": Event("a new day's key is used, and older ones are destroyed", ("count",)),
    "trouble": Event("something can't be used just now, such as the disk; it is tried again",
                     ("part", "type", "code", "times"), "error", rarely=True),
    "unforeseen": Event("an error of the program itself", ("part", *_PLACE, "times"), "error", rarely=True),
    "log_failed": Event("lines could not be written to where they belong", ("times",), "error", rarely=True),
    "undeclared": Event("the program tried to write an event that isn't declared", level="error"),
}  # fmt: skip


def said(kind: Kind, value: Any) -> str | int | float:
    """A value of a field as the log may hold it; in place of one that isn't of the field's class, its length or type.

    >>> said("count", 3), said("code", "not_allowed"), said("code", "Nyaruot Beispiel"), said("system-id", ["x"])
    (3, 'not_allowed', '(16 characters)', '(a list)')
    """
    with suppress(ValueError, OverflowError):  # a text that is no time; a year or a number that is too large
        fitting = _OF_KIND[kind](value)
        if fitting is not None:
            return fitting
    return f"({len(value)} characters)" if isinstance(value, str) else f"(a {type(value).__name__})"


def _text(form: re.Pattern[str]) -> Callable[[Any], str | None]:
    return lambda value: value if isinstance(value, str) and form.fullmatch(value) else None


def _timestamp(value: Any) -> str | None:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def _duration(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return None
    return round(float(value), 3)


_OF_KIND: dict[Kind, Callable[[Any], str | int | float | None]] = {
    "system-id": _text(_ID),
    "timestamp": _timestamp,
    "count": _count,
    "code": _text(_CODE),
    "duration": _duration,
}
