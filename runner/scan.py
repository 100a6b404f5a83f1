"""Looks for secrets and data of people in a folder's files and, where wanted, in its history (K6).

What may be found all the same is written down in `scan.yaml`, each with a reason; so are the forms of numbers by which
people are known. It lies in the folder, or in the nearest one above it in the same repository:

    numbers:
      registration number: '[A-Z]{3}-\\d{8}'
    allowed:
      - {files: tests/*, kinds: [email, registration number], reason: invented children only}
"""

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from runner import sightings, yamlfile
from runner.errors import Invalid, WrongUse
from runner.sightings import KINDS
from runner.yamlfile import Document

RULES = "scan.yaml"
FILE_KINDS = {
    "opaque_file": "a file that can't be looked into",
    "large_file": "a file so large that it may be data",
}
_BARE = (".yaml", ".yml", ".env", ".ini", ".toml", ".cfg", ".conf", ".properties", ".service")
_DATA = (".json", ".jsonl", ".csv", ".tsv", ".xml", ".sql", ".txt", ".log")
_LARGEST = {True: 100_000, False: 1_000_000}  # bytes, of what looks like data and of what doesn't


@dataclass(frozen=True)
class Finding:
    """Something that was found: `file:line`, or `file@blob:line` in the history, and the kind."""

    place: str
    kind: str


@dataclass(frozen=True)
class Allowance:
    """Kinds that may be found in some files, and why; a `*` in `files` stands for anything, slashes too."""

    files: str
    kinds: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Rules:
    """What a folder's `scan.yaml` says."""

    numbers: dict[str, re.Pattern[str]] = field(default_factory=dict)
    allowed: tuple[Allowance, ...] = ()

    def allow(self, path: str, kind: str) -> bool:
        """Whether such a finding is written down as harmless."""
        return any(kind in each.kinds and fnmatchcase(path, each.files) for each in self.allowed)


def scan(folder: Path, *, history: bool = False) -> list[Finding]:
    """All findings in the files that are, or could be, under version control; with `history` in all that ever were.

    Without git, all files count. Raises Invalid for a `scan.yaml` that is wrong, and WrongUse for a history that
    isn't there.

    >>> scan(Path("jobs"))  # doctest: +SKIP
    [Finding(place='north_to_south.py:12', kind='phone')]
    """
    home, seen = _home(folder), set()
    rules, below = rules_of(home), folder.resolve().relative_to(home)
    found: list[Finding] = []
    for path in _files(folder):
        content = (folder / path).read_bytes()
        seen.add(_blob_name(content))
        found += _look((below / path).as_posix(), path, content, rules)
    if history:
        for name, path, content in _ever(folder):
            if name not in seen:
                found += _look(path, f"{path}@{name[:10]}", content, rules)
    return list(dict.fromkeys(found))


def _home(folder: Path) -> Path:
    """Where the rules lie that count in a folder."""
    here, top = folder.resolve(), _git(folder, "rev-parse", "--show-toplevel")
    above = [each for each in here.parents if top and each.is_relative_to(top.decode().strip())]
    return next((each for each in (here, *above) if (each / RULES).is_file()), here)


def rules_of(folder: Path) -> Rules:
    """Read a folder's `scan.yaml`, where there is one. Raises Invalid with its line."""
    if not (folder / RULES).is_file():
        return Rules()
    document = yamlfile.read(folder / RULES)
    table = document.value or {}
    if not isinstance(table, dict) or not set(table) <= {"numbers", "allowed"}:
        raise _wrong(document, (), "it may hold numbers and allowed, and nothing else")
    numbers = {kind: _form(document, kind, form) for kind, form in (table.get("numbers") or {}).items()}
    known = {*KINDS, *FILE_KINDS, *numbers}
    allowed = [_allowance(document, place, entry, known) for place, entry in enumerate(table.get("allowed") or ())]
    return Rules(numbers, tuple(allowed))


def _form(document: Document, kind: str, form: Any) -> re.Pattern[str]:
    try:
        whole = re.compile(form).pattern  # by itself, so that nothing around it can complete it
        return re.compile(rf"(?<![\w-])(?:{whole})(?![\w-])")
    except (re.error, TypeError):
        raise _wrong(document, ("numbers", kind), "this is no regular expression") from None


def _allowance(document: Document, place: int, entry: Any, known: set[str]) -> Allowance:
    where = ("allowed", place)
    if not isinstance(entry, dict) or set(entry) != {"files", "kinds", "reason"} or not all(entry.values()):
        raise _wrong(document, where, "an entry has files, kinds and a reason")
    if unknown := [str(kind) for kind in entry["kinds"] if kind not in known]:
        raise _wrong(document, where, f"there is no kind {', '.join(unknown)}")
    return Allowance(str(entry["files"]), tuple(entry["kinds"]), str(entry["reason"]))


def _wrong(document: Document, where: tuple[str | int, ...], message: str) -> Invalid:
    return Invalid(f"{document.place(where)}: {message}", fix="See the head of runner/scan.py.")


def _look(path: str, shown: str, content: bytes, rules: Rules) -> Iterator[Finding]:
    suffix = Path(path).suffix.lower()
    kinds = [kind for kind, is_so in _of_the_whole(suffix, content) if is_so]
    yield from (Finding(f"{shown}:1", kind) for kind in kinds if not rules.allow(path, kind))
    if "opaque_file" in kinds:
        return
    text = content.decode("utf-8", "replace")
    for sighting in (*sightings.secrets(text, bare=suffix in _BARE), *sightings.people(text, rules.numbers)):
        if not rules.allow(path, sighting.kind):
            yield Finding(f"{shown}:{sighting.line}", sighting.kind)


def _of_the_whole(suffix: str, content: bytes) -> Iterator[tuple[str, bool]]:
    yield "opaque_file", b"\0" in content
    yield "large_file", len(content) > _LARGEST[suffix in _DATA]


def _files(folder: Path) -> list[str]:
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is None:
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = sorted({name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name})
    return [name for name in names if (folder / name).is_file()]


def _ever(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Every blob and commit message that any branch or tag leads to, once: its name, a path, and what it holds."""
    listed = _git(folder, "rev-list", "--objects", "--all")
    if listed is None:
        raise WrongUse(f"{folder} has no history that git could show", fix="Leave out --history.")
    paths = dict(line.partition(" ")[::2] for line in listed.decode("utf-8", "replace").splitlines())
    with tempfile.TemporaryFile() as wanted:
        wanted.write("\n".join(paths).encode() + b"\n")
        wanted.seek(0)
        command = ["git", "cat-file", "--batch"]
        with subprocess.Popen(command, cwd=folder, stdin=wanted, stdout=subprocess.PIPE) as process:
            assert process.stdout
            while header := process.stdout.readline():
                name, kind, size = header.decode().split()
                content = process.stdout.read(int(size) + 1)[:-1]
                if kind == "blob":
                    yield name, paths[name], content
                elif kind == "commit":
                    yield name, "commit", content.partition(b"\n\n")[2]


def _git(folder: Path, *words: str) -> bytes | None:
    try:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def _blob_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
