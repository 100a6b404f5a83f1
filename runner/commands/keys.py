"""`runner keys`: the keys that open the inbox."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner import keys, report
from runner.places import Places
from runner.store import Key, Store

_ONCE = "This is the only time that the key is shown. Hand it over by a safe channel."


def run(arguments: Namespace) -> int:
    """Create, list, rotate or revoke keys, as the command line asks."""
    now = datetime.now(UTC)
    with Places.of(arguments).store() as store:
        match arguments.action:
            case "create":
                expires = now + arguments.valid if arguments.valid else None
                _show_once(keys.create(store, arguments.label, now=now, expires=expires), arguments)
            case "rotate":
                _show_once(keys.rotate(store, arguments.label, overlap=arguments.overlap, now=now), arguments)
            case "revoke":
                keys.revoke(store, arguments.key, now=now)
                _list(store, now, arguments)
            case _:
                _list(store, now, arguments)
    return 0


def _show_once(text: str, arguments: Namespace) -> None:
    if arguments.json:
        report.print_document({"label": arguments.label, "key": text})
    else:
        report.print_lines([text])
        report.print_note(_ONCE)


def _list(store: Store, now: datetime, arguments: Namespace) -> None:
    known = store.keys()
    rows = [_row(key, now) for key in known]
    if arguments.json:
        report.print_document({"keys": rows})
    else:
        report.print_lines(_table(rows))


def _row(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "created": key.created,
        "expires": key.expires,
        "last_used": key.last_used,
        "revoked": key.revoked,
        "active": keys.is_active(key, now),
    }


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    headings = ("id", "label", "created", "expires", "last used", "revoked", "active")
    cells = [headings, *(tuple(_shown(value) for value in row.values()) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(headings))]
    for line in cells:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value or "-")
