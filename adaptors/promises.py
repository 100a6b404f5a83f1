"""Promises: what stands in a mapping in the place of a value, and is resolved when the operation runs.

A promise knows which paths it reads. That is how the list of agreed fields, the `fields=` of a request and the
mapping's specification are known without running anything.
"""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from adaptors.errors import AdaptorError, BadInput, InvalidData, JobError, PromiseError
from adaptors.paths import MISSING, check_path, find
from adaptors.rules import Rule, rule_of

State = dict[str, Any]

# What a function of state reads can't be known: it may be the whole state.
ANYTHING = frozenset({"$"})


class Promise:
    """A value that is known only when the operation runs.

    `describe` is how it looks in the job script, `reads` the paths it reads (beginning with `data` or a saved name),
    `free_text` those paths that the job marks as free text, `rules` what is done to what was read, in order.
    Using it as if it were the value raises PromiseError with a fix.
    """

    __slots__ = ("_resolve", "describe", "free_text", "reads", "rules")

    def __init__(
        self,
        describe: str,
        reads: frozenset[str],
        resolve: Callable[[State], Any],
        *,
        free_text: frozenset[str] = frozenset(),
        rules: tuple[Rule, ...] = (),
    ) -> None:
        self.describe = describe
        self.reads = reads
        self.free_text = free_text
        self.rules = rules
        self._resolve = resolve

    def __repr__(self) -> str:
        return f"<promise {self.describe}>"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # Python itself asks for such names, to copy or to inspect
            raise AttributeError(name)
        self._misused()

    def _misused(self, *_: Any) -> NoReturn:
        raise PromiseError(
            f"{self.describe} is a promise of a value, not the value",
            fix=f"Write a function that takes the value and use derive(function, …) in place of {self.describe}.",
        )

    __str__ = __format__ = __bool__ = __iter__ = __len__ = __contains__ = __getitem__ = __call__ = _misused
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _misused
    __hash__ = _misused  # else TABLE.get(promise) would quietly find nothing
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _misused
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __neg__ = __int__ = __float__ = __index__ = _misused


def data_value(path: str) -> Promise:
    """The value at `path` in `state["data"]`, or None. See `paths.find` for dots and `$`.

    >>> resolve(data_value("individuals.progres_id"), {"data": {"individuals.progres_id": "GAM-1"}})
    'GAM-1'
    """
    check_path(path)
    reads = frozenset({path if path.startswith("$") else f"data.{path}"})
    return Promise(f'data_value("{path}")', reads, lambda state: _found(path, state.get("data")))


def source_value(path: str) -> Promise:
    """The value at `path` in the whole state, or None: for what a job saved by name.

    >>> resolve(source_value("case.owned_by"), {"case": {"owned_by": "cp_worker"}})
    'cp_worker'
    """
    check_path(path)
    return Promise(f'source_value("{path}")', frozenset({path}), lambda state: _found(path, state))


def derive(function: Callable[..., Any], *values: Any) -> Promise:
    """What `function` makes of exactly these values. A text is a path in `state["data"]`; a promise is resolved.

    The function is ordinary Python and gets nothing else. What it raises, other than this package's errors, is told
    as InvalidData with the names of what it read.

    >>> initials = derive(lambda first, last: first[0] + last[0], "name_first", "name_last")
    >>> resolve(initials, {"data": {"name_first": "Abeba", "name_last": "Testfall"}})
    'AT'
    """
    if not callable(function) or isinstance(function, Promise):
        raise JobError("derive() needs a function first", fix='Write derive(function, "path", …).')
    name = getattr(function, "__name__", "function")
    promises = [data_value(value) if isinstance(value, str) else value for value in values]
    check_mapping(promises, f"derive({name}, …)")

    def apply(state: State) -> Any:
        arguments = [resolve(promise, state) for promise in promises]
        try:
            return function(*arguments)
        except BadInput as error:
            raise about(error, promises) from None
        except AdaptorError:
            raise
        except Exception as error:
            raise InvalidData(
                f"{', '.join(_names(promises))}: {name} can't use what it was given ({type(error).__name__})",
                fix=f"Look at those fields in the record, or make {name} deal with such a value.",
                fields=_names(promises),
            ) from None

    rules = (*rules_of(promises), rule_of(function))
    return Promise(f"derive({name}, …)", reads_of(promises), apply, free_text=free_text_of(promises), rules=rules)


def promised(describe: str, function: Callable[..., Any], *values: Any, rule: Rule | None = None) -> Any:
    """`function(*values)` at once when all are known; a promise of it when one of them is a promise.

    For vocabulary that implementers use both in mappings and in functions, such as `text`. `rule` tells people what it
    does; its name has to do where none is given.

    >>> promised("twice", lambda x: x * 2, 4)
    8
    >>> promised("twice", lambda x: x * 2, data_value("age"))
    <promise twice(data_value("age"))>
    """
    if not any(isinstance(value, Promise) for value in values):
        return function(*values)
    shown = ", ".join(value.describe if isinstance(value, Promise) else repr(value) for value in values)

    def apply(state: State) -> Any:
        arguments = [resolve(value, state) for value in values]
        try:
            return function(*arguments)
        except BadInput as error:
            raise about(error, values) from None

    rules = (*rules_of(values), rule or Rule(describe))
    return Promise(f"{describe}({shown})", reads_of(values), apply, free_text=free_text_of(values), rules=rules)


def about(error: BadInput, values: Any) -> BadInput:
    """The same error, naming the fields that the promises among `values` read."""
    if error.fields:
        return error
    names = _names(values)
    return type(error)(f"{', '.join(names)}: {error}", fix=error.fix, code=error.code, ids=error.ids, fields=names)


def resolve(value: Any, state: State) -> Any:
    """`value` with every promise in it kept. In a list, what turned out absent is left out; an empty list is None.

    >>> resolve({"language": [data_value("language")], "status": "open"}, {"data": {}})
    {'language': None, 'status': 'open'}
    """
    if isinstance(value, Promise):
        return value._resolve(state)
    if isinstance(value, dict):
        return {key: resolve(inside, state) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [kept for kept in (resolve(inside, state) for inside in value) if kept is not None] or None
    return value


def given(value: Any, state: State) -> Any:
    """An argument of an operation: a value, a promise, or a function of state.

    >>> given(lambda state: state["data"] + 1, {"data": 1})
    2
    """
    if callable(value) and not isinstance(value, Promise):
        return value(state)
    return resolve(value, state)


def check_mapping(mapping: Any, name: str = "mapping") -> None:
    """Raise JobError unless all that stands in `mapping` is a constant, a promise, or a dict or list of these.

    >>> check_mapping({"status": "open", "age": data_value("age")})
    """
    for path, value in _leaves(mapping, name):
        if callable(value) and not isinstance(value, Promise):
            raise JobError(
                f"{path} is a bare function: what it reads can't be known without running it",
                fix='Use derive(function, "path", …), which calls it with exactly those values.',
            )
        if not isinstance(value, (Promise, str, int, float, bool, type(None))):
            raise JobError(
                f"{path} is a {type(value).__name__}; a mapping holds constants, promises and look-ups",
                fix="Use a text, a number, true or false, or a promise such as data_value(…).",
            )


def reads_of(mapping: Any) -> frozenset[str]:
    """The paths that the promises and operations in `mapping` read; `$`, all there is, for a bare function.

    >>> sorted(reads_of({"a": data_value("age"), "b": [source_value("case.sex")], "c": 1}))
    ['case.sex', 'data.age']
    >>> sorted(reads_of(print))
    ['$']
    """
    paths: set[str] = set()
    for _, value in _leaves(mapping, ""):
        if callable(value):
            paths |= getattr(value, "reads", ANYTHING)
    return frozenset(paths)


def free_text_of(mapping: Any) -> frozenset[str]:
    """Those of the paths in `mapping` that are marked as free text.

    >>> free_text_of({"a": data_value("age")})
    frozenset()
    """
    return frozenset().union(*(value.free_text for _, value in _leaves(mapping, "") if isinstance(value, Promise)))


def rules_of(mapping: Any) -> tuple[Rule, ...]:
    """What the promises in `mapping` do to what they read, each rule once.

    >>> [rule.words for rule in rules_of({"a": derive(len, "name")})]
    ['len']
    """
    found = (rule for _, value in _leaves(mapping, "") if isinstance(value, Promise) for rule in value.rules)
    return tuple({(rule.words, rule.names): rule for rule in found}.values())


def _found(path: str, document: Any) -> Any:
    value = find(path, document)
    return None if value is MISSING else value


def _names(promises: Any) -> tuple[str, ...]:
    return tuple(sorted(path.removeprefix("data.") for path in reads_of(promises)))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _leaves(inside, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for place, inside in enumerate(value):
            yield from _leaves(inside, f"{path}[{place}]")
    else:
        yield path, value
