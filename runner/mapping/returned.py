"""A workbook that came back: the specification in it, and what people have done to it that no program may decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UnreadableFile
from runner.mapping import workbook
from runner.mapping.pages import CHANGE, KEY, VALUE
from runner.mapping.specification import HEADINGS, Exchange, Row
from runner.mapping.tables import Entries
from runner.mapping.workbook import Cell, Sheet

# What somebody has typed as a number is taken by its digits; all other remarks leave an entry to a person.
TAKEN = "a number"


@dataclass(frozen=True)
class Remark:
    """Something that a person must look at: on which sheet, in which row (0: the whole sheet), and what.

    `job` and `table` say whose it is, `key` of which entry, where there is one.
    """

    sheet: str
    row: int
    what: str
    job: str
    table: str = ""
    key: str = ""

    def __str__(self) -> str:
        place = f"{self.sheet}, row {self.row} " if self.row else ""
        whose = ", ".join(filter(None, (self.job, self.table, self.key)))
        return f"{place}({whose}): {self.what}"


@dataclass(frozen=True)
class Returned:
    """What a workbook holds; tables that can't be trusted as a whole are not among the exchanges' tables."""

    exchanges: tuple[Exchange, ...]
    remarks: tuple[Remark, ...] = ()

    def doubtful(self, job: str, table: str) -> set[str]:
        """The keys of a table whose entries a person must decide about."""
        here = (remark for remark in self.remarks if (remark.job, remark.table) == (job, table))
        return {remark.key for remark in here if remark.what != TAKEN} - {""}


def read(path: Path) -> Returned:
    """The specification in a workbook that `runner mapping export` has made, and people may have edited.

    Raises UnreadableFile when it is no such workbook.
    """
    found: dict[str, Exchange] = {}
    remarks: list[Remark] = []
    for sheet in workbook.read(path):
        facts = {cells[0].text: cells[1].text for _, cells in sorted(sheet.rows.items())[:2] if len(cells) > 1}
        job, table = facts.get("Exchange", ""), facts.get("Value table", "")
        if not job:
            continue
        if any(cell.text == CHANGE for cells in sheet.rows.values() for cell in cells[:1]):
            fix = "Give the specification itself, from runner mapping export."
            raise UnreadableFile(f"{path} shows the changes between two versions", fix=fix)
        before = found.get(job, Exchange(job, "", (), {}))
        if table:
            entries, said = _table(sheet, job, table)
            remarks += said
            kept = before.tables if entries is None else {**before.tables, table: entries}
            found[job] = Exchange(job, before.summary, before.rows, kept)
        else:
            rows, said = _rows(sheet, job)
            remarks += said
            found[job] = Exchange(job, facts.get("What it does", ""), rows, before.tables)
    if not found:
        raise UnreadableFile(f"{path} holds no specification", fix="Give a workbook that `runner mapping export` made.")
    return Returned(tuple(found.values()), tuple(remarks))


def _table(sheet: Sheet, job: str, table: str) -> tuple[Entries | None, list[Remark]]:
    head = _head(sheet, KEY)
    if sheet.remarks or head is None:
        why = f"the sheet is {', '.join(sheet.remarks)}" if sheet.remarks else "it has lost its headings"
        return None, [Remark(sheet.title, 0, f"{why}, so the table was left as it is", job, table)]
    columns = _columns(sheet, head)
    entries: Entries = {}
    remarks: list[Remark] = []
    for number, cells in _below(sheet, head):
        key, value = _at(cells, columns[KEY]), _at(cells, columns.get(VALUE, -1))
        what = _remarks([key, value])
        if not key.text and not value.text:
            continue
        if not key.text:
            what = ("without a key",)
        elif key.text in entries:
            what = (*what, "a key that stands twice")
        remarks += [Remark(sheet.title, number, word, job, table, key.text) for word in what]
        entries.setdefault(key.text, value.text if VALUE in columns else None)
    entries.pop("", None)
    return entries, remarks


def _rows(sheet: Sheet, job: str) -> tuple[tuple[Row, ...], list[Remark]]:
    head = _head(sheet, HEADINGS["direction"])
    if head is None:
        return (), [Remark(sheet.title, 0, "it has lost its headings", job)]
    columns = _columns(sheet, head)
    rows: list[Row] = []
    remarks: list[Remark] = []
    for number, cells in _below(sheet, head):
        texts = {name: _at(cells, columns.get(heading, -1)).text for name, heading in HEADINGS.items()}
        remarks += [Remark(sheet.title, number, word, job, key=texts["target"]) for word in _remarks(cells)]
        if any(texts.values()):
            rows.append(Row(**texts))
    return tuple(rows), remarks


def _head(sheet: Sheet, first: str) -> int | None:
    """The row of the headings, which begin with this one, in whatever column."""
    found = (number for number, cells in sorted(sheet.rows.items()) if any(cell.text == first for cell in cells))
    return next(found, None)


def _columns(sheet: Sheet, head: int) -> dict[str, int]:
    return {cell.text: place for place, cell in enumerate(sheet.rows[head]) if cell.text}


def _below(sheet: Sheet, head: int) -> Iterator[tuple[int, list[Cell]]]:
    return ((number, cells) for number, cells in sorted(sheet.rows.items()) if number > head)


def _at(cells: list[Cell], place: int) -> Cell:
    return cells[place] if 0 <= place < len(cells) else Cell("")


def _remarks(cells: list[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for cell in cells for word in cell.remarks))
