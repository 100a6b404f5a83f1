"""`POST /inbox`: authenticate, limits, parse, route, encrypt, commit and flush, 202."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from random import Random

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from runner.errors import RunnerError, StoreError, VaultError
from runner.inbox import settings
from runner.inbox.answers import Refusal, accepted, health, refused
from runner.inbox.attempts import Attempts
from runner.inbox.authentication import KnownKeys, presented
from runner.inbox.intake import Body, Intake
from runner.inbox.origin import is_allowed
from runner.inbox.rate import Rate
from runner.inbox.readiness import is_ready
from runner.inbox.reception import Reception
from runner.inbox.settings import Limits, Settings
from runner.logs.faults import place_of
from runner.logs.log import SILENT, Log
from runner.project import Project
from runner.store import Accepted, Key, Store
from runner.vault import Vault

PATH = "/inbox"
HEALTH = "/healthz"
READY = "/readyz"

_JSON = re.compile(r'\s*application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


def inbox(
    store: Store,
    vault: Vault,
    project: Project,
    *,
    now: Callable[[], datetime],
    log: Log = SILENT,
    random: Random | None = None,
    ring: Callable[[], None] = lambda: None,
) -> Starlette:
    """The inbox of a project as an ASGI application; whatever it does with a request is an event of `log`.

    `ring` is called, in a thread, when a message was kept, so that somebody looks at it at once.

    Raises InvalidProject for settings that can't be meant.
    """
    setting = settings.of(project)
    intake = Intake(store, vault, project, setting, now=now, random=random)
    endpoints = _Endpoints(store, vault, intake, setting, now, log, ring)
    app = Starlette(
        routes=[
            Route(PATH, endpoints.post, methods=["POST"]),
            Route(HEALTH, endpoints.health, methods=["GET"]),
            Route(READY, endpoints.ready, methods=["GET"]),
        ],
        exception_handlers={HTTPException: endpoints.elsewhere, Exception: endpoints.unforeseen},
    )
    app.router.redirect_slashes = False  # a redirect would tell which paths there are
    return app


class _Endpoints:
    def __init__(
        self,
        store: Store,
        vault: Vault,
        intake: Intake,
        setting: Settings,
        now: Callable[[], datetime],
        log: Log,
        ring: Callable[[], None],
    ) -> None:
        self._store = store
        self._vault = vault
        self._reception = Reception(intake, self._kept)
        self._setting = setting
        self._known_keys = KnownKeys(store, now=now)
        self._attempts = Attempts(store, now=now)
        self._rate = Rate(setting.rate, now=now)
        self._log = log
        self._ring = ring

    async def post(self, request: Request) -> Response:
        try:
            return await self._keep(request)
        except Refusal as refusal:
            return self._turned_away(refusal)
        except (StoreError, VaultError) as error:
            return self._unavailable(error)
        except ClientDisconnect:
            return self._turned_away(Refusal("too_slow"))  # nobody hears it

    async def elsewhere(self, request: Request, _error: Exception) -> Response:
        """Any other path or method: only who has the key is told which it is."""
        try:
            await self._authenticated(request)
        except Refusal as refusal:
            return self._turned_away(refusal)
        except StoreError as error:
            return self._unavailable(error)
        return self._turned_away(Refusal("method_not_allowed" if request.url.path == PATH else "unauthorised"))

    async def health(self, _request: Request) -> Response:
        """Whoever restarts what doesn't live must not do so because the disk is full."""
        return health(True)

    async def ready(self, _request: Request) -> Response:
        return health(await run_in_threadpool(is_ready, self._store, self._vault))

    async def unforeseen(self, _request: Request, error: Exception) -> Response:
        self._log.write("unforeseen", part="inbox", **place_of(error))
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
        kept = await self._reception.take(body, key.label)
        await self._known_keys.note_use(key)
        return accepted(kept.id, kept.matched)

    def _kept(self, kept: Accepted, taken: Body) -> None:
        body, key_label = taken
        self._log.write(_event(kept), message=kept.id, key=key_label, size=len(body), units=kept.matched)
        self._ring()

    async def _authenticated(self, request: Request) -> Key:
        # The key is looked up in any case, so that all who are turned away wait alike (R-WH4).
        key = await self._known_keys.holder(presented(request.headers))
        peer = request.client.host if request.client else None
        forwarded_for = ",".join(request.headers.getlist("x-forwarded-for"))
        if key is None or not is_allowed(peer, forwarded_for, self._setting):
            raise Refusal("unauthorised")
        return key

    def _turned_away(self, refusal: Refusal) -> Response:
        if refusal.code == "unauthorised":
            self._log.write("request_unauthorised")
            answer = refused(refusal)
            answer.background = self._attempts.one_more()
            return answer
        self._log.write("message_refused", code=refusal.code)
        return refused(refusal)

    def _unavailable(self, error: RunnerError) -> Response:
        self._log.write("trouble", part="inbox", type=type(error).__name__, code=error.code)
        return refused(Refusal("unavailable"))


def _event(kept: Accepted) -> str:
    if kept.duplicate:
        return "message_repeated"
    return "message_accepted" if kept.matched else "message_quarantined"


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
