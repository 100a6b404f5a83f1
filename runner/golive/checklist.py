"""The agencies' go-live checklist, K1 to K9: what this program can see of each row, and what people must confirm.

It gives evidence for review. Whether that is enough is for the agencies to say.
"""

import json
import pwd
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from runner import keys, scan
from runner.errors import WrongUse
from runner.golive import permission
from runner.golive.permission import Signature
from runner.logs import events
from runner.places import Places
from runner.project import Project
from runner.provenance import CHANGED, Provenance
from runner.store import FILE, Key, Store

Status = Literal["pass", "fail", "needs_person"]

_OURS = re.compile(
    rf"{re.escape(FILE)}(-wal|-shm|-journal)?|store\.(key|elsewhere)|keys\.name|keys/[a-z0-9-]+\.key|locks/[0-9a-f]{{32}}"
)
_DONE = ("succeeded", "refused")
_AGREED_DAYS = 7  # for which payloads may wait for a person (R-DL4)


@dataclass(frozen=True)
class Installation:
    """What is looked at, and when."""

    store: Store
    project: Project
    places: Places
    made_of: Provenance
    now: datetime


@dataclass(frozen=True)
class Seen:
    """What the program sees of a row: sentences that speak for it (`evidence`), and such that don't (`faults`).

    `about` are the texts that a person's confirmation is for; `signers` is how many have to confirm it.
    """

    evidence: Sequence[str]
    faults: Sequence[str] = ()
    about: Sequence[str] = ()
    signers: int = 1


@dataclass(frozen=True)
class Row:
    """A row of the checklist: what the agencies ask, what is `seen`, what a person `confirms`, and who has."""

    id: str
    asks: str
    confirms: str
    seen: Seen
    signed: tuple[Signature, ...] = field(default=())

    @property
    def about(self) -> str:
        """The hash of what is confirmed."""
        return permission.digest(self.id, *self.seen.about)

    @property
    def lacking(self) -> int:
        """How many people must still confirm it; each counts once."""
        return max(self.seen.signers - len({each.name.casefold() for each in self.signed}), 0)

    @property
    def status(self) -> Status:
        """A fault can't be signed away."""
        return "fail" if self.seen.faults else "needs_person" if self.lacking else "pass"


def checklist(at: Installation) -> list[Row]:
    """All nine rows, with the signatures that still hold. Raises StoreError."""
    given = permission.signatures(at.store)
    return [_signed(Row(name, asks, confirms, look(at)), given) for name, (asks, confirms, look) in _ROWS.items()]


def _signed(row: Row, given: list[Signature]) -> Row:
    holding = tuple(each for each in given if (each.row, each.about) == (row.id, row.about))
    return Row(row.id, row.asks, row.confirms, row.seen, holding)


def _at_rest(at: Installation) -> Seen:
    rehearsed = permission.rehearsal(at.store, at.made_of)
    strange = sum(not _OURS.fullmatch(path.relative_to(at.places.data).as_posix()) for path in _files(at.places.data))
    held = "with the key command" if at.places.key_command() else "in the data directory"
    evidence = ["there is no setting that keeps a payload after its success", f"the keys of what waits are {held}"]
    faults = []
    if rehearsed:
        told = rehearsed.about
        evidence.append(
            f"rehearsed {_when(rehearsed.time)}: of {told['texts']} texts of invented children, in every encoding, "
            f"{told['found']} bytes were found in {told['files']} files"
        )
    if not rehearsed or rehearsed.about["code"] != "passed":
        faults.append("no rehearsal of this configuration has passed: runner golive rehearse")
    if strange:
        faults.append(f"{strange} files in the data directory aren't the program's")
    else:
        evidence.append("the data directory holds the program's own files only, and no file of payloads")
    return Seen(evidence, faults, signers=0)


def _deleted(at: Installation) -> Seen:
    at.store.scrub(now=at.now)
    units = [at.store.unit(holder) for holder in at.store.holders()]
    kept = sum(unit is not None and unit.status in _DONE for unit in units)
    faults = [f"{kept} payloads are kept although their chain succeeded"] if kept else []
    if unseen := at.store.unscrubbed():
        faults.append(f"{unseen} deleted payloads were not yet seen gone from the files; try again in a minute")
    faults += at.store.audit_faults()
    erased = len(at.store.audit_log(event="payload_erased"))
    days = at.project.settings["retention"].get("payload_days", _AGREED_DAYS)
    longer = days > _AGREED_DAYS
    evidence = [
        "what has succeeded is deleted in the same transaction, which can't be set otherwise",
        f"{erased} payloads were deleted, each with a receipt, and the audit log is as it was written",
        f"{len(units)} payloads wait now, encrypted; what nobody settles is deleted after {days} days",
    ]
    if longer:
        evidence.append(f"that deviates from the agreed {_AGREED_DAYS} days")
    return Seen(evidence, faults, [f"{days} days"], signers=int(longer))


def _versioned(at: Installation) -> Seen:
    version = at.made_of.version
    faults = []
    if version is None:
        faults.append("the project's folder is not under version control, or nothing was committed")
    elif version.endswith(CHANGED):
        faults.append("files differ from the commit: git status names them")
    started = next(reversed(at.store.audit_log(event="service_started")), None)
    same = started is not None and started.about.get("configuration") == at.made_of.configuration
    evidence = [
        f"commit {version or 'unknown'}, configuration {at.made_of.configuration}",
        "a service whose configuration is another holds its jobs",
    ]
    if started:
        evidence.append(f"the last service started {_when(started.time)}, with {'the same' if same else 'another'} one")
    return Seen(evidence, faults, [at.project.name])


def _logged(at: Installation) -> Seen:
    shown = sorted(at.project.settings["log"].get("shown_ids", []))
    rehearsed = permission.rehearsal(at.store, at.made_of)
    clean = rehearsed is not None and rehearsed.about["code"] == "passed"
    declared = {name: asdict(each) for table in (events.EVENTS, events.FIELDS) for name, each in table.items()}
    evidence = [
        f"the log can hold {len(events.EVENTS)} events with ids, codes, counts and times: runner logs inventory",
        f"ids that are shown as they are, whosever they may be: {', '.join(shown) or 'none'}",
    ]
    if clean:
        evidence.append("the rehearsal searched its log, too, and found nobody")
    faults = [] if clean else ["no rehearsal has shown that nobody is found in the log: runner golive rehearse"]
    return Seen(evidence, faults, [json.dumps(declared, sort_keys=True), *shown], signers=2)


def _handed_over(at: Installation) -> Seen:
    known = list(at.store.keys())
    active = [key for key in known if keys.is_active(key, at.now)]
    newest = {key.label: key for key in active}  # the oldest comes first
    faults = [] if active else ["there is no key that opens the inbox: runner keys create LABEL"]
    for key in active:
        if key.id != newest[key.label].id and key.expires is None:
            faults.append(f"the key {key.id} of {key.label} is older than the newest, and doesn't end")
    faults += [f"the key {key.id} of {label} was never used" for label, key in newest.items() if key.last_used is None]
    evidence = [f"the key {key.id} of {key.label}: 256 random bits, {_of_key(key)}" for key in newest.values()]
    evidence.append(f"{len(known) - len(active)} older keys don't open the inbox any more")
    return Seen(evidence, faults, sorted(key.id for key in newest.values()))


def _of_key(key: Key) -> str:
    used = _when(key.last_used.isoformat()) if key.last_used else "never"
    return f"made {_when(key.created.isoformat())}, last used {used}"


def _code_only(at: Installation) -> Seen:
    try:
        found = scan.scan(at.project.folder, history=True)
    except WrongUse as error:
        return Seen([], [str(error)])
    faults = [f"{len(found)} findings: runner scan --history names them"] if found else []
    evidence = [] if found else ["no secret and no data of people was found in the files and their history"]
    return Seen(evidence, faults, [at.project.name])


def _who_may_read(at: Installation) -> Seen:
    paths = [path for folder in (at.places.data, at.places.credentials) for path in (folder, *_files(folder))]
    status = [path.stat() for path in paths if path.exists()]
    owners = sorted({_owner(each.st_uid) for each in status})
    opened = sum(bool(each.st_mode & 0o077) for each in status)
    faults = [f"{opened} files or folders with data or credentials can be read by others"] if opened else []
    readers = [f"{each.name} ({each.role})" for each in at.store.accounts() if each.ended is None]
    evidence = [
        f"the data directory and the credentials belong to {', '.join(owners)}; who is root can read them, too",
        f"accounts of the console, which shows ids, codes and counts only: {', '.join(readers) or 'none'}",
    ]
    return Seen(evidence, faults, owners)


def _narrow(at: Installation) -> Seen:
    names = sorted({file for job in at.project.jobs.values() for file in job.credentials.values()})
    evidence, faults = [f"credentials that jobs use: {', '.join(names) or 'none'}"], []
    checked = permission.systems_check(at.store, at.made_of)
    if checked and checked.about["code"] == "passed":
        evidence.append(f"checked {_when(checked.time)}: each account has the rights that the jobs need, and no more")
    elif names:
        faults.append("no check of the live systems has passed for this configuration: runner check")
    return Seen(evidence, faults, names)


def _trained(at: Installation) -> Seen:
    played = next(reversed(at.store.audit_log(event="golive_rehearsed")), None)
    evidence = [f"the rehearsal was last played {_when(played.time)}, by {played.who}"] if played else []
    faults = [] if played else ["no administrator has played the rehearsal: runner golive rehearse"]
    return Seen(evidence, faults, [at.project.name])


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _when(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d}"


# What the agencies ask, what a person confirms, and how the program looks at it.
_ROWS: dict[str, tuple[str, str, Callable[[Installation], Seen]]] = {
    "K1": ("no data of cases at rest in this system", "", _at_rest),
    "K2": ("what was posted is deleted once it is synced", "that payloads may wait longer than agreed", _deleted),
    "K3": ("job scripts under version control before set-up begins", "the rules of the branch", _versioned),
    "K4": ("partners sign what is logged: ids and times only", "the log's inventory, one of each agency", _logged),
    "K5": ("the inbox's key is reset for production and handed over", "handed over by a safe channel", _handed_over),
    "K6": ("the repository holds code, never data; few may read it", "the list of who may read it", _code_only),
    "K7": ("only named administrators have access", "the list of administrators", _who_may_read),
    "K8": ("credentials are for the API only, and narrow", "the rights of each account, on both sides", _narrow),
    "K9": ("administrators are trained", "the day of the training", _trained),
}  # fmt: skip
