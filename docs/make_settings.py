"""Makes docs/settings.md from the schema of the project file.

`python docs/make_settings.py` writes the page; `page()` gives it, and a test holds the two equal.
"""

from collections.abc import Iterator
from pathlib import Path

from runner.schema import Schema, project_schema

PAGE = Path(__file__).with_name("settings.md")
_WORDS = {
    "object": "a table", "array": "a list", "string": "text", "boolean": "true or false", "number": "a number",
    "integer": "a whole number",
}  # fmt: skip

INTRODUCTION = """\
<!-- Made by docs/make_settings.py from runner/project.schema.json. Don't edit this page; run `make docs`. -->
# Settings

Everything that may stand in `project.yaml`, table by table.
`NAME` is a name that you choose.
What isn't here is refused, with the place where it stands; `runner list` reads the file and says so.
[Writing jobs](writing-jobs.md) shows the file as a whole, [alerts](alerts.md) and [scaling](scaling.md) parts of it.
"""


def page() -> str:
    """The whole page."""
    settings: dict[str, Schema] = project_schema()["properties"]
    plain = {name: shape for name, shape in settings.items() if not list(rows("", shape))}
    lines = [INTRODUCTION, *_table("The project", "Of the project as a whole.", plain)]
    for name, shape in settings.items():
        if name not in plain:
            lines += _table(name, shape["description"], {name: shape})
    return "\n".join(lines).rstrip("\n") + "\n"


def rows(path: str, shape: Schema) -> Iterator[tuple[str, Schema]]:
    """Each setting within one, under its whole name, and its own shape, at any depth."""
    for name, inner in shape.get("properties", {}).items():
        yield f"{path}.{name}", inner
        yield from rows(f"{path}.{name}", inner)
    others = shape.get("additionalProperties")
    if isinstance(others, dict):
        yield from rows(f"{path}.NAME", others)


def _table(title: str, purpose: str, settings: dict[str, Schema]) -> Iterator[str]:
    yield from (f"## {title}", "", purpose, "", "| setting | is | for |", "|---|---|---|")
    for name, shape in settings.items():
        for path, inner in list(rows(name, shape)) or [(name, shape)]:
            yield f"| `{path}` | {_kind(inner)} | {inner['description']} |"
    yield ""


def _kind(shape: Schema) -> str:
    """What a value must be, in words."""
    kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
    more = ", more than 0" if shape.get("exclusiveMinimum") == 0 else ""
    return " or ".join(_WORDS[kind] for kind in kinds) + more


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
