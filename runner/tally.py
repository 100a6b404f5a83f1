"""The tally of a run: what became of each item, packed, so that a hundred thousand of them take little memory."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, overload

Record = dict[str, Any]


class Tally(Sequence[Record]):
    """The records of items, in order. What is put in is settled: a copy is kept, and each look at it gives a new one.

    >>> tally = Tally()
    >>> tally += [{"outcome": "done", "ids": {"case_id": "c-1"}}]
    >>> len(tally), tally[0]["outcome"]
    (1, 'done')
    """

    def __init__(self) -> None:
        self._packed: list[str] = []  # a record takes a third of what its dicts would

    def append(self, record: Record) -> None:
        """Put in one record, of plain values; of any other its text is kept."""
        self._packed.append(json.dumps(record, separators=(",", ":"), default=str))

    def __iadd__(self, records: Iterable[Record]) -> Self:
        for record in records:
            self.append(record)
        return self

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[Record]:
        return map(json.loads, self._packed)

    @overload
    def __getitem__(self, place: int) -> Record: ...

    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...

    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        if isinstance(place, slice):
            return [json.loads(packed) for packed in self._packed[place]]
        return json.loads(self._packed[place])  # type: ignore[no-any-return]
