"""How many requests may be on their way to one host: at a time, and in a second."""

import threading
from types import TracebackType
from typing import Any


class Gate:
    """A context in which one request may be sent: it waits for its turn.

    `rate` is requests a second, spread evenly, since Primero's usual proxy refuses more than 50; `connections` is how
    many at a time.

    Example: `with Gate(40, 8, runtime): …`
    """

    def __init__(self, rate: float, connections: int, runtime: Any) -> None:
        self._space = 1 / rate
        self._places = threading.BoundedSemaphore(connections)
        self._runtime = runtime
        self._lock = threading.Lock()
        self._next = 0.0

    def __enter__(self) -> None:
        self._places.acquire()
        with self._lock:
            now = self._runtime.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._space
        if turn > now:
            self._runtime.sleep(turn - now)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()
