"""Job scripts: found by path, read before they run, loaded as modules that stand alone."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from runner import sightings
from runner.errors import InvalidJob, UnreadableFile, is_made_to_be_shown
from runner.logs.silence import silence
from runner.sightings import Sighting

# Modules of the adaptors that are no system, so that no credential goes by their name.
_NO_SYSTEMS = {"client", "common", "errors", "http", "paths"}
_HARMLESS_KEY = re.compile(r"[\w .,/-]{1,40}")


@dataclass(frozen=True)
class JobScript:
    """A job that can be run: its operations, functions from state to state, in order."""

    name: str
    path: Path
    summary: str
    operations: tuple[Any, ...]


def summary(path: Path) -> str:
    """The first line of a job's docstring, without running anything of the script.

    >>> summary(Path("jobs/north_to_south.py"))  # doctest: +SKIP
    'Referrals from north to south.'
    """
    return _first_line(_parse(path), path)


def systems(path: Path) -> list[str]:
    """The systems whose adaptors a script imports, in order: the names of its credentials where no project says so.

    >>> systems(Path("jobs/north_to_south.py"))  # doctest: +SKIP
    ['north', 'south']
    """
    found: list[str] = []
    for node in _parse(path).body:
        if isinstance(node, ast.ImportFrom) and node.module == "adaptors":
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("adaptors."):
            found.append(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found += [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("adaptors.")]
    return [name for name in dict.fromkeys(found) if name not in _NO_SYSTEMS]


def load(path: Path, name: str | None = None) -> JobScript:
    """Check and import a script. Raises InvalidJob with file and line, also for what the script itself raises.

    >>> load(Path("jobs/north_to_south.py")).operations  # doctest: +SKIP
    (<operation get_cases>, <operation each>)
    """
    tree = _parse(path)
    _refuse_double_keys(tree, path)
    _refuse_secrets(path)
    first_line = _first_line(tree, path)
    operations = getattr(_executed(tree, path), "operations", None)
    if not isinstance(operations, list) or not operations:
        raise InvalidJob(f"{path.name} has no list operations", fix="End the script with: operations = [ … ]")
    for number, operation in enumerate(operations, start=1):
        if not callable(operation):
            raise InvalidJob(
                f"{path.name}: operation {number} is a {type(operation).__name__}, not an operation",
                fix="Each entry of operations is a function from state to state.",
            )
    return JobScript(name or path.stem, path, first_line, tuple(operations))


def place_in(path: Path, error: BaseException) -> tuple[str, int]:
    """Where in the script an error came from: `("north_to_south.py", 12)`; else where it arose."""
    frames = extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == str(path)]
    frame = (own or frames)[-1]
    return Path(frame.filename).name, frame.lineno or 0


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}", fix="Check the path.") from None
    except SyntaxError as error:
        raise InvalidJob(
            f"{path.name}, line {error.lineno}: {error.msg}", fix="Mend the Python of this line."
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise InvalidJob(f"{path.name} is not a Python script", fix="Save it as text in UTF-8.") from None


def _first_line(tree: ast.Module, path: Path) -> str:
    docstring = ast.get_docstring(tree)
    if not docstring:
        raise InvalidJob(f"{path.name} has no docstring", fix="Begin it with what it does, when, and what to edit.")
    return docstring.splitlines()[0]


def _refuse_secrets(path: Path) -> None:
    """A job script is under version control, where no secret belongs (R-RT5)."""
    for found in _secrets_in(path.read_text("utf-8", "replace")):
        raise InvalidJob(
            f"{path.name}, line {found.line}, column {found.column}: {sightings.KINDS[found.kind]} stands here",
            fix="Write it into the credential's file, which state['configuration'] comes from.",
        )


@lru_cache(maxsize=64)
def _secrets_in(text: str) -> tuple[Sighting, ...]:
    """Kept, since a service loads the same few scripts again and again."""
    return tuple(sightings.secrets(text))


def _refuse_double_keys(tree: ast.Module, path: Path) -> None:
    for table, name in _tables(tree):
        seen: set[Any] = set()
        for key in (key for key in table.keys if isinstance(key, ast.Constant)):
            if key.value in seen:
                shown = f" {key.value!r}" if _HARMLESS_KEY.fullmatch(str(key.value)) else ""
                raise InvalidJob(
                    f"{path.name}, line {key.lineno}: the key{shown} is written twice in {name}",
                    fix="Keep one of the two; Python would take the last without a word.",
                )
            seen.add(key.value)


def _tables(tree: ast.Module) -> Iterator[tuple[ast.Dict, str]]:
    """Every dict that is written out, with the name of the table it stands in."""
    for statement in tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        name = target.id if isinstance(target, ast.Name) else "a table"
        yield from ((node, name) for node in ast.walk(statement) if isinstance(node, ast.Dict))


def _executed(tree: ast.Module, path: Path) -> ModuleType:
    module = ModuleType(f"job_{path.stem}")
    module.__file__ = str(path)
    try:
        with silence():
            exec(compile(tree, str(path), "exec"), module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        file, line = place_in(path, error)
        said = f": {error}" if is_made_to_be_shown(error) else ""
        raise InvalidJob(
            f"{file}, line {line}: {type(error).__name__}{said}",
            fix=getattr(error, "fix", None) or "Mend this line of the job script.",
        ) from None
    return module
