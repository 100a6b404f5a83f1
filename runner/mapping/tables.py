"""The value tables in the head of a job script, read and changed as text, so that comments and order stay."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from runner.errors import InvalidJob, UnreadableFile

Entries = dict[str, str | None]


@dataclass(frozen=True)
class Table:
    """A table of texts under a name in capitals: from key to value, or to None where it is a list.

    `written` is where it stands in the script, `places` where each entry does: its first node and its last.
    """

    name: str
    entries: Entries
    written: ast.Dict | ast.List
    places: dict[str, tuple[ast.expr, ast.expr]]

    def shaped(self, entries: Entries) -> Entries:
        """The entries as this table can hold them: without values where it is a list."""
        is_list = isinstance(self.written, ast.List)
        return {key: None if is_list else value or "" for key, value in entries.items()}


def source(path: Path) -> str:
    """The text of a job script. Raises UnreadableFile."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeError):
        raise UnreadableFile(f"{path} can't be read", fix="Check the path.") from None


def tables(script: str) -> dict[str, Table]:
    """The tables of a script, in its order; what holds anything but texts is none.

    >>> tables('SEXES = {"f": "female"}\\nAGREED = ["food"]\\nSIZES = {"a": 1}')["AGREED"].entries
    {'food': None}
    """
    texts = constants(script)
    found = (_table(name, value, texts) for name, value in _assigned(script))
    return {table.name: table for table in found if table}


def constants(script: str) -> dict[str, str]:
    """The texts that have a name in capitals.

    >>> constants('OTHER = "language6"')
    {'OTHER': 'language6'}
    """
    return {
        name: value.value
        for name, value in _assigned(script)
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def named_constants(script: str) -> dict[tuple[str, str], str]:
    """The constants that are written by name in a mapping: from field and text to the name.

    >>> named_constants('AGENCY = "UNICEF"\\nSERVICE = {"agency": AGENCY, "kind": "food"}')
    {('agency', 'UNICEF'): 'AGENCY'}
    """
    texts = constants(script)
    return {
        (key.value, texts[value.id]): value.id
        for _, mapping in _assigned(script)
        if isinstance(mapping, ast.Dict)
        for key, value in zip(mapping.keys, mapping.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
        if isinstance(value, ast.Name) and value.id in texts
    }


def changed(script: str, wanted: dict[str, Entries]) -> str:
    """The script with other entries in these tables; what stays the same isn't touched.

    Raises InvalidJob when a table is written in a way that can't be changed line by line.

    >>> print(changed('SEXES = {\\n    "f": "female",  # agreed\\n}', {"SEXES": {"f": "female", "m": "male"}}))
    SEXES = {
        "f": "female",  # agreed
        "m": "male",
    }
    """
    found, lines = tables(script), script.split("\n")
    wanted = {name: found[name].shaped(entries) for name, entries in wanted.items()}
    # From below, so that the places above stay.
    for name in sorted(wanted, key=lambda name: found[name].written.lineno, reverse=True):
        if wanted[name] != found[name].entries:
            _change(lines, found[name], wanted[name])
    after = "\n".join(lines)
    if {name: table.entries for name, table in tables(after).items()} != {
        name: wanted.get(name, table.entries) for name, table in found.items()
    }:
        raise InvalidJob(
            f"the tables {', '.join(wanted)} can't be changed line by line",
            fix="Write each entry of these tables once, on a line of its own.",
        )
    return after


def with_constants(script: str, wanted: Entries) -> str:
    """The script with other texts under these names, and nothing else changed.

    Raises InvalidJob when one of them is no text on one line.

    >>> with_constants('OTHER = "language6"  # of all others', {"OTHER": "other"})
    'OTHER = "other"  # of all others'
    """
    lines = script.split("\n")
    for name, value in _assigned(script):
        if name in wanted and value.lineno == value.end_lineno:
            before = lines[value.lineno - 1].encode()[: value.col_offset].decode()
            lines[value.lineno - 1] = before + _quoted(wanted[name] or "") + _cut(lines, value)[1]
    after = "\n".join(lines)
    if constants(after) != constants(script) | wanted or not set(wanted) <= set(constants(script)):
        raise InvalidJob(f"{', '.join(wanted)}: no text stands there, or not on one line", fix='Write NAME = "text".')
    return after


def difference(before: str, after: str, name: str) -> list[str]:
    """The lines of a unified diff, as `git apply` takes it.

    >>> difference("a\\n", "b\\n", "jobs/x.py")
    ['--- a/jobs/x.py', '+++ b/jobs/x.py', '@@ -1 +1 @@', '-a', '+b']
    """
    return list(unified_diff(before.split("\n")[:-1], after.split("\n")[:-1], f"a/{name}", f"b/{name}", lineterm=""))


def _assigned(script: str) -> Iterable[tuple[str, ast.expr]]:
    try:
        body = ast.parse(script).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidJob("the job script is not Python", fix="Mend it; `runner list` shows the line.") from None
    for statement in body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(statement, ast.Assign) and isinstance(target, ast.Name) and target.id.isupper():
            yield target.id, statement.value


def _table(name: str, written: ast.expr, texts: dict[str, str]) -> Table | None:
    if isinstance(written, ast.Dict):
        nodes = list(zip(written.keys, written.values, strict=True))
    elif isinstance(written, ast.List):
        nodes = [(element, element) for element in written.elts]
    else:
        return None
    entries: Entries = {}
    places: dict[str, tuple[ast.expr, ast.expr]] = {}
    for key, value in nodes:
        key_text, value_text = _text(key, texts), _text(value, texts)
        if key is None or key_text is None or value_text is None:
            return None
        entries[key_text] = None if key is value else value_text
        places[key_text] = (key, value)
    return Table(name, entries, written, places)


def _text(node: ast.expr | None, texts: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return texts.get(node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _change(lines: list[str], table: Table, wanted: Entries) -> None:
    if not _line_by_line(table):
        _rewrite(lines, table.written, wanted)
        return
    in_order = sorted(table.places.items(), key=lambda place: place[1][0].lineno, reverse=True)
    _, last = in_order[0][1]
    lines[_end(last) : _end(last)] = [_line(key, value) for key, value in wanted.items() if key not in table.entries]
    before, after = _cut(lines, last)
    lines[_end(last) - 1] = before + (after if after.startswith(",") else f",{after}")
    for key, (first, last) in in_order:
        begin, end = first.lineno - 1, _end(last)
        if key not in wanted:
            del lines[begin:end]
        elif wanted[key] != table.entries[key]:
            lines[begin:end] = [_line(key, wanted[key]) + _cut(lines, last)[1].removeprefix(",")]


def _rewrite(lines: list[str], written: ast.Dict | ast.List, wanted: Entries) -> None:
    """Write the whole table anew, an entry a line."""
    begin, end = written.lineno - 1, _end(written)
    opening, closing = "{}" if isinstance(written, ast.Dict) else "[]"
    head = lines[begin].encode()[: written.col_offset].decode() + opening
    tail = closing + _cut(lines, written)[1]
    entries = [_line(*entry) for entry in wanted.items()]
    lines[begin:end] = [head, *entries, tail] if entries else [head + tail]


def _line_by_line(table: Table) -> bool:
    """Whether each entry has lines of its own, as in a table that ruff has formatted."""
    taken = [line for first, last in table.places.values() for line in range(first.lineno, _end(last) + 1)]
    return bool(taken) and len(taken) == len({*taken} - {table.written.lineno, _end(table.written)})


def _end(node: ast.expr) -> int:
    """The line on which it ends, from 1 on."""
    return node.end_lineno or node.lineno


def _cut(lines: list[str], node: ast.expr) -> tuple[str, str]:
    """What stands on a node's last line up to its end, and after; Python counts the columns in bytes."""
    line = lines[_end(node) - 1].encode()
    return line[: node.end_col_offset].decode(), line[node.end_col_offset :].decode()


def _line(key: str, value: str | None) -> str:
    return f"    {_quoted(key)}," if value is None else f"    {_quoted(key)}: {_quoted(value)},"


def _quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()
