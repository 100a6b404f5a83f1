"""The folder that `runner demo --keep` leaves: project, job scripts, credentials, data, and what the far sides held."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner import yamlfile
from runner.commands.demo.service import has_its_hour
from runner.errors import UnreadableFile, WrongUse

_PRIVATE = ("data", "logs", "tmp")
_LEFT_OUT = ("store", "alerts", "metrics")
_AT_ANY_PORT = {"port": 0, "certificate": "credentials/inbox.pem", "private_key": "file:credentials/inbox.key"}


@dataclass(frozen=True)
class Kept:
    """Such a folder, and what is where in it."""

    folder: Path

    @classmethod
    def new(cls, folder: Path, original: Path) -> "Kept":
        """Make one for a copy of the project file `original` and of its job scripts.

        Raises WrongUse where something lies in the folder, or can't.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            empty = not any(folder.iterdir())
        except OSError as error:
            raise WrongUse(f"{folder} can't be used: {error.strerror}", fix="Name a new folder.") from None
        if not empty:
            raise WrongUse(f"{folder} isn't empty", fix="Name a new folder, or an empty one.")
        kept = cls(folder)
        for each in _PRIVATE:
            (folder / each).mkdir(mode=0o700)
        document = for_practice(yamlfile.read(original).value)
        for job in document["jobs"].values():
            script = folder / job["script"]
            script.parent.mkdir(exist_ok=True)
            shutil.copyfile(original.parent / job["script"], script)
        kept.project.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
        return kept

    @classmethod
    def of(cls, folder: Path) -> "Kept":
        """One that was left. Raises WrongUse where none was."""
        kept = cls(folder)
        if not kept._holdings.is_file() or not kept.project.is_file():
            raise WrongUse(f"{folder} is none that was kept", fix="Make one: runner demo --keep FOLDER")
        return kept

    @property
    def project(self) -> Path:
        """The project file."""
        return self.folder / "project.yaml"

    @property
    def credentials(self) -> Path:
        """The credentials that lead to the stand-ins, as they listened last."""
        return self.folder / "credentials"

    @property
    def data(self) -> Path:
        """Where the store lies, and the keys of what waits in it."""
        return self.folder / "data"

    @property
    def written(self) -> list[Path]:
        """Where the service writes: no child may be found there."""
        return [self.folder / name for name in _PRIVATE]

    @property
    def holdings(self) -> dict[str, Any]:
        """What the far sides held. Raises UnreadableFile."""
        try:
            found: dict[str, Any] = json.loads(self._holdings.read_text("utf-8"))
        except (OSError, ValueError):
            raise UnreadableFile(f"{self._holdings} can't be read", fix="Make another: runner demo --keep") from None
        return found

    def keep(self, holdings: dict[str, Any]) -> None:
        """Remember what the far sides hold."""
        self._holdings.write_text(json.dumps(holdings), "utf-8")

    @property
    def _holdings(self) -> Path:
        return self.folder / "far-sides.json"


def for_practice(document: dict[str, Any]) -> dict[str, Any]:
    """A project file to practise on: what fails is given up after two hours, inbox and console are at any free port,
    and nobody is told by mail. What has its hour, such as each night, is disabled.

    >>> jobs = {"a": {"script": "a.py", "trigger": "t"}, "b": {"script": "b.py", "trigger": "night"}}
    >>> triggers = {"t": {"cron": "0 * * * *"}, "night": {"cron": "30 1 * * *"}}
    >>> made = for_practice({"name": "x", "jobs": jobs, "triggers": triggers, "alerts": {}})
    >>> made["retry"], made["console"], [job["enabled"] for job in made["jobs"].values()]
    ({'hours': 2}, {'port': 0}, [True, False])
    """
    jobs = {name: {**job, "enabled": not has_its_hour(job, document)} for name, job in document["jobs"].items()}
    kept = {name: value for name, value in document.items() if name not in _LEFT_OUT}
    own = {"inbox": _AT_ANY_PORT, "console": {"port": 0}, "retry": {"hours": 2}, "log": {"folder": "logs"}}
    return {**kept, "jobs": jobs, **own}
