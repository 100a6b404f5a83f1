"""The folder of a new country: project file, job scripts and credentials of a template, with the answers written in.

jobs/nirgendwo/project.yaml, *.py             under version control
jobs/nirgendwo/credentials.example/*.yaml     under version control: what another machine begins with
jobs/nirgendwo/credentials/*.yaml             of mode 600, ignored by git
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner import jobscript, project, yamlfile
from runner.errors import InvalidProject, UnreadableFile, WrongUse
from runner.mapping import tables
from runner.template import questions
from runner.template.answers import Answers
from runner.template.questions import Answer, Question
from runner.yamlfile import Where

JOBS = "jobs"
PROJECT = "project.yaml"
_CREDENTIALS, _EXAMPLES = "credentials", "credentials.example"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")

Texts = dict[str, str]


@dataclass(frozen=True)
class Template:
    """The project that others are made from, and its questions."""

    project: project.Project
    questions: list[Question]

    @classmethod
    def read(cls, project_file: Path) -> "Template":
        """Read it. Raises what `project` and `questions` do."""
        found = project.load(project_file)
        return cls(found, questions.read(found.folder / JOBS))

    def folder_of(self, country: str) -> Path:
        """Where a country's folder will be. Raises WrongUse when it is there already, or the name is no plain word."""
        folder = self.project.folder / JOBS / country
        if not _NAME.fullmatch(country):
            raise WrongUse("a country's name is a plain word", fix="Use small letters, digits and -.")
        if folder.exists():
            raise WrongUse(f"{folder} is there already", fix="Take another name; nothing is ever overwritten.")
        return folder


def make(template: Template, country: str, answers: Answers) -> list[Path]:
    """Make the country's folder, whole or not at all; gives its files.

    Raises WrongUse when it is there, and what `project` and `jobscript` raise when what was made doesn't load.
    """
    folder = template.folder_of(country)
    texts = _with_answers(_copied(template, country), template.questions, answers)
    texts |= {_example(name): text for name, text in texts.items() if _is_secret(name)}
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as beside:
            made = Path(beside) / country
            for name, text in texts.items():
                _write(made / name, text)
            for job in project.load(made / PROJECT).jobs.values():
                jobscript.load(job.script, job.name)
            made.rename(folder)
    except OSError as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"{folder} can't be made: {error.strerror}", fix="Check the folder above it.") from None
    return [folder / name for name in texts]


def _copied(template: Template, country: str) -> Texts:
    """The template's files by their names in the new folder; there, scripts lie beside the project file."""
    scripts = {name: job.script for name, job in template.project.jobs.items()}
    named: dict[Where, str] = {("name",): country}
    named |= {("jobs", name, "script"): script.name for name, script in scripts.items()}
    if len({script.name for script in scripts.values()}) < len(set(scripts.values())):
        raise InvalidProject("two job scripts have one name in different folders", fix="Give them different names.")
    texts = {PROJECT: yamlfile.changed(tables.source(template.project.path), named, template.project.path)}
    texts |= {script.name: tables.source(script) for script in sorted(scripts.values())}
    examples = sorted((template.project.folder / _EXAMPLES).glob("*.yaml"))
    return texts | {f"{_CREDENTIALS}/{path.name}": tables.source(path) for path in examples}


def _with_answers(texts: Texts, asked: list[Question], answers: Answers) -> Texts:
    changed = dict(texts)
    for question in asked:
        for file, place in _places(question):
            if file not in changed:
                raise _misplaced(question, file)
            write = _in_yaml if file.endswith(".yaml") else _in_script
            changed[file] = write(changed[file], place, answers[question.name], question)
    return changed


def _places(question: Question) -> Iterator[tuple[str, str]]:
    return ((file, place) for file, names in question.written.items() for place in names)


def _in_yaml(text: str, place: str, answer: Answer, question: Question) -> str:
    if not isinstance(answer, str):
        raise _misplaced(question, place)
    return yamlfile.changed(text, {tuple(place.split(".")): answer}, Path(place))


def _in_script(text: str, place: str, answer: Answer, question: Question) -> str:
    """A table as a whole, or one of its entries; a list takes the keys; else a constant."""
    name, _, key = place.partition(".")
    table = tables.tables(text).get(name)
    if table and key in table.entries and isinstance(answer, str):
        return tables.changed(text, {name: {**table.entries, key: answer}})
    if table and not key and isinstance(answer, dict):
        return tables.changed(text, {name: dict(answer)})
    if name in tables.constants(text) and not key and isinstance(answer, str):
        return tables.with_constants(text, {name: answer})
    raise _misplaced(question, place)


def _misplaced(question: Question, place: str) -> InvalidProject:
    return InvalidProject(
        f"{questions.FILE}: the answer to {question.name} can't be written into {place}",
        fix="Name a file of the new folder; in it a constant, a table of texts, or a key that it has.",
    )


def _is_secret(name: str) -> bool:
    return Path(name).parent.name == _CREDENTIALS


def _example(name: str) -> str:
    """Where the same credential lies as an example: no answer is a secret, so it holds none."""
    return f"{_EXAMPLES}/{Path(name).name}"


def _write(path: Path, text: str) -> None:
    secret = _is_secret(str(path))
    path.parent.mkdir(mode=0o700 if secret else 0o777, parents=True, exist_ok=True)
    path.touch(mode=0o600 if secret else 0o666)
    path.write_text(text, "utf-8")
