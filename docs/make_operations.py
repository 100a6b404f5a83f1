"""Makes docs/operations.md from the docstrings of what jobs are written in.

`python docs/make_operations.py` writes the page; with `--check` it writes nothing and exits with 1 when the page is out
of date. What belongs on the page is each module's docstring and what it names in `__all__`.
"""

import argparse
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).with_name("operations.md")
MODULES = (
    "adaptors.common", "adaptors.primero", "adaptors.progres", "adaptors.http", "adaptors.comparing", "adaptors.errors",
)  # fmt: skip

INTRODUCTION = """\
<!-- Made by docs/make_operations.py from the docstrings. Don't edit this page: edit those, then run `make docs`. -->
# Operations

Everything that a job script may import, module by module.
An *operation* is a step: it stands in the list `operations`, or inside `each`.
The rest gives values, and stands in mappings and functions.
[Writing jobs](writing-jobs.md) tells how they go together; the [glossary](glossary.md) explains the words.
"""


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Makes docs/operations.md from the docstrings.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when the page is out of date")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write or to check")
    arguments = parser.parse_args()
    made = page()
    if not arguments.check:
        arguments.page.write_text(made, "utf-8")
        return 0
    if arguments.page.exists() and made == arguments.page.read_text("utf-8"):
        return 0
    print(f"{arguments.page.name} is out of date: run make docs", file=sys.stderr)  # noqa: T201
    return 1


def page() -> str:
    """The whole page, the same each time for the same docstrings."""
    modules = [importlib.import_module(name) for name in MODULES]
    lines = [INTRODUCTION, *_contents(modules)]
    for module in modules:
        lines += _section(module)
    return "\n".join(lines).rstrip("\n") + "\n"


def groups(module: ModuleType) -> dict[str, list[str]]:
    """The public names of a module, sorted, in the groups that the page shows."""
    names = sorted(getattr(module, "__all__", ()), key=str.casefold)
    operations = [name for name in names if _gives_operation(getattr(module, name))]
    found = {"Operations": operations, "Values and tools": [name for name in names if name not in operations]}
    return {title: names for title, names in found.items() if names}


def _contents(modules: list[ModuleType]) -> Iterator[str]:
    for module in modules:
        yield f"- [{module.__name__}](#{module.__name__.replace('.', '')})"
        for title, names in groups(module).items():
            yield f"  - {title}: " + " · ".join(f"[{name}](#{name.lower()})" for name in names)
    yield ""


def _section(module: ModuleType) -> Iterator[str]:
    yield from (f"## {module.__name__}", "", inspect.getdoc(module) or "", "")
    for title, names in groups(module).items():
        yield from (f"### {title}", "")
        for name in names:
            yield from _entry(name, getattr(module, name))


def _entry(name: str, thing: Any) -> Iterator[str]:
    prose, prompt, example = (inspect.getdoc(thing) or "").partition(">>> ")
    yield from (f"#### {name}", "", "```python", f"{name}{_signature(thing)}", "```", "", prose.strip(), "")
    if example:
        yield from ("```pycon", prompt + example.strip(), "```", "")
    if inspect.isclass(thing):
        yield from _methods(thing)


def _methods(thing: type) -> Iterator[str]:
    methods = [(name, held) for name, held in vars(thing).items() if inspect.isfunction(held) and name[0] != "_"]
    for name, method in methods:
        told = textwrap.indent(inspect.getdoc(method) or "", "  ").strip()
        yield f"- `{name}{_signature(method)}`: {told}"
    if methods:
        yield ""


def _gives_operation(thing: Any) -> bool:
    return inspect.isfunction(thing) and "Operation" in str(inspect.signature(thing).return_annotation)


def _signature(thing: Any) -> str:
    """Names and defaults, without types; `…` for a default that prints as an address in memory."""
    signature = inspect.signature(thing)
    named = [held.replace(annotation=held.empty) for name, held in signature.parameters.items() if name != "self"]
    shown = str(signature.replace(parameters=named, return_annotation=signature.empty))
    return re.sub(r"=<.*? at 0x[0-9a-f]+>", "=…", shown)


if __name__ == "__main__":
    sys.exit(main())
