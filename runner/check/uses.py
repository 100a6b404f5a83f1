"""Which fields of each system the jobs use, with every value that their tables and constants can give.

A use is plain data, so that an adaptor can look at it without knowing the engine:

    {"job", "step", "field",
     "written"   whether the step sends it; a step that searches sends what it searches by
     "listed"    whether the mapping gives a list
     "rules"     what the mapping does to the value, in words
     "values"    [(value, name of its table or constant, or "")]: what can be sent, as far as the script tells
     "keys"      [(key, name of its table, whether it refuses all else)]: what the tables know of what is read}
"""

from collections.abc import Iterable, Iterator
from typing import Any

from runner import dataflow
from runner.jobscript import JobScript
from runner.mapping import tables
from runner.mapping.tables import Entries

Use = dict[str, Any]


def of_job(job: JobScript) -> dict[str, list[Use]]:
    """The uses of one job, by system. Raises UnreadableFile.

    >>> of_job(jobscript.load(Path("jobs/north_to_south.py"))).keys()  # doctest: +SKIP
    dict_keys(['north', 'south'])
    """
    script = tables.source(job.path)
    known = {name: table.entries for name, table in tables.tables(script).items()}
    names = _Names(known, tables.constants(script), tables.named_constants(script))
    operations = list(dataflow.all_within(job.operations))
    keys = list(_keys(operations, known))
    found: dict[str, list[Use]] = {}
    for operation in operations:
        if system := getattr(operation, "system", ""):
            found.setdefault(system, []).extend(_of_operation(job.name, operation, names, keys))
    return found


def lists_of(job: JobScript) -> list[dict[str, Any]]:
    """The lists of texts in a script, `{"job", "name", "entries"}`: which fields they are about, nothing tells."""
    found = tables.tables(tables.source(job.path)).values()
    listed = [table for table in found if table.entries and all(value is None for value in table.entries.values())]
    return [{"job": job.name, "name": table.name, "entries": list(table.entries)} for table in listed]


class _Names:
    """The tables and constants of a script, as values that a mapping can give."""

    def __init__(self, known: dict[str, Entries], constants: dict[str, str], named: dict[tuple[str, str], str]) -> None:
        self._tables, self._constants, self._named = known, constants, named

    def values(self, target: str, field: Any) -> Iterator[tuple[Any, str]]:
        for value in field.constants:
            name = self._named.get((target.rpartition(".")[2], value), "") if isinstance(value, str) else ""
            yield value, name
        for rule in field.rules:
            for name in rule.names:
                yield from ((value, name) for value in self._tables.get(name, {}).values() if value is not None)
                if name in self._constants:
                    yield self._constants[name], name
            if rule.default is not None:
                yield rule.default, ""


def _of_operation(job: str, operation: Any, names: _Names, keys: list[tuple[str, str, str, bool]]) -> Iterator[Use]:
    base = {"job": job, "step": operation.__name__, "listed": False, "rules": [], "values": [], "keys": []}
    for field in operation.asks:
        known = [(key, table, refuses) for path, key, table, refuses in keys if _is_about(path, field)]
        yield {**base, "field": field, "written": False, "keys": known}
    for target, field in operation.sends.items():
        values, rules = list(names.values(target, field)), [rule.words for rule in field.rules]
        yield {**base, "field": target, "written": True, "listed": field.listed, "rules": rules, "values": values}


def _keys(operations: Iterable[Any], known: dict[str, Entries]) -> Iterator[tuple[str, str, str, bool]]:
    """The path that goes through a table, the key, the table's name, and whether it refuses what it doesn't know."""
    for operation in operations:
        for field in getattr(operation, "sends", {}).values():
            for rule in field.rules:
                for name in rule.names:
                    entries = [key for key, value in known.get(name, {}).items() if value is not None]
                    for path in map(dataflow.shown, field.reads):
                        yield from ((path, key, name, rule.refuses) for key in entries)


def _is_about(path: str, field: str) -> bool:
    """Whether a path that a mapping reads is this field; it begins with the job's own name for the record."""
    inside = path.partition(".")[2]
    return field in (path, inside) or (bool(inside) and field.rpartition(".")[2] == path.rpartition(".")[2])
