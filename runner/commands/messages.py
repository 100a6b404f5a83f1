"""`runner inbox list|show`: what was posted and what became of it; never what is in it."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from runner import report
from runner.errors import WrongUse
from runner.places import Places
from runner.store import Store

_LISTED = ("id", "arrived", "key_label", "status", "matched", "duplicates")
_UNIT = ("id", "job", "started_by", "status", "tries", "due", "code", "expires")


def run(arguments: Namespace) -> int:
    """Print the list, or one message; 0."""
    with Places.of(arguments).store() as store:
        if arguments.action == "list":
            rows = [asdict(line) for line in store.messages(status=arguments.status, limit=arguments.limit)]
            lines = report.table(_LISTED, ([row[name] for name in _LISTED] for row in rows))
            report.print_either(arguments.json, {"messages": rows}, lines)
        else:
            document = _message(store, arguments.id)
            report.print_either(arguments.json, document, _lines(document))
    return 0


def _message(store: Store, name: str) -> dict[str, Any]:
    """A message with its units and receipts; or, by a unit's id, that unit with its message."""
    unit = store.unit(name)
    message = store.message((unit and unit.message_id) or name)
    if not unit and not message:
        raise WrongUse(f"there is no message or unit {name}", fix="runner inbox list shows them.")
    units = [unit] if unit else store.units(message=name, limit=1000)
    return {
        "message": asdict(message) if message else None,
        "units": [asdict(each) for each in units],
        "receipts": [asdict(receipt) for receipt in store.receipts(name)],
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    if message := document["message"]:
        yield from (f"{name.replace('_', ' '):12}  {report.shown(value)}" for name, value in message.items())
        yield ""
    yield from report.table(_UNIT, ([unit[name] for name in _UNIT] for unit in document["units"]))
    yield from (f"fix: {unit['error']['fix']}" for unit in document["units"] if (unit["error"] or {}).get("fix"))
    for receipt in document["receipts"]:
        gone = f"seen gone {report.shown(receipt['verified'])}" if receipt["verified"] else "not yet scrubbed"
        yield f"erased {report.shown(receipt['erased'])} ({receipt['reason']}), {gone}"
