"""The data directory: everything that outlives a process, behind one interface. No SQL outside this package.

    messages    what was posted: accepted once, counted when repeated, quarantined when no job wants it
    units       what one job has to do for one subject: claim, then succeed, try_again, park or give_up
    envelopes   their states, sealed; wrapped anew, erased with receipts, scrubbed
    schedules   runs that no message started: slots, parked records, tries
    switches    schedules that are off
    setbacks    what was kept by a clock that was set back since
    repairs     what was found missing: queued, held back, mended
    attention   what waits for a person: parked, retry, discard, expire
    erasure     what is known of a person, erased
    retention   what is older than agreed
    ledger      what was sent, how far was read, which answers wait
    runs        one line for each run and item
    history     what was run, chosen by job, outcome, code and time
    mentions    which items name an id
    search      what is known of an id
    days        what came of each day
    access      keys of the inbox, circuits of credentials, settings
    accounts    who may look at the console, and who is looking
    audit       who did what, in entries that are bound to each other
    copies      backup and restore
    listings    what commands show
    watch       what a running service saw, and who was told of it
    locks       who is at what

Every change is one transaction, committed and flushed when its call returns; whatever goes wrong is a StoreError, and
then nothing was changed. Who gives the time gives it as `now`, an aware datetime.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Self

from runner.store.access import Access
from runner.store.accounts import Account, Accounts, Session
from runner.store.attention import Attention
from runner.store.audit import Audit
from runner.store.copies import Copies, prepare, read_backup
from runner.store.database import wall_clock
from runner.store.days import Days
from runner.store.envelopes import Envelopes
from runner.store.erasure import About, Erasure
from runner.store.history import History
from runner.store.ledger import Ledger, Memory, Outbox
from runner.store.lines import (
    AuditLine,
    Counts,
    DayCount,
    Entered,
    Erased,
    Found,
    Known,
    MessageLine,
    Receipt,
    Tally,
    UnitLine,
    Unsettled,
    WaitingLine,
)
from runner.store.listings import Listings
from runner.store.locks import Locks
from runner.store.messages import Messages
from runner.store.offers import Offers
from runner.store.records import (
    NEEDS_PERSON,
    WAITING,
    Accepted,
    Circuit,
    ItemRecord,
    Key,
    Missing,
    NewMessage,
    NewUnit,
    Parked,
    RunRecord,
    Sign,
    StartedBy,
    SwitchedOff,
    Telling,
    Told,
    Unit,
)
from runner.store.repairs import Repairs
from runner.store.retention import Retention
from runner.store.runs import Runs
from runner.store.schedules import Schedules
from runner.store.search import Search
from runner.store.setbacks import Setbacks
from runner.store.sqlite import FILE
from runner.store.switches import Switches
from runner.store.units import Units, held_as
from runner.store.watch import Watch

__all__ = [
    "FILE",
    "NEEDS_PERSON",
    "WAITING",
    "About",
    "Accepted",
    "Account",
    "AuditLine",
    "Circuit",
    "Counts",
    "DayCount",
    "Entered",
    "Erased",
    "Found",
    "ItemRecord",
    "Key",
    "Known",
    "Ledger",
    "MessageLine",
    "Missing",
    "NewMessage",
    "NewUnit",
    "Outbox",
    "Parked",
    "Receipt",
    "RunRecord",
    "Session",
    "Sign",
    "StartedBy",
    "Store",
    "SwitchedOff",
    "Tally",
    "Telling",
    "Told",
    "Unit",
    "UnitLine",
    "Unsettled",
    "WaitingLine",
    "held_as",
    "prepare",
    "read_backup",
]


class Store(
    Messages, Units, Envelopes, Schedules, Switches, Setbacks, Repairs, Attention, Erasure, Retention, Memory, Runs,
    Days, Access, Accounts, Audit, Copies, Listings, History, Search, Watch, Locks, Offers,
):  # fmt: skip
    """The data directory, open.

    >>> import tempfile
    >>> with Store.open(Path(tempfile.mkdtemp())) as store:
    ...     store.move_cursor("decisions", "2026-03-01T10:00:00Z")
    ...     store.cursor("decisions")
    '2026-03-01T10:00:00Z'
    """

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        at: str | None = None,
        patience: float = 5.0,
        now: Callable[[], datetime] | None = None,
        who: str | None = None,
        moving: bool = False,
    ) -> Self:
        """Open the store, made anew where there is none: directory 0700, files 0600. Raises StoreError.

        `at` is the address of a PostgreSQL database, where one is used instead of a file in the directory. `patience`
        is how many seconds another process may keep that locked. `now` dates what operations write into ledger and
        outbox. `who` is the name in the audit log of who changes it, the system's user if not given. With `moving` it
        is opened on its way from the one to the other.
        """
        return cls(folder, at=at, patience=patience, who=who, moving=moving, now=now or wall_clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
