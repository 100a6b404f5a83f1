"""What becomes of a body: read, routed, encrypted, and kept in one transaction."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random, SystemRandom
from threading import Lock

from runner import custody, handover
from runner.errors import EpochRetired, WrongUse
from runner.inbox import strictjson
from runner.inbox.answers import Refusal
from runner.inbox.routing import Message, route
from runner.inbox.settings import Settings
from runner.project import Project
from runner.store import Accepted, NewMessage, NewUnit, Store
from runner.vault import Sealed, Vault

# All parts of a message together, in bodies of the greatest size: each is a whole message but for one list.
_GROWTH = 8
_DAYS_KEPT = 7  # what no job waits for, unless retention says otherwise


class Intake:
    """Takes bodies in. Has no HTTP in it, so that a simulation can post as well.

    `random` makes the ids; nothing depends on their being hard to guess.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        project: Project,
        settings: Settings,
        *,
        now: Callable[[], datetime],
        random: Random | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._jobs = tuple(project.jobs.values())
        self._limits = settings.limits
        self._window = timedelta(days=settings.repeat_days)
        self._kept = timedelta(days=project.settings.get("retention", {}).get("payload_days", _DAYS_KEPT))
        self._now = now
        self._random = random or SystemRandom()
        self._preparing = Lock()  # threads that all compute at once keep each other from it

    def take(self, body: bytes, key_label: str) -> Accepted:
        """Keep a message and its units of work; when this returns they are committed and flushed (R-WH1).

        The same body again is told from its fingerprint, whatever its blanks and the order of its keys (H21). One
        that no job waits for is kept apart (H37). Raises Refusal, StoreError and VaultError.
        """
        try:
            return self._keep(body, key_label)
        except EpochRetired:  # midnight passed between encrypting and keeping
            return self._keep(body, key_label)

    def take_again(self, message_id: str) -> Accepted | None:
        """Route a quarantined message once more, since the project may have been mended; None when it isn't one.

        Where still no job waits for it, it stays as it is (`matched` 0). Raises WrongUse when it is more than a message
        may be by now, StoreError and VaultError.
        """
        sealed = self._store.envelope(message_id)
        found = self._store.message(message_id)
        if sealed is None or found is None or found.status != "quarantined":
            return None
        message = handover.unpack(custody.open_sealed(self._store, self._vault, message_id, sealed))["data"]
        try:
            return self._readmit(message_id, message)
        except EpochRetired:
            return self._readmit(message_id, message)
        except Refusal as refusal:
            fix = "Raise that limit in the inbox table of the project file, or discard the message."
            raise WrongUse(f"the message {message_id} can't be taken: {refusal.code}", fix=fix) from None

    def _readmit(self, message_id: str, message: Message) -> Accepted | None:
        units = list(self._units(message))
        return self._store.readmit(message_id, units, now=self._now(), window=self._window)

    def _keep(self, body: bytes, key_label: str) -> Accepted:
        with self._preparing:
            message, units = self._prepared(body, key_label)
        return self._store.accept(message, units, now=self._now(), window=self._window, keep=self._kept)

    def _prepared(self, body: bytes, key_label: str) -> tuple[NewMessage, list[NewUnit]]:
        message = strictjson.read(body, self._limits)
        message_id = self._new_id()
        fingerprint = self._vault.fingerprint(strictjson.canonical(message))
        units = list(self._units(message))
        sealed = None if units else self._seal(message, message_id)
        return NewMessage(message_id, key_label, fingerprint, len(body), sealed), units

    def _units(self, message: Message) -> Iterator[NewUnit]:
        room = _GROWTH * self._limits.size
        for number, part in enumerate(route(message, self._jobs)):
            unit_id = self._new_id()
            sealed = self._seal(part.message, unit_id)
            room -= len(sealed.ciphertext)
            if number == self._limits.parts or room < 0:
                raise Refusal("too_many_parts")
            subject = None if part.subject is None else self._vault.keyed(part.subject)
            yield NewUnit(unit_id, part.job, subject, sealed)

    def _seal(self, message: Message, holder: str) -> Sealed:
        return self._vault.seal(handover.pack({"data": message}), about=custody.about(holder))

    def _new_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"
