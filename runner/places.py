"""Where a command finds the project file, the credentials and the data."""

import re
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import WrongUse

if TYPE_CHECKING:
    from runner.store import Store


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
        if not self.project.is_file() or b"store" not in self.project.read_bytes():
            return None  # so it is nearly always, and nothing more is read
        from runner import project

        return project.store_at(self.project)
