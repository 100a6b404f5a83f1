"""A job script as a trial reads it: its operations, with tables that are watched, and the texts that it names."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from adaptors.trial.watched import Watch

_WATCHED = "__watched__"
_LONGEST = 40  # characters; longer texts in functions are sentences


@dataclass(frozen=True)
class Script:
    """One job. `tables`, `lists` and `constants` are those of texts that have a name in capitals; `texts` are those
    that stand in its functions, by which a value may be told from others.

    Example: `load("referrals", Path("jobs/referrals.py")).named("upsert_case")[0].sends` are the fields of a case.
    """

    job: str
    operations: tuple[Any, ...]
    tables: dict[str, dict[str, Any]]
    lists: dict[str, list[str]]
    constants: dict[str, str]
    texts: tuple[str, ...]
    watch: Watch

    def named(self, name: str) -> list[Any]:
        """The operations of this name, at whatever depth."""
        return [each for each in all_within(self.operations) if each.__name__ == name]

    @property
    def requires(self) -> list[str]:
        """The paths without which a record is refused, in order."""
        return [path for operation in all_within(self.operations) for path in getattr(operation, "requires", ())]


def load(job: str, path: Path) -> Script:
    """Run a job script's text, so that its operations are there. Raises whatever the script does."""
    tree, watch = ast.parse(path.read_bytes(), filename=str(path)), Watch()
    names = [_watch(statement) for statement in tree.body]
    module = ModuleType(f"trial_{path.stem}")
    module.__file__ = str(path)
    held = vars(module)
    held[_WATCHED] = watch.table
    with redirect_stdout(StringIO()):
        exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), held)
    named = {name: held[name] for name in filter(None, names)}
    return Script(
        job=job,
        operations=tuple(held["operations"]),
        tables={name: dict(value) for name, value in named.items() if _is_table(value)},
        lists={name: value for name, value in named.items() if _is_list(value)},
        constants={name: value for name, value in named.items() if isinstance(value, str)},
        texts=tuple(dict.fromkeys(_texts_in(module))),
        watch=watch,
    )


def all_within(operations: Iterable[Any]) -> Iterator[Any]:
    """The operations and those within them, in order.

    >>> list(all_within([print]))
    [<built-in function print>]
    """
    for operation in operations:
        yield operation
        yield from all_within(getattr(operation, "steps", ()))


def _watch(statement: ast.stmt) -> str | None:
    """Let what is written under a name in capitals be watched; gives the name."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not (isinstance(statement, ast.Assign) and isinstance(target, ast.Name) and target.id.isupper()):
        return None
    called = ast.Name(_WATCHED, ast.Load())
    statement.value = ast.Call(called, [ast.Constant(target.id), statement.value], [])
    return target.id


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and type(value) is not dict


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _texts_in(module: ModuleType) -> Iterator[str]:
    functions = [each for each in vars(module).values() if isinstance(each, FunctionType)]
    for function in [each for each in functions if each.__globals__ is vars(module)]:
        yield from _constants_of(function.__code__, function.__doc__)


def _constants_of(code: CodeType, told: str | None) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants_of(constant, None)
        elif isinstance(constant, str) and 0 < len(constant) <= _LONGEST and constant != told:
            yield constant
