"""Clock, sleep, threads, chance and network of a run, in one small object that a test can replace."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any


class Runtime:
    """The real world, as far as operations see it.

    `transport` is an `httpx.BaseTransport`, or None for the real network. `fence` raises when the run isn't to send any
    more, since another machine may have taken it over. `resource` keeps what lives as long as the run does, such as an
    HTTP client; `close` ends them all.

    >>> Runtime().now().tzinfo is UTC
    True
    """

    def __init__(
        self, *, transport: Any = None, seed: int | None = None, fence: Callable[[], None] | None = None
    ) -> None:
        self.transport = transport
        self.fence = fence or _no_fence
        self.random = random.Random(seed)
        self._resources: dict[Any, Any] = {}
        self._making = threading.RLock()  # a client is made while another is wanted: reentrant

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def pool(self, workers: int) -> Executor:
        """Something that runs `workers` calls at a time."""
        return ThreadPoolExecutor(workers, thread_name_prefix="each")

    def resource(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` made for this key, made once a run. The thing may have a `close()`."""
        with self._making:
            if key not in self._resources:
                self._resources[key] = make()
            return self._resources[key]

    def close(self) -> None:
        """End everything that was kept."""
        while self._resources:
            _, thing = self._resources.popitem()
            if hasattr(thing, "close"):
                thing.close()


def _no_fence() -> None:
    """Nobody else can have taken the run over."""


def runtime_of(state: dict[str, Any]) -> Any:
    """The run's runtime; a real one is put into the state when there is none.

    >>> state = {}
    >>> runtime_of(state) is runtime_of(state)
    True
    """
    if state.get("runtime") is None:
        state["runtime"] = Runtime(fence=getattr(state.get("ledger"), "fence", None))
    return state["runtime"]
