"""What can be seen of a service at one moment: its store, certificates, keys, disk and clock."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from runner.errors import StoreError, VaultError
from runner.golive import permission
from runner.places import Places
from runner.project import Job, Project
from runner.provenance import Provenance
from runner.room import Room
from runner.store import Store, Unsettled
from runner.tls.slots import Finding
from runner.vault import Vault

_WAITING_HOURS = 4


@dataclass(frozen=True)
class Sight:
    """What conditions are derived from. `findings` are those of the certificates, `missing_keys` counts keys of the
    vault that are gone though something needs them, `keys_away` tells that none can be had just now, `room` is that of
    the data directory (None where it can't be told), `held` tells that the go-live checklist holds all jobs, and
    `waiting_long` is how long something may wait."""

    store: Store
    jobs: Sequence[Job]
    now: datetime
    findings: Sequence[Finding] = ()
    missing_keys: int = 0
    keys_away: bool = False
    room: Room | None = None
    held: bool = False
    waiting_long: timedelta = timedelta(hours=_WAITING_HOURS)

    @cached_property
    def unsettled(self) -> Sequence[Unsettled]:
        """All that isn't settled, read once, however many look at it. Raises StoreError."""
        return self.store.unsettled()


def look(
    store: Store, project: Project, places: Places, *, now: datetime, made_of: Provenance, findings: Sequence[Finding]
) -> Sight:
    """Look at everything, now. `findings` are given, since looking at certificates takes a while. Raises StoreError."""
    room = None
    with suppress(OSError):
        room = Room.of(store.folder)
    missing, away = _keys(store.pending_epochs(), places.vault(now=lambda: now))
    hours = project.settings.get("alerts", {}).get("waiting_hours", _WAITING_HOURS)
    return Sight(
        store=store,
        jobs=list(project.jobs.values()),
        now=now,
        findings=findings,
        missing_keys=missing,
        keys_away=away,
        room=room,
        held=permission.is_held(store, places, made_of),
        waiting_long=timedelta(hours=hours),
    )


def _keys(needed: Sequence[str], vault: Vault) -> tuple[int, bool]:
    """How many keys are gone that something needs, and whether none can be had just now."""
    missing = 0
    try:
        known = vault.epochs()
        missing = len(set(needed) - set(known))
        if known:
            vault.keyed("")
    except StoreError:
        return 0, True
    except VaultError:
        return missing + 1, False
    return missing, False
