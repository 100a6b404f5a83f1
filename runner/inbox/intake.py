"""What becomes of a body: read, routed, encrypted, and kept in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from random import Random, SystemRandom
from typing import NoReturn

from runner import custody, handover
from runner.errors import EpochRetired, WrongUse
from runner.inbox import strictjson
from runner.inbox.answers import Refusal
from runner.inbox.routing import Message, route
from runner.inbox.settings import Settings
from runner.project import Project
from runner.store import Accepted, NewMessage, NewUnit, Store
from runner.vault import Sealed, Vault

Body = tuple[bytes, str]  # and the label of the key with which it came
Outcome = Callable[[], Accepted]

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

    def take(self, body: bytes, key_label: str) -> Accepted:
        """Keep a message and its units of work; when this returns they are committed and flushed (R-WH1).

        The same body again is told from its fingerprint, whatever its blanks and the order of its keys (H21). One
        that no job waits for is kept apart (H37). Raises Refusal, StoreError and VaultError.
        """
        return self.take_each([(body, key_label)])[0]()

    def take_each(self, bodies: Sequence[Body]) -> list[Outcome]:
        """Take several at once: each by itself, but flushed together. What `take` gives or raises is to be asked for
        of each."""
        outcomes = self._taken(bodies)
        for number, outcome in enumerate(outcomes):
            with suppress(Exception):  # it is for who asks
                try:
                    outcome()
                except EpochRetired:  # midnight passed between encrypting and keeping
                    outcomes[number] = self._taken(bodies[number : number + 1])[0]
        return outcomes

    def _taken(self, bodies: Sequence[Body]) -> list[Outcome]:
        outcomes: list[Outcome | None] = []
        prepared: list[tuple[NewMessage, list[NewUnit]]] = []
        with self._vault.reading_once() as vault:
            for body, key_label in bodies:
                try:
                    prepared.append(self._prepared(body, key_label, vault))
                    outcomes.append(None)
                except Exception as error:
                    outcomes.append(partial(fail, error))
        kept = iter(self._store.accept_each(prepared, now=self._now(), window=self._window, keep=self._kept))
        return [outcome or next(kept) for outcome in outcomes]

    def _prepared(self, body: bytes, key_label: str, vault: Vault) -> tuple[NewMessage, list[NewUnit]]:
        """A body that is read, routed and encrypted."""
        message = strictjson.read(body, self._limits)
        message_id = self._new_id()
        fingerprint = vault.fingerprint(strictjson.canonical(message))
        units = list(self._units(message, vault))
        sealed = None if units else _seal(vault, message, message_id)
        return NewMessage(message_id, key_label, fingerprint, len(body), sealed), units

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
        units = list(self._units(message, self._vault))
        return self._store.readmit(message_id, units, now=self._now(), window=self._window)

    def _units(self, message: Message, vault: Vault) -> Iterator[NewUnit]:
        room = _GROWTH * self._limits.size
        for number, part in enumerate(route(message, self._jobs)):
            unit_id = self._new_id()
            sealed = _seal(vault, part.message, unit_id)
            room -= len(sealed.ciphertext)
            if number == self._limits.parts or room < 0:
                raise Refusal("too_many_parts")
            subject = None if part.subject is None else vault.keyed(part.subject)
            yield NewUnit(unit_id, part.job, subject, sealed)

    def _new_id(self) -> str:
        """A number that nobody else has. It begins with the time, as a UUID of version 7 does, so that what comes in
        together stands together in each index: with random ones, most of what a commit writes would be these."""
        milliseconds = int(self._now().timestamp() * 1000)
        return f"{milliseconds:012x}{self._random.getrandbits(128):032x}"[:32]


def _seal(vault: Vault, message: Message, holder: str) -> Sealed:
    return vault.seal(handover.pack({"data": message}), about=custody.about(holder))


def fail(error: Exception) -> NoReturn:
    """The outcome of a body that couldn't be taken."""
    raise error
