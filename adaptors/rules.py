"""What a mapping does to a value on its way, in words, for the specification that people sign."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any


@dataclass(frozen=True)
class Rule:
    """One step: what is done, by which of the job's tables and constants, and what stands in for what isn't there.

    >>> Rule("by the table SEXES", names=("SEXES",)).default is None
    True
    """

    words: str
    names: tuple[str, ...] = ()
    default: Any = None
    refuses: bool = False  # whether what a table doesn't hold is refused


def rule_of(function: Callable[..., Any]) -> Rule:
    """The rule that a function follows: the first line of its docstring, and the names in capitals that it uses.

    >>> def initial(name):
    ...     '''The first letter.'''
    ...     return name[0]
    >>> rule_of(initial).words
    'The first letter'
    """
    name = str(getattr(function, "__name__", type(function).__name__))
    if not isinstance(function, FunctionType):
        return Rule(name)
    told = (function.__doc__ or "").strip().partition("\n")[0]
    return Rule(told.removesuffix(".") or name, tuple(dict.fromkeys(_names_used(function, set()))))


def _names_used(function: FunctionType, seen: set[str]) -> Iterator[str]:
    """The tables and constants of its own module that a function uses, itself or by functions from there."""
    for name in _names_in(function.__code__):
        held = function.__globals__.get(name)
        if isinstance(held, FunctionType) and held.__globals__ is function.__globals__ and name not in seen:
            seen.add(name)
            yield from _names_used(held, seen)
        elif name.isupper() and isinstance(held, (dict, list, tuple, str)):
            yield name


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)
