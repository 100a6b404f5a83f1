"""Triggers: what starts a job."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_ALIASES = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
}  # fmt: skip
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # CronSim wants a time to start from, even to explain itself
_KINDS = ("message", "cron", "success", "failure", "outbox")


@dataclass(frozen=True)
class Trigger:
    """One trigger. `kind` is message, cron, success, failure or outbox; `value` is what stands behind that word:
    the filter, the five fields, the other job's name, or the system's name."""

    name: str
    kind: str
    value: Any
    excluded: dict[str, Any] | None = None
    split: str | None = None
    subject: str | None = None
    timezone: str = "UTC"

    @classmethod
    def read(cls, name: str, entry: dict[str, Any]) -> "Trigger":
        """Make a trigger of its entry in a project file that fits the schema.

        >>> Trigger.read("hourly", {"cron": "@hourly"}).value
        '0 * * * *'
        """
        kind = next(kind for kind in _KINDS if kind in entry)
        value = _ALIASES.get(entry[kind], entry[kind]) if kind == "cron" else entry[kind]
        others = {key: entry[key] for key in ("split", "subject", "timezone") if key in entry}
        return cls(name, kind, value, excluded=entry.get("except"), **others)

    def __str__(self) -> str:
        """The trigger in words.

        >>> str(Trigger("night", "cron", "30 2 * * *"))
        'At 02:30 every day (UTC)'
        """
        match self.kind:
            case "cron":
                from cronsim import CronSim

                return f"{CronSim(self.value, _ANY_TIME).explain()} ({self.timezone})"
            case "message":
                return f"message {', '.join(f'{key} {_short(value)}' for key, value in self.value.items()) or '(all)'}"
            case "outbox":
                return f"answers that wait for {self.value}"
            case _:
                return f"{self.kind} of {self.value}"


def unreadable_time(trigger: Trigger) -> tuple[str, str] | None:
    """What is wrong with a cron trigger, as the key and a fix; None when it is right.

    >>> unreadable_time(Trigger("t", "cron", "0 0 0 * * *"))[0]
    'cron'
    """
    from zoneinfo import ZoneInfo

    from cronsim import CronSim, CronSimError

    try:
        CronSim(trigger.value, _ANY_TIME)
        five = len(trigger.value.split()) == 5
    except CronSimError:
        five = False
    if not five:
        return "cron", f"Write five fields: minute, hour, day, month, weekday; or {', '.join(dict.fromkeys(_ALIASES))}."
    try:
        ZoneInfo(trigger.timezone)
    except (KeyError, OSError, ValueError):
        return "timezone", "Write a name such as UTC or Africa/Addis_Ababa."
    return None


def matches(trigger: Trigger, message: Any) -> bool:
    """Whether a message is one for this trigger: the filter is contained in it, and that of `except` is not.

    >>> trigger = Trigger("t", "message", {"type": "referral"})
    >>> matches(trigger, {"type": "referral", "more": 1}), matches(trigger, {"type": 1})
    (True, False)
    """
    if trigger.kind != "message" or not _contained(trigger.value, message):
        return False
    return trigger.excluded is None or not _contained(trigger.excluded, message)


def _contained(wanted: Any, found: Any) -> bool:
    """As a JSON document inside another: scalars equal in value and type, more keys and elements allowed."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and _contained(wanted[key], found[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(_contained(one, other) for other in found) for one in wanted)
    return type(wanted) is type(found) and bool(wanted == found)


def can_both_match(one: Trigger, other: Trigger) -> bool:
    """Whether one message could match both filters. A filter with `except` is taken to be apart on purpose.

    >>> can_both_match(Trigger("a", "message", {"type": "x"}), Trigger("b", "message", {"type": "y"}))
    False
    """
    if one.kind != "message" or other.kind != "message" or one.excluded or other.excluded:
        return False
    return _compatible(one.value, other.value)


def _compatible(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_compatible(one[key], other[key]) for key in one.keys() & other.keys())
    if isinstance(one, list) and isinstance(other, list):
        return True
    return type(one) is type(other) and bool(one == other)


def _short(value: Any) -> str:
    return str(value) if isinstance(value, (str, int, float)) else "…"
