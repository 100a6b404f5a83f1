"""What a run was made of: the commit of the project's files, and a hash over everything that decides what it does."""

import ast
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from runner.project import Project

_PATIENCE = 10  # seconds
CHANGED = "-changed"


@dataclass(frozen=True)
class Provenance:
    """`version` is a git commit, followed by `-changed` where files differ from it, or None where git knows nothing of
    the project; `configuration` is the hash of project file, job scripts, engine, and the packages the scripts import.
    """

    version: str | None = None
    configuration: str | None = None


UNKNOWN = Provenance()


def provenance(project: Project) -> Provenance:
    """What a project is made of now.

    >>> provenance(project)  # doctest: +SKIP
    Provenance(version='3f2a…', configuration='9c81…')
    """
    return Provenance(commit(project.folder), configuration(project))


def commit(folder: Path) -> str | None:
    """The commit that a folder is at, with `-changed` when it differs from that; None without git."""
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    if not head:
        return None
    changed = _git(folder, "status", "--porcelain", "--", ".")
    return head if changed == "" else head + CHANGED


def configuration(project: Project) -> str:
    """The hash over the project file, its job scripts, this program, and the packages that the scripts import."""
    total = hashlib.sha256(_digest(project.path.read_bytes()))
    scripts = {job.name: job.script.read_bytes() for job in project.jobs.values()}
    for name, script in sorted(scripts.items()):
        total.update(f"{name} {_digest(script).hex()}".encode())
    for package in sorted({"runner", *(name for script in scripts.values() for name in _imports(script))}):
        total.update(f"{package} {_package(package)}".encode())
    return total.hexdigest()


def _imports(script: bytes) -> Iterator[str]:
    """The names of the packages that a script imports. One that can't be read is refused elsewhere."""
    try:
        nodes: Iterable[ast.AST] = ast.walk(ast.parse(script))
    except (SyntaxError, ValueError):
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


@lru_cache
def _package(name: str) -> str:
    """A hash over the Python files of a package; of a plain module, or one of Python's own, nothing but its name."""
    spec = None if name in sys.stdlib_module_names else find_spec(name)
    total = hashlib.sha256()
    for folder in sorted((spec.submodule_search_locations if spec else None) or ()):
        for path in sorted(Path(folder).rglob("*.py")):
            total.update(f"{path.relative_to(folder)} {_digest(path.read_bytes()).hex()}".encode())
    return total.hexdigest()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _git(folder: Path, *words: str) -> str | None:
    """What git says, or None. Nothing of the environment tells it to look elsewhere, or to run something."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *words],
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
