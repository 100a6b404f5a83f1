"""What became of one step of the story."""

from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Played:
    """A step of the story, the runs of its job until then, and the items with the last word on each."""

    step: dict[str, Any]
    runs: list[dict[str, Any]]
    items: list[dict[str, Any]]

    @property
    def outcomes(self) -> dict[str, int]:
        """How many items had each outcome."""
        return dict(Counter(item["outcome"] for item in self.items))

    @property
    def as_foretold(self) -> bool:
        """Whether these are the outcomes that the story foretells."""
        return bool(self.outcomes == self.step["expected"])

    @property
    def by_schedule(self) -> bool:
        """Whether no message started the last run."""
        return self.runs[-1]["unit"] is None

    @property
    def document(self) -> dict[str, Any]:
        """For `--json`."""
        told = {name: self.step[name] for name in ("exchange", "says", "job", "expected")}
        started = {"started_by": "schedule" if self.by_schedule else "message", "started": self.runs[-1]["started"]}
        return {**told, "outcomes": self.outcomes, **started, "runs": len(self.runs), "items": self.items}
