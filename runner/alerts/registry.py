"""The registry of conditions: everything that can need a look, how grave it is, and the sentence that tells it.

docs/runbook.md has a section for each, under its code; the console has a page on which it is settled. A sentence holds
what its condition is `about` (a job, a credential, a label), `why` (a code), `count` and `since`, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class Declared:
    """One condition: how grave it is unless it tells itself, how people are told of it, and the path of its page."""

    severity: Severity
    sentence: str
    page: str = "/"


CONDITIONS: Mapping[str, Declared] = {
    "given_up": Declared("error", "{about}: {count} dead ({why})", "/settle/{why}"),
    "to_settle": Declared("warning", "{about}: {count} parked ({why})", "/settle/{why}"),
    "records_to_settle": Declared("warning", "{about}: {count} parked records ({why})", "/settle/{why}"),
    "answers_held": Declared("warning", "{count} answers for {about} are held ({why})", "/settle/{why}"),
    "erased_unsettled": Declared("error", "{count} were erased, since nobody settled them in time"),
    "not_routed": Declared("error", "quarantined: {count} messages that no job waits for", "/keys"),
    "job_unknown": Declared("error", "{count} wait for {about}, which is no job any more", "/settle"),
    "schedule_off": Declared("warning", "{about}: its schedule is switched off since {since}", "/setup"),
    "no_success": Declared("error", "{about}: no success since {since}", "/activity"),
    "run_failed": Declared("info", "{about}: the last run failed ({why})", "/activity"),
    "run_remarked": Declared("warning", "{about}: a run tells of {why}", "/activity"),
    "credential_refused": Declared("error", "the credential {about} was refused ({why}) and rests", "/activity"),
    "waiting_long": Declared("warning", "{count} wait, the oldest since {since}"),
    "answers_waiting_long": Declared("warning", "{count} answers wait for the far side, the oldest since {since}"),
    "jobs_held": Declared(
        "error", "no job starts: the go-live checklist wasn't passed for this configuration", "/setup"
    ),
    "certificate": Declared("error", "the certificate of {about}: {why}"),
    "certificate_ends": Declared("warning", "the certificate of {about} ends in {count} days"),
    "key_ends": Declared("warning", "the inbox's key {about} ends in {count} days", "/keys"),
    "key_ended": Declared("error", "the inbox's key {about} ended, and there is no other of that label", "/keys"),
    "inbox_without_key": Declared("error", "the inbox has no key, so that nobody can post", "/keys"),
    "vault_key_missing": Declared("error", "{count} keys of the vault are missing: what they seal can't be opened"),
    "keys_away": Declared("error", "the key command fails: nothing is taken in, and what waits can't be opened"),
    "disk_short": Declared("warning", "the disk has little room left: {count} MiB"),
    "clock_jumped": Declared("warning", "this machine's clock jumped"),
    "clock_back": Declared("error", "this machine's clock is behind what was written down before"),
    "audit_broken": Declared("error", "the audit log is not as it was written", "/audit"),
    "not_delivered": Declared("error", "alerts for {about} can't be delivered ({why})"),
}
