"""`POST /inbox`: authenticate, limits, parse, route, encrypt, commit and flush, 202."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from traceback import extract_tb

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from runner.errors import StoreError, VaultError
from runner.inbox import settings
from runner.inbox.answers import Refusal, accepted, health, refused
from runner.inbox.authentication import KnownKeys, presented
from runner.inbox.intake import Intake
from runner.inbox.origin import is_allowed
from runner.inbox.rate import Rate
from runner.inbox.settings import Limits, Settings
from runner.project import Project
from runner.store import Key, Store
from runner.vault import Vault

PATH = "/inbox"
HEALTH = "/healthz"

_JSON = re.compile(r'\s*application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


def inbox(
    store: Store,
    vault: Vault,
    project: Project,
    *,
    now: Callable[[], datetime],
    tell: Callable[[str], None] = lambda line: None,
    random: Random | None = None,
) -> Starlette:
    """The inbox of a project as an ASGI application. `tell` is given a line, without data, about what nobody foresaw.

    Raises InvalidProject for settings that can't be meant.
    """
    setting = settings.of(project)
    intake = Intake(store, vault, project, setting, now=now, random=random)
    endpoints = _Endpoints(store, intake, setting, now, tell)
    app = Starlette(
        routes=[
            Route(PATH, endpoints.post, methods=["POST"]),
            Route(HEALTH, endpoints.health, methods=["GET"]),
        ],
        exception_handlers={HTTPException: endpoints.elsewhere, Exception: endpoints.unforeseen},
    )
    app.router.redirect_slashes = False  # a redirect would tell which paths there are
    return app


class _Endpoints:
    def __init__(
        self,
        store: Store,
        intake: Intake,
        setting: Settings,
        now: Callable[[], datetime],
        tell: Callable[[str], None],
    ) -> None:
        self._store = store
        self._intake = intake
        self._setting = setting
        self._known_keys = KnownKeys(store, now=now)
        self._rate = Rate(setting.rate, now=now)
        self._tell = tell

    async def post(self, request: Request) -> Response:
        try:
            return await self._keep(request)
        except Refusal as refusal:
            return refused(refusal)
        except (StoreError, VaultError):
            return refused(Refusal("unavailable"))
        except ClientDisconnect:
            return refused(Refusal("too_slow"))  # nobody hears it

    async def elsewhere(self, request: Request, _error: Exception) -> Response:
        """Any other path or method: only who has the key is told which it is."""
        try:
            await self._authenticated(request)
        except Refusal as refusal:
            return refused(refusal)
        except StoreError:
            return refused(Refusal("unavailable"))
        return refused(Refusal("method_not_allowed" if request.url.path == PATH else "unauthorised"))

    async def health(self, _request: Request) -> Response:
        try:
            await run_in_threadpool(self._store.keys)
        except StoreError:
            return health(False)
        return health(True)

    async def unforeseen(self, _request: Request, error: Exception) -> Response:
        place = extract_tb(error.__traceback__)[-1]
        self._tell(f"the inbox went wrong: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}")
        return refused(Refusal("internal"))

    async def _keep(self, request: Request) -> Response:
        key = await self._authenticated(request)
        if wait := self._rate.wait(key.id):
            raise Refusal("too_often", retry_after=wait)
        # Addresses are written down by proxies, so that what stands in one is no secret any more (R-WH11).
        if request.url.query:
            raise Refusal("query_not_allowed")
        _refuse_other_forms(request.headers)
        body = await _body(request, self._setting.limits)
        kept = await run_in_threadpool(self._intake.take, body, key.label)
        await self._known_keys.note_use(key)
        return accepted(kept.id, kept.matched)

    async def _authenticated(self, request: Request) -> Key:
        # The key is looked up in any case, so that all who are turned away wait alike (R-WH4).
        key = await self._known_keys.holder(presented(request.headers))
        peer = request.client.host if request.client else None
        forwarded_for = ",".join(request.headers.getlist("x-forwarded-for"))
        if key is None or not is_allowed(peer, forwarded_for, self._setting):
            raise Refusal("unauthorised")
        return key


def _refuse_other_forms(headers: Headers) -> None:
    if not _JSON.fullmatch(headers.get("content-type", "")):
        raise Refusal("wrong_content_type")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refusal("wrong_encoding")


async def _body(request: Request, limits: Limits) -> bytes:
    """The whole body, of which no more is read than a message may have (R-WH5)."""
    if _declared(request.headers) > limits.size:
        raise Refusal("too_large")
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.size:
                    raise Refusal("too_large")
    except TimeoutError:
        raise Refusal("too_slow") from None
    return bytes(body)


def _declared(headers: Headers) -> float:
    try:
        return float(headers.get("content-length", "0"))
    except ValueError:
        return 0  # what arrives is counted in any case
