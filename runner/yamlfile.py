"""YAML, as far as people need it for settings, with the line and column of every entry.

Only mappings, lists and plain values: `true` and `false` are the booleans, `no`, `on` and dates stay text, and a key
that is written twice is refused (YAML itself lets the last one win without a word).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import InvalidYaml, UnreadableFile

Where = tuple[str | int, ...]

_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,17})\.\d{1,17}", re.ASCII)
_PLAIN_TAG = re.compile(r"tag:yaml\.org,2002:(str|map|seq)")


@dataclass(frozen=True)
class Document:
    """What a file holds, and where: the place of an entry is that of its key."""

    path: Path
    value: Any
    places: dict[Where, tuple[int, int]]

    def place(self, where: Where = ()) -> str:
        """Where in the file something stands, or the nearest thing around it: `project.yaml, line 3, column 5`."""
        while where and where not in self.places:
            where = where[:-1]
        line, column = self.places.get(where, (1, 1))
        return f"{self.path.name}, line {line}, column {column}"


def read(path: Path) -> Document:
    """Read one file. Raises UnreadableFile or InvalidYaml, with line and column.

    >>> read(Path("project.yaml")).place(("jobs", "north_to_south"))  # doctest: +SKIP
    'project.yaml, line 9, column 3'
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}", fix="Check the path.") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path} is not a text in UTF-8", fix="Save it as UTF-8.") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Document:
    """The same for a text; `path` is only told in complaints.

    >>> parse("enabled: no", Path("p.yaml")).value
    {'enabled': 'no'}
    """
    import yaml  # here, since `runner --help` must not pay for it

    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise InvalidYaml(
            f"{path.name}, line {line}, column {column}: this is not YAML: {error.problem}",
            fix="Look at indentation, quotes and colons around this line.",
        ) from None
    except (yaml.YAMLError, RecursionError):
        raise InvalidYaml(f"{path.name} is not YAML", fix="Compare it with the example file.") from None
    reader = _Reader(path)
    return Document(path, reader.value(node, ()) if node else None, reader.places)


def changed(text: str, wanted: Mapping[Where, str], path: Path) -> str:
    """The text with other values at these places; everything else stays to the letter.

    Raises InvalidYaml where one of them holds no single value; `path` is only told in complaints.

    >>> changed("desk: {user: a}  # ours\\n", {("desk", "user"): "b"}, Path("p.yaml"))
    'desk: {user: b}  # ours\\n'
    """
    import yaml  # here, as in `parse`

    parse(text, path)  # what is wrong in it is told there
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    nodes = [(_node(root, where, path), value) for where, value in wanted.items()]
    for node, value in sorted(nodes, key=lambda place: place[0].start_mark.index, reverse=True):
        text = text[: node.start_mark.index] + _written(value) + text[node.end_mark.index :]
    return text


def _node(root: Any, where: Where, path: Path) -> Any:
    node = root
    for name in where:
        entries = node.value if getattr(node, "id", "") == "mapping" else ()
        node = next((value for key, value in entries if key.value == name), None)
    if getattr(node, "id", "") != "scalar":
        raise InvalidYaml(f"{path.name}: {'.'.join(map(str, where))} holds no single value", fix="Correct the name.")
    return node


def _written(value: str) -> str:
    """Bare where it reads the same, in a list or table on one line, too; else in quotes."""
    is_plain = re.fullmatch(r"[A-Za-z][\w./@-]*(:[\w./@-]+)*", value) and _plain(value) == value
    return value if is_plain else json.dumps(value, ensure_ascii=False)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[int] = set()
        self.places: dict[Where, tuple[int, int]] = {}

    def value(self, node: Any, where: Where) -> Any:
        self.places.setdefault(where, (node.start_mark.line + 1, node.start_mark.column + 1))
        if id(node) in self._seen or not _PLAIN_TAG.fullmatch(node.tag):
            raise self._complaint(where, "anchors, aliases and tags aren't read here", "Write the value out.")
        self._seen.add(id(node))
        if node.id == "mapping":
            return self._mapping(node, where)
        if node.id == "sequence":
            return [self.value(item, (*where, index)) for index, item in enumerate(node.value)]
        return node.value if node.style else _plain(node.value)

    def _mapping(self, node: Any, where: Where) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            here = (*where, key_node.value if key_node.id == "scalar" else "?")
            first = self.places.get(here)
            self.places[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key_node.id != "scalar":
                raise self._complaint(here, "a key must be a plain word", "Put it in quotes.")
            if first:
                raise self._complaint(here, f"{key_node.value} is written twice", f"It stands in line {first[0]} too.")
            mapping[key_node.value] = self.value(value_node, here)
        return mapping

    def _complaint(self, where: Where, message: str, fix: str) -> InvalidYaml:
        line, column = self.places[where]
        return InvalidYaml(f"{self._path.name}, line {line}, column {column}: {message}", fix=fix)


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
