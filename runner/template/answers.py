"""The answers to a template's questions: from a file, from the command line, or from a person at a terminal."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runner import yamlfile
from runner.errors import InvalidYaml, RunnerError, WrongUse, first_of
from runner.template.questions import Answer, Question, shown

Answers = dict[str, Answer]
_TYPED = Path("the answer")


def in_file(path: Path) -> dict[str, Any]:
    """What a file of answers holds, unchecked: `name: answer`. Raises UnreadableFile, InvalidYaml or WrongUse."""
    given = yamlfile.read(path).value or {}
    if not isinstance(given, dict):
        raise WrongUse(f"{path.name} holds no answers", fix="Write name: answer on a line each.")
    return given


def in_words(words: Sequence[str], questions: Sequence[Question]) -> dict[str, Any]:
    """What was said on the command line, unchecked. Raises WrongUse or InvalidYaml.

    >>> in_words(["desk_user=desk_1"], [])
    {'desk_user': 'desk_1'}
    """
    tables = {question.name for question in questions if question.takes_lines}
    said: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name in said:
            raise WrongUse("an answer is given once, as NAME=VALUE", fix="Such as: --answer desk_user=desk_1")
        said[name] = yamlfile.parse(text, _TYPED).value if name in tables else text
    return said


def checked(given: dict[str, Any], questions: Sequence[Question]) -> Answers:
    """The answers that were given, each in its form. Raises WrongUse for all that are wrong, or answer nothing."""
    known = {question.name: question for question in questions}
    problems: list[RunnerError] = []
    right: Answers = {}
    for name, value in given.items():
        try:
            if name not in known:
                raise WrongUse(f"there is no question {name}", fix=f"Questions are: {', '.join(known)}.")
            right[name] = known[name].answer(value)
        except WrongUse as problem:
            problems.append(problem)
    if problems:
        raise first_of(problems)
    return right


def asked(question: Question, hear: Callable[[], str], say: Callable[[str], None]) -> Answer:
    """Ask a person until the answer is right; a table is heard line by line, up to an empty one.

    >>> question = Question("desk_user", "the user at the desk", "word", "desk_1", {})
    >>> heard = iter(["desk 1", "desk_1"])
    >>> asked(question, lambda: next(heard), print)
    desk_user: the user at the desk, such as: desk_1
    desk_user: this is not one word, without blanks and quotes
    'desk_1'
    """
    ending = " (an entry a line, then an empty line)" if question.takes_lines else ""
    say(f"{question.name}: {question.asks}, such as: {shown(question.example)}{ending}")
    while True:
        try:
            return question.answer(_heard(question, hear))
        except (WrongUse, InvalidYaml) as problem:
            say(str(problem))


def _heard(question: Question, hear: Callable[[], str]) -> Any:
    if not question.takes_lines:
        return hear().strip()
    return yamlfile.parse("\n".join(iter(hear, "")), _TYPED).value or {}
