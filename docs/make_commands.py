"""Makes docs/commands.md from what the command line says of itself.

`python docs/make_commands.py` writes the page; `page()` gives it, and a test holds the two equal. The page is not
argparse's own help, since that looks different in every version of Python.
"""

from argparse import Action, ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

from runner.cli import parser

PAGE = Path(__file__).with_name("commands.md")

INTRODUCTION = """\
<!-- Made by docs/make_commands.py from the command line itself. Don't edit this page; run `make docs`. -->
# Commands

Every command of `runner`, and what may be said to it.
[Writing jobs](writing-jobs.md#running-a-job) shows how they are used.
"""


def page() -> str:
    """The whole page, the same in every version of Python."""
    return "\n".join([INTRODUCTION, *_sections("runner", "Runs jobs that carry records between systems.", parser())])


def _sections(name: str, purpose: str, command: ArgumentParser) -> Iterator[str]:
    rows = [row for action in command._actions if (row := _row(action))]
    table = "\n".join(["| say | for |", "|---|---|", *rows]) + "\n" if rows else ""
    yield f"## {name}\n\n{purpose[:1].upper()}{purpose[1:].rstrip('.')}.\n\n{table}"
    for action in command._actions:
        if isinstance(action, _SubParsersAction):
            told = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for word, inner in action.choices.items():
                yield from _sections(f"{name} {word}", told.get(word, ""), inner)


def _row(action: Action) -> str | None:
    """One argument; None for the list of commands, which have sections of their own, and for -h, which all have."""
    if isinstance(action, _SubParsersAction) or action.dest == "help":
        return None
    words = ", ".join(action.option_strings)
    value = str(action.metavar or action.dest.upper()) if action.nargs != 0 else ""
    return f"| `{f'{words} {value}'.strip()}` | {(action.help or '').replace('%%', '%')} |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
