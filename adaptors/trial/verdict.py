"""What a trial has shown of one job: how each record ended, what the far sides hold, and which rows were reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from adaptors.primero.records import differing
from adaptors.trial import findings
from adaptors.trial.children import DONE, WITHHELD, Child
from adaptors.trial.exchange import Exchange
from adaptors.trial.findings import finding
from adaptors.trial.held import Held, Record
from adaptors.trial.review import Sending
from adaptors.trial.watched import Row
from adaptors.trial.ways import tables_of

Document = dict[str, Any]
Item = dict[str, Any]


class Verdict:
    """The verdict on one job; `items` are its records, as the engine reports them, and `sendings` what a second look
    has told of them.

    Example: `Verdict(exchange, items, Held(world), exchange.sendings()).document["findings"]` is `[]` if all is well.
    """

    def __init__(self, exchange: Exchange, items: Sequence[Item], held: Held, sendings: Sequence[Sending]) -> None:
        self._exchange, self._items, self._held, self._sendings = exchange, items, held, sendings
        self._job, self._forms = exchange.script.job, exchange.world.forms
        self._reached: set[Row] = set()
        self._without: dict[Row, tuple[str, str]] = {}
        self._findings = [*exchange.problems, *self._of_children()]

    @property
    def document(self) -> Document:
        """The verdict as JSON: `{"job", "exchange", "children", "outcomes", "tables", "findings"}`."""
        tables = list(self._tables())
        return {
            "job": self._job,
            "exchange": self._exchange.label,
            "children": len(self._exchange.children),
            "outcomes": dict(Counter(map(self._ended, self._exchange.children))),
            "tables": tables,
            "findings": findings.together([*self._findings, *self._never(tables)]),
        }

    def _of_children(self) -> Iterator[Document]:
        for child in self._exchange.children:
            items = [item for item in self._items if child.mark in item["ids"].values()]
            wrong = list(self._outcome(child, items))
            yield from wrong
            done = bool(items) and not wrong and all(item["outcome"] in DONE for item in items)
            for sending in self._sendings:
                if sending.is_about(child.mark):
                    yield from self._of_sending(child, sending, done=done, right=not wrong)
            if not wrong and not done:
                self._without_effect(child, items)

    def _outcome(self, child: Child, items: list[Item]) -> Iterator[Document]:
        if not items and child.outcomes:
            fix = "Look at the constants of the job, and at whose records it reads."
            yield finding(child.says, self._job, child.refused or "the job never met such a record", fix)
        for item in items:
            if item["outcome"] not in child.outcomes or child.code not in ("", item["code"]):
                right = " or ".join(child.outcomes) or "left alone"
                found = f"{_in_words(item)}; right would be {right}{f' ({child.code})' if child.code else ''}"
                yield finding(child.says, self._job, found, item["fix"] or "Look at the row, and at the constants.")

    def _without_effect(self, child: Child, items: list[Item]) -> None:
        """Nothing was sent, and that is right. A row is reached by what was refused for it."""
        if not items:
            self._without |= dict.fromkeys(child.rows, ("left alone", ""))
        elif any(item["outcome"] in WITHHELD for item in items):
            codes = ", ".join(sorted({str(item["code"]) for item in items}))
            self._without |= dict.fromkeys(child.rows, ("withheld", codes))
        else:
            self._reached |= child.rows

    def _of_sending(self, child: Child, sending: Sending, *, done: bool, right: bool) -> Iterator[Document]:
        rows = {name: self._rows_of(sending, name) for name in sending.values}
        if sending.operation == "upsert_case":
            yield from findings.on_forms(self._job, sending, rows, self._forms)
        if not (done or (right and sending.operation == "send_feedback")):
            return
        record = self._held.of(sending)
        if record is None:
            found = f"the far side holds nothing of what {sending.operation} sends"
            yield finding(child.says, self._job, found, "Look at the keys by which it is known.")
            return
        if sending.operation == "upsert_case":
            yield from findings.required(self._job, sending, record, self._forms)
        wrong = _differing(sending, record)
        yield from findings.not_held(self._job, child.says, wrong, rows, self._forms)
        self._reached |= {row for name in record.written - set(wrong) for row in rows[name]}

    def _rows_of(self, sending: Sending, name: str) -> set[Row]:
        """The rows, and the constants that have a name, by which a field was made."""
        script, value = self._exchange.script, sending.values[name]
        fields = [each.sends[name] for each in script.named(sending.operation) if name in each.sends]
        names = {named for field in fields for rule in field.rules for named in rule.names}
        fixed = {named for named, text in script.constants.items() if any(text in field.constants for field in fields)}
        constants = {
            Row(named, "")
            for named in (names | fixed) & script.constants.keys()
            if value in (script.constants[named], [script.constants[named]])
        }
        return set(sending.rows[name]) | constants

    def _tables(self) -> Iterator[Document]:
        """Each table of a mapping with its rows, then the constants to which a way was found."""
        script = self._exchange.script
        operations = [each for name in (self._exchange.sends_by, "send_feedback") for each in script.named(name)]
        names = [name for each in operations for field in each.sends.values() for name in tables_of(script, field)]
        tried = {row for child in self._exchange.children for row in child.rows}
        known = {*tried, *self._reached, *self._exchange.not_needed}
        for name in dict.fromkeys(names):
            rows = [Row(name, key) for key in (*script.tables[name], "")]
            yield {"table": name, "rows": [self._row(row, tried) for row in rows if row.key or row in known]}
        for row in sorted(row for row in tried if row.table not in script.tables):
            yield {"table": row.table, "rows": [self._row(row, tried)]}

    def _row(self, row: Row, tried: set[Row]) -> Document:
        exchange = self._exchange
        if row in self._reached:
            status, why = "reached", ""
        elif row in self._without:
            status, why = self._without[row]
        elif row in exchange.impossible:
            status, why = "never", exchange.impossible[row]
        elif row in exchange.not_needed:
            status, why = "not needed", exchange.not_needed[row]
        else:
            status, why = "never", "" if row in tried else "no valid record leads there"
        return {"key": row.key, "status": status, "why": why}

    def _never(self, tables: list[Document]) -> Iterator[Document]:
        for table in tables:
            for row in table["rows"]:
                if row["status"] == "never":
                    name = f"{table['table']} {row['key']}".rstrip()
                    found = f"the row was never reached{': ' if row['why'] else ''}{row['why']}"
                    yield finding(name, self._job, found, "Correct or remove the row, or mend what else is told of it.")

    def _ended(self, child: Child) -> str:
        outcomes = {str(item["outcome"]) for item in self._items if child.mark in item["ids"].values()}
        return " and ".join(sorted(outcomes)) or "not met"


def _differing(sending: Sending, record: Record) -> list[str]:
    """Fields that a far side doesn't hold as the mapping gives them."""
    wanted = {name: _as(record.fields.get(name), sending.values[name]) for name in sorted(record.written)}
    return differing(wanted, record.fields)


def _as(held: Any, value: Any) -> Any:
    """A value of a field that takes several, as it stands there."""
    return [value] if isinstance(held, list) and not isinstance(value, list) and value is not None else value


def _in_words(item: Item) -> str:
    return f"{item['outcome']} ({item['code']}): {item['message']}" if item["code"] else str(item["outcome"])
