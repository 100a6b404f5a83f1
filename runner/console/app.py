"""The console as an application: who asks, whether they may, what the page says, and how it is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runner.console import accounts, answers, assets, guarding, sessions
from runner.console.guarding import Refused
from runner.console.tongues import chosen
from runner.console.visit import Answer, Moved, Page, Service, Visit
from runner.console.ways import WAYS, Way
from runner.errors import RunnerError, StoreError
from runner.inbox.settings import Settings
from runner.logs.faults import place_of
from runner.logs.log import SILENT, Log

_AT_ONCE = 2  # who sign in, since each takes a core for a tenth of a second
_WAITING = 20  # more of them are turned away at once
_LANGUAGE = "language"  # the cookie that keeps the choice of one
_YEAR = 365 * 24 * 3600


def console(service: Service, settings: Settings, log: Log = SILENT) -> Starlette:
    """The console as an ASGI application. Raises InvalidProject for settings that can't be meant."""
    gate = _Gate(service, settings, log)
    routes = [Route(way.path, gate.answering(way), methods=[way.method]) for way in WAYS]
    routes += [Route(path, gate.file, methods=["GET"]) for path in assets.ASSETS]
    app = Starlette(routes=routes, exception_handlers={HTTPException: gate.elsewhere, Exception: gate.unforeseen})
    app.router.redirect_slashes = False
    return app


class _Gate:
    def __init__(self, service: Service, settings: Settings, log: Log) -> None:
        self._service = service
        self._settings = settings
        self._log = log
        self._hosts = guarding.hosts(settings)
        self._encrypted = guarding.is_encrypted(settings)
        # Over plain HTTP, which is for this machine only, a browser wouldn't keep a cookie with such a name.
        self._cookie = "__Host-console" if self._encrypted else "console"
        self._entering = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def answering(self, way: Way) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a way."""

        async def endpoint(request: Request) -> Response:
            nobody = self._nobody(request)
            try:
                return await self._answer(way, request, nobody)
            except Refused as refused:
                return self._sent(Page("refused.html", {"why": "request"}, refused.status), nobody)
            except StoreError as error:
                self._log.write("trouble", part="console", type=type(error).__name__, code=error.code)
                return self._sent(Page("refused.html", {"why": "store"}, 503), nobody)
            except RunnerError:
                return self._sent(Page("refused.html", {"why": "wrong"}, 400), nobody)
            except ClientDisconnect:
                return self._sent(Page("refused.html", {"why": "request"}, 400), nobody)

        return endpoint

    async def file(self, request: Request) -> Response:
        """A style sheet or script of ours; the same for everybody."""
        try:
            guarding.check_sender(request, self._settings, self._hosts)
        except Refused as refused:
            return answers.guarded(Response(status_code=refused.status), encrypted=self._encrypted)
        return answers.asset(request, encrypted=self._encrypted)

    async def elsewhere(self, request: Request, error: Exception) -> Response:
        """Any other path or method."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        return self._sent(Page("nothing.html", status=status), self._nobody(request))

    async def unforeseen(self, request: Request, error: Exception) -> Response:
        """What nobody foresaw is told by its place, and not to who asked."""
        self._log.write("unforeseen", part="console", **place_of(error))
        return self._sent(Page("refused.html", {"why": "store"}, 500), self._nobody(request))

    def _nobody(self, request: Request) -> Visit:
        """The visit of whom nobody knows yet, in the language that the browser tells."""
        place, told = request.scope.get("path_params", {}), request.headers.get("accept-language", "")
        language = chosen(self._service.languages, request.cookies.get(_LANGUAGE, ""), told)
        return Visit(self._service, self._service.now(), place=place, language=language)

    async def _answer(self, way: Way, request: Request, visit: Visit) -> Response:
        guarding.check_sender(request, self._settings, self._hosts)
        by_itself = "hx-request" in request.headers  # a page that refreshes itself doesn't keep a session alive
        visit = await run_in_threadpool(self._known, visit, request.cookies.get(self._cookie, ""), not by_itself)
        if way.method == "POST":
            guarding.check_origin(request, self._settings)
            visit = replace(visit, fields=await guarding.form_of(request))
        else:
            visit = replace(visit, fields=guarding.fields_of(request.url.query.encode()))
        made = self._entered if way.proves else self._made
        if way.needs is None:
            return await made(way, visit)
        if visit.session is None or visit.account is None:
            return self._guarded(answers.left(by_itself=by_itself))
        if not accounts.may(visit.account.role, way.needs):
            raise Refused(403)
        if way.method == "POST" and not sessions.is_token(visit.secret, visit.fields.get("token", "")):
            raise Refused(403)
        if way.changes and not sessions.is_fresh(visit.session, visit.now):
            return self._guarded(RedirectResponse("/confirm", 303))
        if any(not visit.fields.get(name) for name in way.fields):
            raise Refused(400)
        return await made(way, visit)

    def _known(self, visit: Visit, secret: str, used: bool) -> Visit:
        """The visit, with who it is."""
        session = sessions.find(self._service.store, secret, now=visit.now, used=used)
        account = self._service.store.account(session.account) if session else None
        return replace(visit, secret=secret, session=session, account=account) if account else visit

    async def _entered(self, way: Way, visit: Visit) -> Response:
        """As any other, but few at once, since proving who one is takes a while."""
        if self._waiting >= _WAITING:
            raise Refused(429)
        self._waiting += 1
        try:
            async with self._entering:
                return await self._made(way, visit)
        finally:
            self._waiting -= 1

    async def _made(self, way: Way, visit: Visit) -> Response:
        return await run_in_threadpool(lambda: self._sent(way.answer(visit), visit))

    def _sent(self, answer: Answer, visit: Visit) -> Response:
        response = self._guarded(answers.made(answer, visit))
        if isinstance(answer, Moved) and answer.secret is not None:
            age = None if answer.secret else 0
            self._give(response, self._cookie, answer.secret, age)
        if isinstance(answer, Moved) and answer.language is not None:
            self._give(response, _LANGUAGE, answer.language, _YEAR)
        return response

    def _give(self, response: Response, name: str, value: str, age: int | None) -> None:
        """A cookie for us alone, in no script's reach."""
        response.set_cookie(
            name, value, max_age=age, path="/", secure=self._encrypted, httponly=True, samesite="strict"
        )

    def _guarded(self, response: Response) -> Response:
        return answers.guarded(response, encrypted=self._encrypted)
