"""Where a command finds the project file, the credentials and the data."""

import re
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import WrongUse

if TYPE_CHECKING:
    from runner.keycommand import KeyCommand
    from runner.store import Store
    from runner.vault import Vault


@dataclass(frozen=True)
class Places:
    """The three places. They begin at the project file's folder, and a profile has folders of its own in them.

    The profile `production` is more than a name: jobs are held there until the go-live checklist is passed.
    """

    project: Path
    credentials: Path
    data: Path
    production: bool = False

    @classmethod
    def of(cls, arguments: Namespace) -> "Places":
        """Take them from the command line.

        >>> from argparse import Namespace
        >>> Places.of(Namespace(project=None, credentials=None, data=None, profile="staging")).data
        PosixPath('data/staging')
        """
        project = Path(arguments.project or "project.yaml")
        profile = arguments.profile or ""
        if not re.fullmatch(r"[A-Za-z0-9_-]*", profile):
            raise WrongUse("a profile is a plain word", fix="Use letters, digits, - and _.")
        return cls(
            project=project,
            credentials=Path(arguments.credentials or project.parent / "credentials" / profile),
            data=Path(arguments.data or project.parent / "data" / profile),
            production=profile == "production",
        )

    def store(self, *, who: str | None = None) -> "Store":
        """Open the store: that of the data directory, or the database that the project file names. Raises StoreError.

        `who` is the name in the audit log of who changes it, the system's user if not given.
        """
        from runner.store import Store  # here, since not every command needs one

        return Store.open(self.data, at=self.address(), who=who)

    def address(self) -> str | None:
        """The address of the database that the project file names, or None. Raises InvalidProject."""
        if not self._may_name("store"):
            return None
        from runner import project

        return project.store_at(self.project)

    def vault(self, *, now: Callable[[], datetime]) -> "Vault":
        """The vault: its keys are in the data directory, or with the program that the project file names.

        Raises InvalidProject.
        """
        from runner.keyfolder import KeyFolder
        from runner.vault import Vault

        return Vault(self.key_command() or KeyFolder(self.data / "keys"), now=now)

    def key_command(self) -> "KeyCommand | None":
        """The program that holds the vault's keys, where the project file names one. Raises InvalidProject."""
        if not self._may_name("keys"):
            return None
        from runner import project
        from runner.keycommand import KeyCommand

        command = project.load(self.project).settings["keys"].get("command")
        if not command:
            return None
        program, *words = command
        program = str((self.project.parent / program).absolute()) if "/" in program else program
        return KeyCommand([program, *words], self.data / "keys.name")

    def _may_name(self, table: str) -> bool:
        """Whether the project file can name such a thing; where not, as nearly always, it needn't be loaded."""
        return self.project.is_file() and table.encode() in self.project.read_bytes()
