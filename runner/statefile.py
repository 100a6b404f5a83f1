"""State files, as OpenFn writes them: `{"data": …, "configuration": …}`."""

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

from runner.errors import UnreadableFile

State = dict[str, Any]

# What belongs to a run and not to the state that a job works on: neither taken from a file nor written into one.
ENGINE_KEYS = ("runtime", "ledger", "outbox", "outcomes", "item", "dry_run", "message", "resting")


def read(path: Path) -> State:
    """Read a state or message file: one JSON object. Raises UnreadableFile.

    >>> read(Path("state.json"))  # doctest: +SKIP
    {'data': {}, 'configuration': {}}
    """
    try:
        state = json.loads(
            path.read_text("utf-8-sig"),
            object_pairs_hook=_table,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}", fix="Check the path.") from None
    except json.JSONDecodeError as error:
        raise _bad(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError:
        raise _bad(path, "it is not a text in UTF-8") from None
    except RecursionError:
        raise _bad(path, "it is nested too deeply") from None
    except ValueError as error:
        raise _bad(path, str(error)) from None
    if not isinstance(state, dict):
        raise _bad(path, "it holds no object")
    return {key: value for key, value in state.items() if key not in ENGINE_KEYS}


def write(path: Path, state: State) -> list[str]:
    """Write a state, readable by its owner only: wholly or not at all. Gives the names of the keys left out.

    `configuration` and what belongs to the engine are never written, nor is what JSON can't hold, such as records that
    are read as one goes through them; only the latter are told, since nobody misses the others.
    """
    own = {key: value for key, value in state.items() if key != "configuration" and key not in ENGINE_KEYS}
    left_out = [key for key, value in own.items() if not is_json(value)]
    kept = {key: value for key, value in own.items() if key not in left_out}
    _replace(path, json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
    return left_out


def check_writable(path: Path) -> None:
    """Raise UnreadableFile when nothing could be written there; asked before a run, since afterwards is too late."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UnreadableFile(f"{path} can't be written", fix="Name a file in a folder that exists and is yours.")


def _replace(path: Path, text: str) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                # Half a character, as a cut text may hold, becomes its \u escape, which JSON can hold.
                file.write(text.encode("utf-8", "backslashreplace"))
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise UnreadableFile(f"{path} can't be written: {error.strerror}", fix="Name another file.") from None


def is_json(value: Any) -> bool:
    """Whether JSON can hold a value.

    >>> is_json({"a": [1, None]}), is_json(iter([1]))
    (True, False)
    """
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("an object has a key twice")
    return table


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("it holds a number too large to be one")
    return number


def _bad(path: Path, why: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name} can't be used: {why}", fix='It must be one JSON object, such as {"data": {}}.')
