"""Whose key a request bears (R-WH3, R-WH4)."""

import asyncio
import base64
import binascii
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from runner import keys
from runner.errors import StoreError
from runner.store import Key, Store

_FRESH = timedelta(seconds=1)
_NOTED = timedelta(minutes=1)


def presented(headers: Headers) -> str:
    """The key in `x-api-key`, as bearer, or as the password of Basic; empty when there is none.

    >>> presented(Headers({"authorization": "Bearer abc"}))
    'abc'
    """
    if "x-api-key" in headers:
        return headers["x-api-key"].strip()
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            return _password(rest)
    return ""


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


class KnownKeys:
    """The keys as the store holds them, remembered for a second, so that good keys wait for nobody.

    What isn't known is looked for in the store once more, since a key counts from the moment it is made. Those who wait
    for that share one reading, or its failure: a flood of bad keys makes no more of them than one.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._keys: list[Key] = []
        self._read_at: datetime | None = None
        self._begun = self._ended = 0
        self._trouble: StoreError | None = None
        self._lock = asyncio.Lock()
        self._noted: dict[str, datetime] = {}

    async def holder(self, text: str) -> Key | None:
        """The key that a text is, or None. Raises StoreError."""
        found = keys.recognise(text, self._keys, self._now())
        if found and self._read_at and abs(self._now() - self._read_at) < _FRESH:
            return found
        await self._read_again()
        return keys.recognise(text, self._keys, self._now())

    async def note_use(self, key: Key) -> None:
        """Remember that a key was used, once a minute at most; a message that was kept doesn't depend on it."""
        now = self._now()
        if key.id in self._noted and abs(now - self._noted[key.id]) < _NOTED:
            return
        self._noted[key.id] = now
        with suppress(StoreError):
            await run_in_threadpool(partial(self._store.touch_key, key.id, now=now))

    async def _read_again(self) -> None:
        begun_before = self._begun
        async with self._lock:
            if self._ended > begun_before:  # a reading that began since we came; one that was broken off doesn't count
                if self._trouble:
                    raise self._trouble
                return
            self._begun += 1
            number, now = self._begun, self._now()
            try:
                self._keys = await run_in_threadpool(self._store.keys)
            except StoreError as error:
                self._ended, self._trouble = number, error
                raise
            self._read_at, self._ended, self._trouble = now, number, None
