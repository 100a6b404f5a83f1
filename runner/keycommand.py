"""Keys that a program of the administrators makes, hands out and destroys, from a key service or a security module.

    PROGRAM … list           the names of all keys, one a line
    PROGRAM … get NAME       the key: 32 bytes as base64; exit code 3 when there is none of that name
    PROGRAM … make NAME      makes a key of 32 random bytes, unless there is one of that name
    PROGRAM … destroy NAME   lets it be gone for good; nothing to do when there is none

Exit code 0 says that it is done, and holds at once for every host; any other means that it may be tried again. A key
leaves the program by its standard output alone; what it says on standard error is read by nobody, since it may hold
anything. Here keys are held in memory only, for seconds.

In front of each name stands the name of the installation, 16 hexadecimal digits in a file of its own in the data
directory: installations that use one program can neither open nor destroy what is another's.
"""

import base64
import binascii
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from runner import inquiry, keyfile
from runner.errors import StoreError, VaultError
from runner.inquiry import Said
from runner.vault import PUT_BACK, called

LONGEST = 10.0  # seconds that the program may take
_HELD = 10.0  # seconds for which is remembered what it said
_HELD_FAILURE = 1.0  # and for which it isn't asked again, when it failed
_NO_SUCH_KEY = 3
_INSTALLATION = re.compile(rb"[0-9a-f]{16}")
_NAME = re.compile(r"[\w.-]{1,200}", re.ASCII)
_FIX = "Ask it yourself, as the service's user: PROGRAM list. runner check tries all that it must do."


def in_a_while(seconds: float, act: Callable[[], object]) -> None:
    """Do something later, in a thread that holds up nobody's end.

    >>> in_a_while(60, list)
    """
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


class KeyCommand:
    """The vault's keys with a program. `command` are its words, `installation` the file that holds our name.

    `later` is given what to do after so many seconds: what the program said is forgotten.

    >>> keys = KeyCommand(["/opt/keys"], Path("data/keys.name"))  # doctest: +SKIP
    >>> keys.names()  # doctest: +SKIP
    ['2026-03-01', 'fingerprint']
    """

    def __init__(
        self, command: Sequence[str], installation: Path, *, seconds: float = LONGEST,
        later: Callable[[float, Callable[[], object]], None] = in_a_while,
    ) -> None:  # fmt: skip
        self._command = list(command)
        self._installation = installation
        self._seconds = seconds
        self._later = later
        self._held: dict[tuple[str, ...], Said] = {}
        self._changes = 0
        self._turn = threading.Lock()

    def names(self) -> list[str]:
        """The names of our keys. Raises StoreError."""
        ours = self._prefix()
        if ours is None:
            return []
        names = _done(self._asked("list"), "list").output.decode("ascii", "replace").split()
        if not all(map(_NAME.fullmatch, names)):
            raise StoreError("what the key command lists are no names", fix=_FIX)
        return [name.removeprefix(ours) for name in names if name.startswith(ours)]

    def read(self, name: str) -> bytes:
        """A key. Raises VaultError when the program says that there is none, StoreError when it says nothing of use."""
        ours = self._prefix()
        said = None if ours is None else self._asked("get", ours + name)
        if said is None or said.code == _NO_SUCH_KEY:
            raise VaultError(f"{called(name)} is missing: the key command has none of that name", fix=PUT_BACK)
        try:
            key = base64.b64decode(_done(said, "get").output.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != keyfile.BYTES:
            raise StoreError("what the key command gives is no key of 32 bytes in base64", fix=_FIX)
        return key

    def make(self, name: str) -> None:
        """Let a key be made, unless there is one of that name. Raises StoreError."""
        ours = self._prefix() or self._named()
        self._tell("make", ours + name)

    def destroy(self, name: str) -> None:
        """Let a key be destroyed, where there is one. Raises StoreError."""
        if ours := self._prefix():
            self._tell("destroy", ours + name)

    def _asked(self, *words: str) -> Said:
        """What the program says, or has said just now."""
        with self._turn:
            known, changes = self._held.get(words), self._changes
        if known is None:
            known = inquiry.ask([*self._command, *words], seconds=self._seconds)
            with self._turn:
                if changes == self._changes:  # else it may have been said before what was changed meanwhile
                    self._held[words] = known
                    self._later(_HELD if known.code == 0 else _HELD_FAILURE, partial(self._held.pop, words, None))
        return known

    def _tell(self, action: str, name: str) -> None:
        try:
            _done(inquiry.ask([*self._command, action, name], seconds=self._seconds), action)
        finally:
            with self._turn:
                self._changes += 1
                self._held.clear()

    def _prefix(self) -> str | None:
        """What stands before our names; None as long as no key was made."""
        try:
            name = self._installation.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            fix = "Check whose it is."
            raise StoreError(f"{self._installation} can't be read: {error.strerror}", fix=fix) from None
        if not _INSTALLATION.fullmatch(name):
            raise VaultError(f"{self._installation} holds no name of an installation", fix="Put it back as it was.")
        return f"{name.decode()}-"

    def _named(self) -> str:
        """Name the installation; where another process does it first, its name counts."""
        try:
            keyfile.put(self._installation, secrets.token_hex(8).encode())
        except OSError as error:
            fix = "Check that the folder is yours, and its disk neither full nor read-only."
            raise StoreError(f"{self._installation} can't be made: {error.strerror}", fix=fix) from None
        return f"{self._installation.read_text()}-"


def _done(said: Said, action: str) -> Said:
    if said.code != 0:
        raise StoreError(f"the key command's {action} failed: {said.trouble}", fix=_FIX)
    return said
