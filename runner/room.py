"""How much room the disk has on which a folder lies."""

import shutil
from dataclasses import dataclass
from pathlib import Path

_GIB = 1 << 30
_SHORT = 0.10, 5 * _GIB  # a part of the disk, and bytes, of which the lesser counts
_GONE = 0.02, _GIB // 5


@dataclass(frozen=True)
class Room:
    """Bytes that the disk has, and those that are free for the user of this process."""

    total: int
    free: int

    @classmethod
    def of(cls, folder: Path) -> "Room":
        """That of a folder. Raises OSError where there is none.

        >>> Room.of(Path("."))  # doctest: +SKIP
        Room(total=21474836480, free=8589934592)
        """
        usage = shutil.disk_usage(folder)
        return cls(usage.total, usage.free)

    @property
    def is_short(self) -> bool:
        """Whether a person should make room: less than a tenth is free, and less than 5 GiB.

        >>> Room(20 << 30, 1 << 30).is_short, Room(20 << 30, 3 << 30).is_short, Room(4 << 40, 6 << 30).is_short
        (True, False, False)
        """
        return self._is_less_than(*_SHORT)

    @property
    def is_gone(self) -> bool:
        """Whether nothing should be taken in any more: less than a fiftieth is free, and less than 200 MiB.

        >>> Room(20 << 30, 1 << 30).is_gone, Room(20 << 30, 1 << 20).is_gone
        (False, True)
        """
        return self._is_less_than(*_GONE)

    def _is_less_than(self, part: float, size: int) -> bool:
        return self.free < min(self.total * part, size)
