"""The stand-in as a whole: what a request goes through, from the door to the answer.

Unknown path → 404 without a body · unreadable query → 400 without a body · credentials → 401 · configuration lock →
503 · handler → 200 or a refusal · ETag → 304. The application server sends no `Date` header; a proxy does.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from adaptors.sandbox.faults import Faults, locked_response, with_faults
from adaptors.sandbox.primero.config import Document, read_config
from adaptors.sandbox.primero.errors import Broken, Refusal
from adaptors.sandbox.primero.filters import EmptyBroken
from adaptors.sandbox.primero.identity import Unauthorized
from adaptors.sandbox.primero.instance import Call, Instance
from adaptors.sandbox.primero.memory import Case, Memory, Referral
from adaptors.sandbox.primero.metadata import show_start
from adaptors.sandbox.primero.params import BadQuery, read_body, read_form
from adaptors.sandbox.primero.profiles import PROFILES
from adaptors.sandbox.primero.referrals import refer
from adaptors.sandbox.primero.routes import route
from adaptors.sandbox.primero.values import iso
from adaptors.sandbox.proxy import behind_proxy
from adaptors.sandbox.wire import Request, Response, empty_response, json_response, text_response

_LISTS = "/api/v2/cases"
_STAMPS = ("last_updated_at", "created_by", "last_updated_by")
_HTML = {"Content-Type": "text/html; charset=utf-8"}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Primero:
    """A Primero in memory. `answer` may be called from several threads; it is pure apart from what it remembers.

    `config` has the shape of a seed file and is not changed. `profile` is `"2.10"`, `"2.14"` or `"2.15"`; the first
    and the last report a version of their own, `"2.14"` the one of the configuration. Raises KeyError for another.

    ```
    primero = Primero(json.loads(seed), profile="2.14", faults=Faults(Fault("fail_after", method="POST")))
    response = primero.answer(Request("GET", "/api/v2/cases", "per=1", headers))
    ```

    Faults of its own, besides those of `with_faults`: `shift_pages` acts before a page after the first is read
    (without `act`, the newest case leaves the set); `lose_permission` takes something from a role for good;
    `clock_skew` shifts the stamps that one request gives; `proxy` puts Primero's usual nginx in front.
    """

    def __init__(
        self,
        config: Document,
        *,
        profile: str = "2.14",
        clock: Callable[[], datetime] = _utc_now,
        random: random.Random | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._memory = Memory(clock, random or _unseeded())
        self._instance = Instance.of(read_config(config), PROFILES[profile], self._memory)
        self._lock = threading.RLock()
        faulty = with_faults(self._locked_answer, self.faults)
        self._proxied = behind_proxy(faulty, clock)
        self._direct = faulty

    @property
    def cases(self) -> Mapping[str, Case]:
        """The cases by primary key, for tests to look at."""
        return self._memory.cases

    @property
    def referrals(self) -> Mapping[str, Referral]:
        """The referrals by id, for tests to look at."""
        return self._memory.referrals

    def answer(self, request: Request) -> Response:
        """The response to one request."""
        return self._proxied(request) if self.faults.take("proxy", request) else self._direct(request)

    def load(self, cases: Iterable[Document], referrals: Iterable[Document] = ()) -> None:
        """Puts test data in without HTTP: case documents as they would be posted, in the order of their making.

        A document may also bear the stamps that a post cannot set: `last_updated_at`, `created_by`, `last_updated_by`.
        A referral is a document with `record_id` and `transitioned_to`; it comes from the owner of the case, whose
        stamps it leaves alone, and its other columns (`status`, `created_at`, …) are kept as they are given.
        """
        with self._lock:
            for document in cases:
                self._load_case(dict(document))
            for document in referrals:
                self._load_referral(dict(document))

    def remove(self, record_id: str) -> None:
        """Takes a case out, as if it had left every list."""
        with self._lock:
            self._memory.remove(record_id)

    def _load_case(self, document: Document) -> None:
        record_id = document.pop("id", None) or self._memory.new_id()
        users = self._instance.config.users
        owner = users.get(document.get("owned_by") or "") or next(iter(users.values()))
        self._instance.saver.create(record_id, document, users.get(document.get("created_by") or "", owner))
        self._stamp(record_id, {name: document[name] for name in _STAMPS if name in document})

    def _load_referral(self, document: Document) -> None:
        case = self._memory.cases[document.pop("record_id")]
        before = {name: case.data[name] for name in _STAMPS}
        sender = self._instance.config.users[case.data["owned_by"]]
        made = refer(self._instance, sender, case, {"consent_overridden": True, **document})
        self._memory.referrals[made["id"]].data |= document
        self._instance.saver.update(case, case.data, None, by_user=False)
        self._stamp(case.id, before)

    def _stamp(self, record_id: str, stamps: Document) -> None:
        case = self._memory.cases[record_id]
        case.data = case.data | stamps
        self._memory.put(case)

    def _locked_answer(self, request: Request) -> Response:
        with self._lock:
            self._play_faults(request)
            response = self._answer(request)
            self._memory.skew = timedelta()
        return replace(response, body=b"") if request.method == "HEAD" else response

    def _play_faults(self, request: Request) -> None:
        skew = self.faults.take("clock_skew", request)
        self._memory.skew = timedelta(seconds=skew.seconds if skew else 0)
        loss = self.faults.take("lose_permission", request)
        if loss:
            self._instance.config.roles[loss.role].lose(loss.loses)
        if _is_later_page(request):
            shift = self.faults.take("shift_pages", request)
            if shift:
                (shift.act or self._lose_newest)()

    def _lose_newest(self) -> None:
        if self._memory.cases:
            self._memory.remove(max(self._memory.cases.values(), key=lambda case: str(case.data["created_at"])).id)

    def _answer(self, request: Request) -> Response:
        if request.path == "/health/api" and request.method in ("GET", "HEAD"):
            return self._health()
        try:
            return self._read_and_answer(request)
        except BadQuery:
            return empty_response(400, _HTML)
        except Unauthorized as error:
            return error.response()
        except EmptyBroken:
            return empty_response(500)
        except Refusal as error:
            return error.response(request.path)

    def _read_and_answer(self, request: Request) -> Response:
        if request.path == "/api/v2/tokens":
            return self._log_in_or_out(request)
        if request.path == "/api/v2/primero" and request.method in ("GET", "HEAD"):
            return _with_etag(request, show_start(self._instance.config))
        known = route(request.method, request.path.removesuffix(".json"))
        if known is None:
            return empty_response(404, _HTML)
        query = read_form(request.query)
        user = self._instance.door.user_of(request, self._clock())
        if self._instance.config.settings.get("config_update_lock"):
            return locked_response(request)
        self._instance.audit.add(request, user, iso(self._memory.now()))
        if request.path.endswith(".json"):
            raise Broken("ActionController::UnknownFormat")
        handler, keys = known
        call = Call(request, user, query | read_body(request), keys)
        return _with_etag(request, handler(self._instance, call))

    def _health(self) -> Response:
        if self._instance.config.settings.get("config_update_lock"):
            return empty_response(503, {"Retry-After": "60", "Content-Type": "application/json"})
        return empty_response(204)

    def _log_in_or_out(self, request: Request) -> Response:
        if request.method == "DELETE":
            return json_response(200, {})
        if request.method != "POST":
            return empty_response(404, _HTML)
        try:
            body = read_body(request)
        except Broken:
            return empty_response(400, _HTML)
        user = body.get("user")
        name = str(user.get("user_name") or "") if isinstance(user, dict) else ""
        if not self._instance.door.may_log_in(name, self._clock()):
            return text_response(429, "Retry later\n")
        return _csrf_refusal(request)


def _unseeded() -> random.Random:
    return random.Random(uuid4().int)


def _is_later_page(request: Request) -> bool:
    pairs = [pair.partition("=") for pair in request.query.split("&")]
    return request.path == _LISTS and any(name == "page" and value not in ("", "1") for name, _, value in pairs)


def _csrf_refusal(request: Request) -> Response:
    # Sessions are no part of the stand-in, so nobody ever has the token that a log-in asks for.
    error: dict[str, Any] = {"status": 403, "resource": request.path}
    error["message"] = "ActionController::InvalidAuthenticityToken"
    return json_response(403, {"errors": [error]})


def _with_etag(request: Request, response: Response) -> Response:
    if response.status != 200 or request.method not in ("GET", "HEAD"):
        return response
    etag = f'W/"{hashlib.blake2b(response.body, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "max-age=0, private, must-revalidate"}
    if request.headers.get("if-none-match") == etag:
        return empty_response(304, headers)
    return replace(response, headers=response.headers | headers)
