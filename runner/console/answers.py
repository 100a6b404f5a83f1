"""What is answered: pages with everything escaped, tables without formulas, all with strict headers."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from gettext import ngettext
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runner import report
from runner.console import accounts, assets, sessions
from runner.console.tongues import Language
from runner.console.visit import Answer, File, Moved, Page, Table, Visit

_HERE = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers call the origin of our own forms "null"
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_pages = Environment(
    loader=FileSystemLoader(_HERE / "pages"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
)  # fmt: skip


@pass_context
def _text(context: Context, message: str) -> str:
    """A message in the page's language; what a catalogue writes is text, whatever it looks like."""
    language: Language = context["language"]
    return escape(language.text(message))


@pass_context
def _shown(context: Context, value: Any) -> str:
    """A value as people read it: times, and words of ours in the page's language."""
    language: Language = context["language"]
    if isinstance(value, datetime):
        return language.moment(value)
    return language.text(report.shown(value).replace("_", " "))


# Plural forms are avoided, so that nothing asks for them.
_pages.install_gettext_callables(_text, ngettext, newstyle=True)  # type: ignore[attr-defined]  # comes with the extension
_pages.filters["shown"] = _shown
_pages.globals["asset"] = assets.address


def made(answer: Answer, visit: Visit) -> Response:
    """The response that an answer becomes, for who asked."""
    if isinstance(answer, Moved):
        return RedirectResponse(answer.to, 303)
    if isinstance(answer, (Table, File)):
        content = _csv(answer.rows) if isinstance(answer, Table) else answer.content
        attached = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
        return Response(content, media_type=getattr(answer, "kind", "text/csv"), headers=attached)
    return Response(_html(answer, visit), answer.status, media_type="text/html")


def asset(request: Request, *, encrypted: bool) -> Response:
    """The style sheet or script that is asked for; an address leads to the same for good, by its digest."""
    asked = assets.ASSETS[request.url.path]
    is_packed = assets.takes_packed(request.headers.get("accept-encoding", ""))
    response = Response(asked.packed if is_packed else asked.content, media_type=asked.kind)
    guarded(response, encrypted=encrypted)
    response.headers.update({"Cache-Control": "max-age=31536000, immutable", "Vary": "Accept-Encoding"})
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    return response


def left(*, by_itself: bool) -> Response:
    """Who isn't signed in is sent to the page for that: the whole window, also where a page asked `by_itself`."""
    if by_itself:
        return Response(status_code=204, headers={"HX-Redirect": "/enter"})
    return RedirectResponse("/enter", 303)


def guarded(response: Response, *, encrypted: bool) -> Response:
    """The response, with what keeps browsers from doing anything else with it."""
    response.headers.update(_HEADERS)
    if encrypted:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _html(page: Page, visit: Visit) -> str:
    account = visit.account
    known: Mapping[str, Any] = {
        "service": visit.service.name,
        "account": account,
        "token": sessions.token(visit.secret) if account else "",
        "may": lambda role: account is not None and accounts.may(account.role, role),
        "now": visit.now,
        "language": visit.language,
        "languages": visit.service.languages.values(),
    }
    return _pages.get_template(page.template).render({**known, **page.values})


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue()


def _cell(value: Any) -> str:
    """What stands in a cell; a spreadsheet would take what begins like a formula for one.

    >>> _cell("=1+1"), _cell(None), _cell("sort")
    ("'=1+1", '', 'sort')
    """
    text = "" if value is None else report.shown(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
