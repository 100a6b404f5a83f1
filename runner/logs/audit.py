"""The audit log: who did what and when, each entry bound to the one before it by its hash (R-AU1).

An entry's `hash` covers all that it says, and the hash before it, so that anybody can follow the chain. Its `seal` is
made of the hash with the store's own key, so that who has only the database can't make a chain of their own. The seal
of the chain's end is kept beside it, which tells when entries are missing there.

What isn't declared in EVENTS can't be written. Entries outlive payloads and can't be deleted: they hold ids, codes,
counts, times and hashes, and of the project file its settings; nothing that somebody typed as free text, but for the
names of officers who sign the go-live checklist, and the reasons for overriding it and for switching schedules (R-AU4).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.logs.events import Kind, said

START = "0" * 64
BROKEN = "f" * 64  # stands where the hash before should, when the chain's end was not to be trusted

_LONGEST = 200  # characters

CHECKLIST = tuple(f"K{number}" for number in range(1, 10))  # the rows of the go-live checklist

FIELDS: Mapping[str, Kind] = {
    "commit": "system-id", "configuration": "system-id", "hash": "system-id", "id": "system-id",
    "unit": "system-id", "message": "system-id", "key": "system-id",
    "job": "code", "label": "code", "code": "code", "method": "code", "setting": "code",
    "expires": "timestamp", "until": "timestamp", "accepted": "timestamp", "made": "timestamp",
    "account": "code", "role": "code", "row": "code", "day": "timestamp", **dict.fromkeys(CHECKLIST, "code"),
    **dict.fromkeys(
        ("count", "jobs", "payloads", "records", "answers", "ledger", "items", "runs", "messages", "units", "receipts",
         "days", "slots", "logs", "texts", "files", "found"), "count"
    ),
}  # fmt: skip
_AS_GIVEN = ("before", "after", "name", "reason")

# Each event: when it is written, and its fields.
EVENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "service_started": ("a service began", ("commit", "configuration", "jobs")),
    "service_stopped": ("a service ended in order", ()),
    "setting_changed": ("a setting is another than at the last start", ("setting", "before", "after")),
    "certificate_changed": ("a certificate is another than at the last start", ("setting", "before", "after")),
    "job_enabled": ("a job is enabled that wasn't at the last start", ("job",)),
    "job_disabled": ("a job isn't enabled any more, or is gone", ("job",)),
    "key_created": ("a key of the inbox was made", ("key", "label", "expires")),
    "key_rotated": ("a key of the inbox was replaced, and ends", ("key", "label", "until")),
    "key_revoked": ("a key of the inbox was withdrawn", ("key", "label")),
    "key_used": ("a key of the inbox was used, for the first time on this day", ("key", "label")),
    "authentication_failed": ("requests without a key that counts were turned away", ("count",)),
    "account_made": ("an account of the console was made, or made anew", ("account", "role")),
    "account_ended": ("an account of the console was ended", ("account",)),
    "password_changed": ("the holder of an account let its password be made anew", ("account",)),
    "factor_renewed": ("the holder of an account renewed its second factor", ("account",)),
    "signed_in": ("somebody signed in to the console", ("account",)),
    "signed_out": ("a session of the console was ended", ("account",)),
    "sign_in_failed": ("somebody didn't prove who they are to the console", ("account", "code")),
    "retried": ("a person let something be tried again", ("id", "code", "count")),
    "discarded": ("a person gave something up", ("id",)),
    "payload_erased": ("a payload was deleted", ("unit", "message", "job", "accepted", "method")),
    "payloads_scrubbed": ("what was deleted was seen gone from the files, or its key destroyed", ("count", "method")),
    "repaired": ("a person let reconciling deal with what was missing", ("job", "id", "code")),
    "told": ("a person has told the other agency what reconciling had found", ("id",)),
    "subject_erased": (
        "what is known of a person was deleted", ("id", "payloads", "records", "answers", "ledger", "items")
    ),
    "purged": (
        "what is older than agreed was deleted",
        ("runs", "messages", "units", "receipts", "days", "slots", "logs"),
    ),
    "schedule_off": ("a person switched the schedule of a job off", ("job", "reason")),
    "schedule_on": ("a person switched it on again", ("job", "reason")),
    "cursor_set": ("a person let a job read from another time on", ("job", "before", "after")),
    "run_by_hand": ("a person began a run of a job", ("job", "code", "commit", "configuration")),
    "state_exported": ("the final state of a run by hand is written to a file", ("job",)),
    "log_exported": ("this log was written out", ("count",)),
    "checkpoint_made": ("the end of this log was signed", ("count", "hash")),
    "backed_up": ("a backup was made", ("ledger", "records", "answers")),
    "golive_rehearsed": (
        "a person let the rehearsal be played", ("configuration", "code", "texts", "files", "found")
    ),
    "systems_checked": ("a person held the project against the live systems", ("configuration", "code", "count")),
    "golive_checked": (
        "a person went through the go-live checklist",
        ("commit", "configuration", "code", *CHECKLIST),
    ),
    "golive_signed": ("a person confirmed a row of it", ("row", "name", "day", "hash")),
    "golive_overridden": ("a person let production run without it", ("configuration", "reason")),
    "store_moved": ("the store was moved into another database", ()),
    "restored": ("a backup was restored", ("made", "ledger", "records", "answers")),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One entry, as it is kept: `about` is a JSON document, `time` UTC with milliseconds."""

    number: int
    time: str
    event: str
    who: str
    about: str
    previous: str
    hash: str = ""
    seal: str = ""

    def hashed(self) -> str:
        """The hash over all that the entry says, in one canonical form.

        >>> Entry(1, "2026-03-01T10:00:00.000+00:00", "service_stopped", "service", "{}", START).hashed()[:12]
        '29d240492e12'
        """
        said_here = [self.number, self.time, self.event, self.who, self.about, self.previous]
        return hashlib.sha256(json.dumps(said_here, default=repr).encode()).hexdigest()


def about(event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry may hold of these fields; what is None is left out. Raises KeyError for what isn't declared.

    >>> about("key_revoked", {"key": "a1b2", "label": "unhcr"}), about("discarded", {"id": "Nyaruot Beispiel"})
    ({'key': 'a1b2', 'label': 'unhcr'}, {'id': '(16 characters)'})
    """
    _, declared = EVENTS[event]
    if undeclared := fields.keys() - declared:
        raise KeyError(f"{event} has no field {', '.join(sorted(undeclared))}")
    return {name: _said(name, fields[name]) for name in declared if fields.get(name) is not None}


def faults(entries: Iterable[Entry], end: tuple[int, str, str] | None, key: bytes) -> Iterator[str]:
    """What is wrong with a whole log, in its order; nothing when it is as it was written.

    `end` is the number, hash and seal that were kept of the last entry; `key` is the store's own.
    """
    last, previous = 0, START
    for entry in entries:
        if entry.number > last + 1:
            yield f"entries {last + 1} to {entry.number - 1} are missing"
        elif entry.previous != previous:
            yield f"entry {entry.number} doesn't follow on the one before it"
        if entry.hash != entry.hashed() or entry.seal != sealed(key, f"entry {entry.hash}"):
            yield f"entry {entry.number} is not as it was written"
        last, previous = entry.number, entry.hash
    if end is None or end[2] != sealed(key, f"end {end[0]} {end[1]}"):
        yield "the end of the log is not as it was written"
    elif end[:2] != (last, previous):
        yield f"the log ends with entry {last}, and had {end[0]}"


def sealed(key: bytes, text: str) -> str:
    """A text's seal: nobody makes it, or guesses the text from it, without the key.

    >>> sealed(bytes(32), "entry") == sealed(bytes(32), "end")
    False
    """
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _said(name: str, value: Any) -> Any:
    if name in _AS_GIVEN:
        text = value if isinstance(value, str) else json.dumps(value)
        return text if len(text) <= _LONGEST else f"({len(text)} characters)"
    return said(FIELDS[name], value)
