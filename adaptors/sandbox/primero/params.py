"""Reads query strings and bodies the way Rails does: nested names, lists, and what it refuses.

`a[b]=1` becomes `{"a": {"b": "1"}}`, `a[]=1&a[]=2` becomes `{"a": ["1", "2"]}`, `a[0]=1` stays `{"a": {"0": "1"}}`.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

from adaptors.sandbox.primero.errors import Broken
from adaptors.sandbox.wire import Request

_SEPARATOR = re.compile(r"[&;] *")
_BROKEN_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_NAME_PART = re.compile(r"\[([^\[\]]*)\]")
_JSON_TYPES = {"application/json", "text/x-json", "application/jsonrequest"}


class BadQuery(Exception):
    """A query string that Rails cannot read: 400 with an empty body."""


def read_form(text: str) -> dict[str, Any]:
    """The nested parameters of a query string or a form body. Raises BadQuery.

    >>> read_form("age[0]=1..5&sex=male")
    {'age': {'0': '1..5'}, 'sex': 'male'}
    """
    params: dict[str, Any] = {}
    for pair in filter(None, _SEPARATOR.split(text)):
        name, equals, value = pair.partition("=")
        _store(params, _name_parts(_decoded(name)), _decoded(value) if equals else None)
    return params


def read_body(request: Request) -> dict[str, Any]:
    """The parameters of a body. Raises Broken for malformed JSON, as the real one does (vectors err-001, create-018).

    A JSON list or text, and any other type of content, counts as no parameters at all.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/x-www-form-urlencoded":
        return read_form(request.body.decode("utf-8", "replace"))
    if content_type not in _JSON_TYPES or not request.body.strip():
        return {}
    try:
        document = _without_nulls_in_lists(json.loads(request.body))
    except ValueError as error:
        raise Broken("unexpected token") from error
    return document if isinstance(document, dict) else {}


def _without_nulls_in_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls_in_lists(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nulls_in_lists(item) for item in value if item is not None]
    return value


def _decoded(text: str) -> str:
    if _BROKEN_PERCENT.search(text):
        raise BadQuery(text)
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadQuery(text) from error


def _name_parts(name: str) -> list[str]:
    base, bracket, rest = name.partition("[")
    return [base, *_NAME_PART.findall(bracket + rest)]


def _store(params: dict[str, Any], parts: list[str], value: str | None) -> None:
    name, *rest = parts
    if not rest:
        params[name] = value
    elif rest[0] == "":
        _store_in_list(_container(params, name, list), rest[1:], value)
    else:
        _store(_container(params, name, dict), rest, value)


def _store_in_list(items: list[Any], rest: list[str], value: str | None) -> None:
    if not rest:
        items.append(value)
        return
    if not items or not isinstance(items[-1], dict) or rest[0] in items[-1]:
        items.append({})
    _store(items[-1], rest, value)


def _container(params: dict[str, Any], name: str, kind: type) -> Any:
    found = params.setdefault(name, kind())
    if not isinstance(found, kind):
        raise BadQuery(name)
    return found
