"""Where a version of the specification comes from: the project, a job script, a workbook, or a revision in git."""

import subprocess
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

from runner import jobscript, project
from runner.errors import UnreadableFile, WrongUse
from runner.mapping import returned
from runner.mapping.labels import Labels
from runner.mapping.returned import Returned
from runner.mapping.specification import Exchange, exchange

Version = tuple[Exchange, ...]


def of_project(path: Path, labels: Labels | None = None) -> Version:
    """The specification of every job that a project file names. Raises what `project` and `jobscript` do."""
    jobs = project.load(path).jobs.values()
    return tuple(exchange(jobscript.load(job.script, job.name), labels) for job in jobs)


def signed(of: project.Project) -> str | None:
    """What a person would name to say the version that was signed last; None where none was.

    >>> signed(project.Project(Path("jobs/x/project.yaml"), "x", {}, signed="v1.0"))
    'v1.0'
    """
    beside = of.folder / (of.signed or "")
    return str(beside) if of.signed and beside.is_file() else of.signed


def named(text: str, project_file: Path) -> Returned:
    """The version that a person names, with what is to be remarked of it, where it is a workbook.

    `signed.xlsx` is a workbook, `x.py` a job script, `project.yaml` a project; `REV:PATH` is one of the last two as git
    has it in a revision, and `REV` alone the project itself. Raises UnreadableFile when there is no such thing.
    """
    path = Path(text)
    if path.is_file():
        return _of_file(path)
    revision, colon, inside = text.partition(":")
    if not revision or revision.startswith("-") or (path.suffix in (".xlsx", ".py", ".yaml", ".yml") and not colon):
        raise UnreadableFile(f"there is no file {text}", fix="Check the path.")
    return _of_revision(revision, Path(inside) if colon else project_file)


def comparable(old: Version, new: Version) -> tuple[Version, Version]:
    """The two without what only one can have: a job script alone is compared with its own exchange.

    Raises WrongUse when the other version doesn't hold that exchange.
    """
    if len(old) == len(new) or 1 not in (len(old), len(new)):
        return old, new
    job = (old if len(old) == 1 else new)[0].job
    pair = tuple(tuple(each for each in version if each.job == job) for version in (old, new))
    if not all(pair):
        raise WrongUse(
            f"there is no exchange {job} in the other version", fix="Name two versions of the same exchange."
        )
    return pair[0], pair[1]


def _of_file(path: Path) -> Returned:
    if path.suffix == ".xlsx":
        return returned.read(path)
    if path.suffix == ".py":
        return Returned((exchange(jobscript.load(path)),))
    if path.suffix in (".yaml", ".yml"):
        return Returned(of_project(path))
    raise UnreadableFile(
        f"{path} is neither a workbook, a job script nor a project file",
        fix="Name one that ends in .xlsx, .py or .yaml.",
    )


def _of_revision(revision: str, path: Path) -> Returned:
    """What stands in a revision is unpacked into a folder that is gone afterwards; the job scripts are read there."""
    folder = path.parent.resolve()
    top = _git(folder, "rev-parse", "--show-toplevel").decode().strip()
    inside = folder.relative_to(Path(top).resolve()) / path.name
    packed = _git(Path(top), "archive", "--format=tar", revision, "--", str(inside.parent))
    with tempfile.TemporaryDirectory() as unpacked, tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(unpacked, filter="data")
        found = Path(unpacked) / inside
        if not found.is_file():
            raise UnreadableFile(f"{path} is not in {revision}", fix="Check the revision, and the path in it.")
        return _of_file(found)


def _git(folder: Path, *words: str) -> bytes:
    try:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        told = " ".join(words[:1])
        raise UnreadableFile(
            f"git can't tell ({told}): no such file, or no such revision",
            fix="Name a file, or a revision that git knows.",
        ) from None
