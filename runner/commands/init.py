"""`runner init`: the folder of a new country, made from a template by the answers to its questions, and checked."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner import report
from runner.check import findings
from runner.commands import check
from runner.errors import Stopped, WrongUse
from runner.places import Places
from runner.template import answers, country, questions
from runner.template.answers import Answers
from runner.template.country import Template


def run(arguments: Namespace) -> int:
    """Make the folder, and tell its files and what the check finds there: 0 when nothing is wrong, else 4.

    Raises WrongUse for answers that are wrong or, where nobody can be asked, missing.
    """
    template = Template.read(Path(arguments.project or country.PROJECT))
    folder = template.folder_of(arguments.country)
    files = country.make(template, arguments.country, _answers(arguments, template))
    rows = check.look(Places(folder / country.PROJECT, folder / "credentials", folder / "data"))
    document: dict[str, Any] = {"files": [str(file) for file in files], "check": findings.document(rows)}
    report.print_either(arguments.json, document, [*_lines(files), *findings.lines(rows)])
    return check.exit_code(rows)


def _answers(arguments: Namespace, template: Template) -> Answers:
    """What was said on the command line counts before what stands in the file; the rest a person is asked."""
    given = answers.in_file(Path(arguments.answers)) if arguments.answers else {}
    given |= answers.in_words(arguments.answer, template.questions)
    known = answers.checked(given, template.questions)
    missing = [question for question in template.questions if question.name not in known]
    if missing and not sys.stdin.isatty():
        raise WrongUse(
            f"answers are missing: {', '.join(question.name for question in missing)}",
            fix=f"Write them into a file, and give it by --answers; {country.JOBS}/{questions.FILE} has the questions.",
        )
    return known | {question.name: answers.asked(question, _hear, report.print_note) for question in missing}


def _hear() -> str:
    try:
        return input()
    except EOFError:
        raise Stopped("the answers ended too early", fix="Nothing was made; begin again.") from None


def _lines(files: list[Path]) -> Iterator[str]:
    yield "made"
    yield from (f"  {file}" for file in files)
