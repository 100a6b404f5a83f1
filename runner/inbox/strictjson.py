"""JSON as strictly as RFC 8259 allows it to be read, within limits.

Python's own reader takes NaN, lets the last of two equal keys win, and keeps half a surrogate pair; none of that can
be carried on to another system, so that it is refused here (R-WH10).
"""

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from runner.inbox.answers import Refusal
from runner.inbox.settings import Limits

Message = dict[str, Any]


def read(body: bytes, limits: Limits) -> Message:
    """The object that `body` holds. Raises Refusal.

    >>> read(b'{"request_type": "x"}', Limits())
    {'request_type': 'x'}
    """
    try:
        message = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_table_reader(limits.keys),
            parse_float=_finite,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError:
        raise Refusal("not_utf8") from None
    except RecursionError:
        raise Refusal("too_deep") from None
    except ValueError:  # also for a whole number of more digits than Python reads
        raise Refusal("not_json") from None
    if not isinstance(message, dict):
        raise Refusal("not_an_object")
    _refuse_deeper(message, limits.depth)
    return message


def canonical(message: Message) -> bytes:
    """The one text of all that mean the same, whatever the order of keys and the blanks. Raises Refusal.

    >>> canonical({"b": 1, "a": "é"}).decode()
    '{"a":"é","b":1}'
    """
    try:
        return json.dumps(message, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError:
        raise Refusal("not_utf8") from None


def _table_reader(limit: int) -> Callable[[list[tuple[str, Any]]], Message]:
    left = limit

    def table(pairs: list[tuple[str, Any]]) -> Message:
        nonlocal left
        left -= len(pairs)
        if left < 0:
            raise Refusal("too_many_keys")
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Refusal("duplicate_key")
        return found

    return table


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(_text: str) -> NoReturn:
    raise Refusal("not_a_number")


def _refuse_deeper(message: Message, limit: int) -> None:
    level: list[Any] = [message]
    for _ in range(limit):
        level = [inner for value in level for inner in _inside(value) if isinstance(inner, (dict, list))]
        if not level:
            return
    raise Refusal("too_deep")


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
