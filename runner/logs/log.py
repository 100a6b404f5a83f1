"""The log of the service: registered events, one line each.

    log.write("run_ended", job="sort", outcome="succeeded", seconds=1.2)

    json    {"time": "2026-03-01T10:00:00.000Z", "level": "info", "event": "run_ended", "job": "sort", …}
    text    2026-03-01T10:00:00.000Z info    run_ended job=sort outcome=succeeded seconds=1.2

Nothing that happens in here stops the service, and no value gets through that isn't of its field's class.
"""

import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.errors import RunnerError
from runner.logs.events import ALWAYS, EVENTS, FIELDS, said

Sink = Callable[[datetime, str], None]
Line = dict[str, Any]

_A_MINUTE = timedelta(minutes=1)
# A random number or a hash says nothing outside the system that made it; any other id may be a person's (R-LG5).
_MEANINGLESS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|([0-9a-f]{32}){1,2}|[0-9a-f]{40}(-changed)?")
_KEYED = 12  # hexadecimal digits


class Log:
    """Writes events to its sinks, each of which is given the time and a line; without sinks it is silent.

    An id that is a random number or a hash is shown. Any other appears as `keyed` gives it, shortened, unless the name
    it goes by is among `shown_ids`: a UNHCR number can be recognised in the log, but not be read from it (R-LG5).

    >>> log = Log(lambda time, line: print(line), now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    >>> log.write("cursor_moved", job="sort", cursor="2026-03-01T10:00:00Z", name="Nyaruot")
    2026-03-01T00:00:00.000Z info    cursor_moved job=sort cursor=2026-03-01T10:00:00.000Z left_out=1
    """

    def __init__(
        self,
        *sinks: Sink,
        now: Callable[[], datetime],
        form: Callable[[Line], str] | None = None,
        keyed: Callable[[str], str] | None = None,
        shown_ids: Collection[str] = (),
    ) -> None:
        self._sinks = sinks
        self._now = now
        self._form = form or as_text
        self._keyed = keyed
        self._shown_ids = frozenset(shown_ids)
        self._turn = threading.RLock()
        self._failed = False
        self._rare: dict[tuple[str, str], tuple[datetime, int]] = {}

    def write(self, event: str, /, **fields: Any) -> None:
        """Write one event with these fields; what is None is left out. Never raises."""
        if not self._sinks:
            return
        if event not in EVENTS:
            event, fields = "undeclared", {}
        now = self._now()
        with self._turn:
            if EVENTS[event].rarely:
                times = self._times(event, str(fields.get("code") or fields.get("type")), now)
                if not times:
                    return
                fields["times"] = times
            self._send(now, self._form(self._line(now, event, fields)))

    def _line(self, now: datetime, event: str, fields: Mapping[str, Any]) -> Line:
        declared, given = EVENTS[event].fields, {name for name, value in fields.items() if value is not None}
        line = {"time": said("timestamp", now), "level": EVENTS[event].level, "event": event}
        line |= {name: self._said(name, fields[name]) for name in declared if name in given}
        left_out = len(given.difference(declared))
        return {**line, "left_out": left_out} if left_out else line

    def _said(self, name: str, value: Any) -> Any:
        if FIELDS[name].kind != "system-id":
            return said(FIELDS[name].kind, value)
        if isinstance(value, Mapping):
            return {str(said("code", each)): self._said_id(each, known) for each, known in value.items() if known}
        return self._said_id(name, value)

    def _said_id(self, name: Any, value: Any) -> str | int | float:
        if isinstance(value, str) and " " in value:  # several ids
            return " ".join(str(self._said_id(name, each)) for each in value.split())
        if not isinstance(value, str) or name in self._shown_ids or _MEANINGLESS.fullmatch(value):
            return said("system-id", value)
        return keyed_form(self._keyed, value)

    def _times(self, event: str, code: str, now: datetime) -> int:
        """How often a rare event has happened since it was last written; 0 when that is less than a minute ago."""
        last, since = self._rare.get((event, code), (now - _A_MINUTE, 0))
        if _A_MINUTE > now - last >= timedelta(0):
            self._rare[event, code] = (last, since + 1)
            return 0
        self._rare[event, code] = (now, 0)
        return since + 1

    def _send(self, now: datetime, line: str) -> None:
        reached = [_reaches(sink, now, line) for sink in self._sinks]
        self._failed = self._failed or not all(reached)
        if self._failed and any(reached):  # told as soon as anybody hears; being rare, this comes back here once
            self._failed = False
            self.write("log_failed")


def _reaches(sink: Sink, now: datetime, line: str) -> bool:
    try:
        sink(now, line)
    except (OSError, ValueError):
        return False
    return True


def keyed_form(keyed: Callable[[str], str] | None, value: str) -> str:
    """An id as the log shows it when it may be a person's; `keyed` is that of the vault.

    >>> keyed_form(lambda text: "9f86d081884c7d659a2f", "GAM-26-00901"), keyed_form(None, "GAM-26-00901")
    ('keyed:9f86d081884c', '(12 characters)')
    """
    with suppress(RunnerError, ValueError):  # the vault's key is gone, or it is half a character
        if keyed:
            return f"keyed:{keyed(value)[:_KEYED]}"
    return f"({len(value)} characters)"


def shown_form(keyed: Callable[[str], str] | None, value: str) -> str:
    """An id as people may see it: as it is when it is a random number or a hash, else keyed.

    >>> shown_form(None, "9f86d081884c7d659a2feaa0c55ad015"), shown_form(None, "GAM-26-00901")
    ('9f86d081884c7d659a2feaa0c55ad015', '(12 characters)')
    """
    return value if _MEANINGLESS.fullmatch(value) else keyed_form(keyed, value)


def as_json(line: Line) -> str:
    """A line for programs.

    >>> as_json({"event": "item", "ids": {"case_id": "c-1"}})
    '{"event": "item", "ids": {"case_id": "c-1"}}'
    """
    return json.dumps(line)


def as_text(line: Line) -> str:
    """A line for people.

    >>> as_text({"time": "2026-03-01T10:00:00.000Z", "level": "error", "event": "item", "ids": {"case_id": "c-1"}})
    '2026-03-01T10:00:00.000Z error   item ids.case_id=c-1'
    """
    head = f"{line['time']} {line['level']:7} {line['event']}"
    return " ".join([head, *(f"{name}={value}" for name, value in _flat(line) if name not in ALWAYS)])


def _flat(line: Line) -> Iterator[tuple[str, Any]]:
    for name, value in line.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{each}", known) for each, known in value.items())
        else:
            yield name, value


SILENT = Log(now=lambda: datetime.now(UTC))
