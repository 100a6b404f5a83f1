"""The systems that a project connects: what the jobs take for granted of each is asked of its adaptor.

An adaptor that can check has a module `check` with `snapshot`, `labels`, `check` and `probe`; docs/adding-an-adaptor.md
tells what they give and take. It is loaded by the credential's name, as jobs are by their path: the engine knows none.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from runner.check.findings import NOTE, WRONG, Finding
from runner.check.uses import Use, lists_of, of_job
from runner.errors import is_made_to_be_shown
from runner.jobscript import JobScript
from runner.project import Job

ADAPTORS = "adaptors"


@dataclass(frozen=True)
class System:
    """One account of one system: what the jobs that use it do there. `file` is the credential's."""

    name: str
    file: str
    uses: list[Use] = field(repr=False)
    lists: list[dict[str, Any]] = field(repr=False)

    @property
    def where(self) -> str:
        """How findings call it."""
        return self.name if self.name == self.file else f"{self.name} ({self.file})"

    @property
    def adaptor(self) -> Any:
        """Its adaptor's check, or None."""
        wanted = f"{ADAPTORS}.{self.name}.check"
        try:
            return import_module(wanted)
        except ModuleNotFoundError as error:
            if error.name and wanted.startswith(error.name):
                return None
            raise

    def check(self, known: Any) -> Iterator[Finding]:
        """Findings against what is known of it, without network."""
        if self.adaptor:
            yield from _told(self.where, lambda: self.adaptor.check(self.uses, self.lists, known))

    def probe(self, credential: Any) -> Iterator[Finding]:
        """Findings that only the live system can give. What it refuses is a finding, too."""
        if self.adaptor:
            with self._state(credential) as state:
                yield from _told(self.where, lambda: self.adaptor.probe(state, self.uses))
        else:
            yield Finding(NOTE, self.where, "adaptor", "can't check its system")

    def snapshot(self, credential: Any) -> Any:
        """What the live system tells of itself; None where it tells nothing. Raises what the adaptor does."""
        if not self.adaptor:
            return None
        with self._state(credential) as state:
            return self.adaptor.snapshot(state, self.uses)

    def labels(self, known: Any) -> dict[str, Any]:
        """What the system calls its fields."""
        return self.adaptor.labels(known) if self.adaptor and known else {}

    @contextmanager
    def _state(self, credential: Any) -> Iterator[dict[str, Any]]:
        """A state to ask with; the connections that were opened for it end with it."""
        state: dict[str, Any] = {"configuration": {self.name: credential}}
        try:
            yield state
        finally:
            if runtime := state.get("runtime"):
                runtime.close()


def systems(jobs: Iterable[tuple[Job, JobScript]]) -> list[System]:
    """The systems of these jobs, one for each credential: narrow accounts are looked at one by one."""
    found: dict[tuple[str, str], System] = {}
    for job, script in jobs:
        uses, lists = of_job(script), lists_of(script)
        for name, file in job.credentials.items():
            system = found.setdefault((name, file), System(name, file, [], []))
            system.uses.extend(uses.get(name, ()))
            system.lists.extend(lists)
    return list(found.values())


def _told(where: str, look: Any) -> Iterator[Finding]:
    try:
        for told in look():
            yield Finding(told["level"], where, told["what"], told["found"], told["fix"])
    except Exception as error:
        if not is_made_to_be_shown(error):
            raise
        yield Finding(WRONG, where, "asking it", str(error), str(getattr(error, "fix", None) or "Try it again later."))
