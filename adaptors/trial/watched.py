"""Tables that know which of their rows were looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, order=True)
class Row:
    """A row of a table, by its key; the key "" stands for whatever no key holds, or for a constant that has a name.

    >>> str(Row("SEXES", "f")), str(Row("SEXES", ""))
    ('SEXES f', 'SEXES')
    """

    table: str
    key: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}".rstrip()


class Watch:
    """What was looked at in the tables of one job script.

    >>> watch = Watch()
    >>> sexes = watch.table("SEXES", {"f": "female"})
    >>> watch.during(lambda: sexes["f"])
    ('female', frozenset({Row(table='SEXES', key='f')}))
    """

    def __init__(self) -> None:
        self._seen: list[Row] = []

    def saw(self, table: str, key: str) -> None:
        """Note that a row was looked at."""
        self._seen.append(Row(table, key))

    def during(self, look: Callable[[], Result]) -> tuple[Result, frozenset[Row]]:
        """What a function gives, and the rows that it looked at."""
        before = len(self._seen)
        result = look()
        return result, frozenset(self._seen[before:])

    def table(self, name: str, written: Any) -> Any:
        """What a job script writes under a name in capitals: watched, where it is a table or list of texts."""
        if isinstance(written, dict) and written and all(map(_is_text, (*written, *written.values()))):
            return _Table(self, name, written)
        return written


class _Table(dict[str, Any]):
    """A table like any other, for whoever looks something up in it."""

    def __init__(self, watch: Watch, name: str, entries: dict[str, Any]) -> None:
        super().__init__(entries)
        self._watch, self._name = watch, name
        self._folded = {key.casefold() for key in entries}

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str) and key.casefold() not in self._folded:
            self._watch.saw(self._name, "")
        return super().__contains__(key)

    def __getitem__(self, key: str) -> Any:
        self._watch.saw(self._name, key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's."""
        return self[key] if key in self else default  # noqa: SIM401


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
