"""The inventory: what the log can hold, as rows for programs and as the sheet that partners sign (R-LG5)."""

from collections.abc import Iterator

from runner.logs.events import ALWAYS, EVENTS, FIELDS

COLUMNS = ("event", "level", "when", "field", "class", "meaning")

_SYSTEM_IDS = """\
A system-id that is a random number or a hash is shown as it is.
Any other one may be a person's: it appears as `keyed:` and twelve digits, which this service alone can compute.
"""


def rows() -> Iterator[dict[str, str]]:
    """One row for each field of each event: what every line has first.

    >>> next(rows())["field"]
    'time'
    """
    always = {"event": "(every event)", "level": "", "when": "always"}
    yield from (always | _field(name) for name in (*ALWAYS, "left_out"))
    for name, event in EVENTS.items():
        told = {"event": name, "level": event.level, "when": event.when}
        for field in event.fields:
            yield told | _field(field)
        if not event.fields:
            yield told | dict.fromkeys(("field", "class", "meaning"), "")


def sheet() -> Iterator[str]:
    """The lines of the inventory as Markdown."""
    yield from ("# What the log can hold", "", *_SYSTEM_IDS.splitlines(), "")
    yield from ("## Fields", "", "| field | class | meaning |", "|---|---|---|")
    yield from (f"| `{name}` | {field.kind} | {field.meaning} |" for name, field in FIELDS.items())
    yield from ("", "## Events", "", f"Each has {', '.join(f'`{name}`' for name in ALWAYS)}, and beside them:", "")
    yield from ("| event | level | written when | fields |", "|---|---|---|---|")
    for name, event in EVENTS.items():
        rarely = "; once a minute at most" if event.rarely else ""
        yield f"| `{name}` | {event.level} | {event.when}{rarely} | {', '.join(event.fields) or '-'} |"


def shown_line(shown_ids: list[str]) -> str:
    """Which ids the project file lets be shown, though they may be a person's (R-LG5).

    >>> shown_line([])
    'Ids that are shown as they are, whosever they may be: none.'
    """
    return f"Ids that are shown as they are, whosever they may be: {', '.join(shown_ids) or 'none'}."


def _field(name: str) -> dict[str, str]:
    return {"field": name, "class": FIELDS[name].kind, "meaning": FIELDS[name].meaning}
