"""The specification of an exchange: a row for each field that is sent, and the value tables behind the rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from runner import dataflow
from runner.jobscript import JobScript
from runner.mapping import tables
from runner.mapping.labels import Labels
from runner.mapping.tables import Entries


@dataclass(frozen=True)
class Row:
    """What one field of the far side is made of. All of it is text as people read it, `""` where there is nothing.

    `localised` is `yes` where the value comes by a table or a constant of the job script that has a name.
    """

    direction: str
    step: str
    source: str
    source_label: str
    target: str
    target_label: str
    form: str
    rule: str
    table: str
    default: str
    required: str
    localised: str

    @property
    def place(self) -> tuple[str, str, str]:
        """By what a row is found again in another version."""
        return self.direction, self.step, self.target

    @property
    def agreed(self) -> dict[str, str]:
        """The columns that an agreement is about: not the labels, which each system gives its fields."""
        names = ("source", "rule", "table", "default", "required", "localised")
        return {name: getattr(self, name) for name in names}


# The columns under the headings that people know.
HEADINGS = {
    "direction": "Direction", "step": "Step", "source": "Source field", "source_label": "Source label",
    "target": "Target field", "target_label": "Target label", "form": "Form", "rule": "Rule",
    "table": "Value table", "default": "Default", "required": "Required", "localised": "May be localised",
}  # fmt: skip


@dataclass(frozen=True)
class Exchange:
    """One job as a specification: its rows, and its tables by name."""

    job: str
    summary: str
    rows: tuple[Row, ...]
    tables: Mapping[str, Entries]

    @property
    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        rows = [{field.name: getattr(row, field.name) for field in fields(row)} for row in self.rows]
        return {"job": self.job, "summary": self.summary, "rows": rows, "tables": dict(self.tables)}


def exchange(job: JobScript, labels: Labels | None = None) -> Exchange:
    """The specification that a job script is; nothing of it is run.

    >>> from pathlib import Path
    >>> exchange(jobscript.load(Path("jobs/north_to_south.py"))).rows[0].target  # doctest: +SKIP
    'id'
    """
    script, labels = tables.source(job.path), labels or Labels({})
    found = {name: table.entries for name, table in tables.tables(script).items()}
    operations = list(dataflow.all_within(job.operations))
    required = {path for operation in operations for path in getattr(operation, "requires", ())}
    made = _Made(found, tables.constants(script), tables.named_constants(script), required, labels)
    rows = dict.fromkeys(row for operation in operations for row in made.rows(operation))
    return Exchange(job.name, job.summary, tuple(rows), found)


@dataclass(frozen=True)
class _Made:
    """What the rows of one job are made with."""

    tables: Mapping[str, Entries]
    constants: Mapping[str, str]
    named: Mapping[tuple[str, str], str]
    required: set[str]
    labels: Labels

    def rows(self, operation: Any) -> Iterator[Row]:
        for target, field in getattr(operation, "sends", {}).items():
            sources = sorted(map(dataflow.shown, field.reads | field.free_text))
            names = list(dict.fromkeys(self._names(target, field)))
            target_label, form = self.labels.of(operation.system, target)
            yield Row(
                direction=f"to {operation.system}",
                step=operation.__name__,
                source=", ".join(sources),
                source_label=", ".join(filter(None, (self.labels.of_source(path)[0] for path in sources))),
                target=target,
                target_label=target_label,
                form=form or next((form for _, form in map(self.labels.of_source, sources) if form), ""),
                rule=", then ".join(rule.words for rule in field.rules) or ("as it is" if sources else "constant"),
                table=", ".join(name for name in names if name in self.tables),
                default="; ".join(self._defaults(target, field, names)),
                required="yes" if any(map(self._is_required, sources)) else "no",
                localised="yes" if names else "no",
            )

    def _names(self, target: str, field: Any) -> Iterator[str]:
        yield from filter(None, (self._name(target, value) for value in field.constants))
        yield from (name for rule in field.rules for name in rule.names)

    def _defaults(self, target: str, field: Any, names: list[str]) -> Iterator[str]:
        yield from (_shown(value) for value in field.constants if not self._name(target, value))
        yield from (_shown(rule.default) for rule in field.rules if rule.default is not None)
        yield from (f"{name} = {self.constants[name]}" for name in names if name in self.constants)

    def _name(self, target: str, value: Any) -> str | None:
        """The constant's name, where the mapping gives it by name."""
        return self.named.get((target.rpartition(".")[2], value)) if isinstance(value, str) else None

    def _is_required(self, path: str) -> bool:
        return any(path == wanted or wanted.startswith(f"{path}.") for wanted in self.required)


def _shown(constant: Any) -> str:
    return str(constant).lower() if isinstance(constant, bool) else str(constant)
