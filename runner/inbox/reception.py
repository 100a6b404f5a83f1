"""Bodies on their way from the requests that brought them into the store, in the order in which they came."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate

from runner.inbox.intake import Body, Intake, Outcome, fail
from runner.store import Accepted

_TOGETHER = 64  # bodies
_ROOM = 2_000_000  # bytes of bodies, unless one alone has more: what is made of all of them is held at once
_Waiting = tuple[Body, asyncio.Future[Outcome]]


class Reception:
    """Takes in what many requests bring at once: all that wait go together, one group after the other.

    With a thread for each request these would only keep each other from working, and some would wait much longer than
    others. `told` is called beside the event loop, with each message that was kept and its body.
    """

    def __init__(self, intake: Intake, told: Callable[[Accepted, Body], None]) -> None:
        self._intake = intake
        self._told = told
        self._waiting: list[_Waiting] = []
        self._at_work: asyncio.Task[None] | None = None

    async def take(self, body: bytes, key_label: str) -> Accepted:
        """As `Intake.take`: when this returns, the message is committed and flushed."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(((body, key_label), outcome))
        if self._at_work is None:
            self._at_work = asyncio.create_task(self._take_waiting())
        return (await outcome)()

    async def _take_waiting(self) -> None:
        try:
            while self._waiting:
                number = self._next_group()
                group, self._waiting = self._waiting[:number], self._waiting[number:]
                await self._take_group(group)
        finally:
            self._at_work = None

    def _next_group(self) -> int:
        """How many of those who wait go together."""
        sizes = accumulate(len(body) for (body, _), _ in self._waiting[:_TOGETHER])
        return max(sum(size <= _ROOM for size in sizes), 1)

    async def _take_group(self, group: Sequence[_Waiting]) -> None:
        bodies = [body for body, _ in group]
        try:
            # Not in Starlette's threads, which pages of the console may all hold up.
            outcomes = await asyncio.to_thread(self._take_each, bodies)
        except Exception as error:
            outcomes = [partial(fail, error)] * len(group)
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if not future.done():  # else the request was broken off
                future.set_result(outcome)

    def _take_each(self, bodies: Sequence[Body]) -> list[Outcome]:
        outcomes = self._intake.take_each(bodies)
        for body, outcome in zip(bodies, outcomes, strict=True):
            with suppress(Exception):  # who asked is told
                self._told(outcome(), body)
        return outcomes
