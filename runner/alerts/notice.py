"""A notice: what is told to a recipient at one moment, as a document for programs and as text for people (R-LG8)."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.alerts.conditions import Condition
from runner.logs.events import said
from runner.report import shown
from runner.store import Tally, Told

_LONGEST_NAME = 60  # characters of the project's name in a subject


@dataclass(frozen=True)
class Notice:
    """`kind` is alert, digest or test; `number` counts those that a recipient got before; `began` holds the conditions
    that it tells, `ended` those that are over, and `tallies` what was done since the last digest. `pages` is an address
    of the project file, or nothing; so is `console`, behind which the page of each condition is named."""

    kind: str
    project: str
    time: datetime
    recipient: str = ""
    number: int = 0
    began: Sequence[Condition] = ()
    ended: Sequence[Told] = ()
    tallies: Sequence[Tally] = ()
    pages: str = ""
    console: str = ""

    @property
    def id(self) -> str:
        """The same for the same content and number, so that one that arrives twice is recognised."""
        told = {name: value for name, value in self.document().items() if name != "time"}
        return hashlib.sha256(json.dumps(told, default=shown).encode()).hexdigest()[:32]

    @property
    def subject(self) -> str:
        """One line.

        >>> Notice("digest", "gambella", datetime(2026, 3, 1)).subject
        'gambella: nothing needs a look'
        """
        name = "".join(sign for sign in self.project if sign.isprintable())[:_LONGEST_NAME]
        if self.kind == "test":
            return f"{name}: a test"
        over = f"{len(self.ended)} ended" if self.ended else ""
        codes = ", ".join(dict.fromkeys(each.code for each in self.began))
        needs = f"{len(self.began)} need a look ({codes})" if self.began else ""
        return f"{name}: {'; '.join(filter(None, (needs, over))) or 'nothing needs a look'}"

    def document(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {
            "kind": self.kind,
            "project": self.project,
            "time": self.time,
            "recipient": self.recipient,
            "number": self.number,
            "began": [each.document() for each in self.began],
            "ended": [{"code": each.code, "about": _word(each.about), "why": _word(each.why)} for each in self.ended],
            "runs": [{**vars(each), "job": _word(each.job), "items": dict(each.items)} for each in self.tallies],
            "pages": self.pages,
            "console": self.console,
        }

    def lines(self) -> Iterator[str]:
        """All of it, for people."""
        yield f"{self.subject}, {shown(self.time)}"
        for each in self.began:
            yield ""
            yield f"! {each.sentence}"
            yield f"  {each.severity}{f', since {shown(each.since)}' if each.since else ''}"
            if each.ids:
                yield f"  {' '.join(str(said('system-id', name)) for name in each.ids)}"
            yield f"  {each.runbook}"
            if self.console:
                yield f"  {self.console}{each.page}"
        if self.ended:
            yield ""
            yield "It works again, or was settled:"
            yield from (f"  {_named(each)}" for each in self.ended)
        if self.tallies:
            yield ""
            yield "Since the last digest:"
            yield from (f"  {_counted(each)}" for each in self.tallies)
        yield ""
        yield f"runner status{f' · {self.pages}' if self.pages else ''}"


def _named(told: Told) -> str:
    return " ".join(filter(None, (told.code, _word(told.about), _word(told.why))))


def _counted(tally: Tally) -> str:
    items = ", ".join(f"{count} {_word(outcome)}" for outcome, count in tally.items.items())
    return f"{_word(tally.job)}: {tally.runs} runs {_word(tally.outcome)}{f' ({items})' if items else ''}"


def _word(text: str) -> str:
    return str(said("code", text)) if text else ""
