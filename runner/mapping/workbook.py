"""Workbooks (XLSX): pages written so that all is text, and read back with distrust.

openpyxl comes with the extra `mapping` and is loaded only here, when a workbook is at hand.
"""

import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

from runner.errors import Invalid, UnreadableFile, WrongUse
from runner.mapping.pages import CHANGE, Page

# A specification of a hundred rows has 40 KB, and unpacks to 300 KB in 30 parts.
MOST_BYTES = 5_000_000
MOST_UNPACKED = 10_000_000
MOST_PARTS = 500
MOST_CELLS = 200_000

_COLOURS = {"added": "C6EFCE", "removed": "F8CBAD", "changed": "FFEB9C"}
_HEADING = "DCE6F1"
_WIDTHS = (12, 60)  # the least and the most, in characters
_LONGEST = 32_767
_NO_CELL = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")  # XML can't, or means another


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, as text (`""` for nothing), and what people have done to it: a word for each remark."""

    text: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet by rows, from 1 on; `remarks` of the whole."""

    title: str
    rows: dict[int, list[Cell]]
    remarks: tuple[str, ...] = ()


def written(pages: Iterable[Page]) -> bytes:
    """The workbook with a sheet for each page. Raises WrongUse without openpyxl, Invalid for what no cell can hold."""
    book = _openpyxl().Workbook()
    book.remove(book.active)
    for page in pages:
        _write(book.create_sheet(_title(page.title, book.sheetnames)), page)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(path: Path) -> list[Sheet]:
    """The sheets of a workbook. Raises UnreadableFile for what is none, or is too large to be one of ours."""
    openpyxl = _openpyxl()
    content = _content(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(BytesIO(content), rich_text=True)
    except Exception as error:  # a hostile file makes openpyxl raise anything
        raise _unreadable(path, f"is no workbook ({type(error).__name__})") from None
    # Up to the last cell of a sheet openpyxl makes all that lie between.
    if sum(sheet.max_row * sheet.max_column for sheet in book.worksheets) > MOST_CELLS:
        raise _unreadable(path, f"has more than {MOST_CELLS} cells")
    return [_sheet(sheet) for sheet in book.worksheets]


def _openpyxl() -> Any:
    try:
        return import_module("openpyxl")
    except ImportError:
        raise WrongUse(
            "workbooks need openpyxl, which is not installed",
            fix="Install the extra: pip install 'primero-progres-bridge[mapping]'.",
        ) from None


def _write(sheet: Any, page: Page) -> None:
    marked = bool(page.marks)
    headings = [CHANGE, *page.headings] if marked else page.headings
    rows = [[mark, *row] for mark, row in zip(page.marks, page.rows, strict=True)] if marked else page.rows
    head = len(page.facts) + 2
    for number, row in enumerate(chain(page.facts, [()], [headings], rows), start=1):
        colour = _HEADING if number == head else _COLOURS.get(row[0]) if marked and number > head else None
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            _put(cell, text)
            _style(cell, bold=number == head or (number < head and column == 1), colour=colour)
    _lay_out(sheet, head, list(zip(headings, *rows, strict=True)))


def _put(cell: Any, text: str) -> None:
    """Write a text as text, whatever it begins with; the format keeps what people type over it text as well."""
    if len(text) > _LONGEST or _NO_CELL.search(text):
        raise Invalid(
            f"a text of {len(text)} characters is too long for a cell, or holds a sign that none can",
            fix="Take it out of the job script.",
        )
    cell.value = text or None
    if text:
        cell.data_type = "s"
    cell.number_format = "@"


def _style(cell: Any, *, bold: bool, colour: str | None) -> None:
    styles = import_module("openpyxl.styles")
    cell.alignment = styles.Alignment(wrap_text=True, vertical="top")
    if bold:
        cell.font = styles.Font(bold=True)
    if colour:
        cell.fill = styles.PatternFill("solid", fgColor=colour)


def _lay_out(sheet: Any, head: int, columns: list[tuple[str, ...]]) -> None:
    """The headings stay in sight, the columns are as wide as their texts, and all of it fits on the paper's width."""
    sheet.freeze_panes = sheet.cell(head + 1, 1)
    for number, column in enumerate(columns, start=1):
        least, most = _WIDTHS
        width = max(least, *(len(text) + 2 for text in column))
        sheet.column_dimensions[sheet.cell(1, number).column_letter].width = min(most, width)
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = import_module("openpyxl.worksheet.properties").PageSetupProperties(
        fitToPage=True
    )


def _title(wanted: str, taken: list[str]) -> str:
    """A sheet's title: at most 31 characters, no sign that is not allowed, and none twice whatever its letter case."""
    plain = re.sub(r"[\[\]:*?/\\']", " ", wanted)[:31]
    used, title, number = {name.casefold() for name in taken}, plain, 2
    while title.casefold() in used:
        title = f"{plain[: 30 - len(str(number))]} {number}"
        number += 1
    return title


def _content(path: Path) -> bytes:
    """The file, when it isn't larger than it claims, nor than any specification (a zip bomb)."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        raise _unreadable(path, "can't be read") from None
    if len(content) > MOST_BYTES:
        raise _unreadable(path, f"is larger than {MOST_BYTES} bytes")
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise _unreadable(path, "is no workbook") from None
    # What a part unpacks to beyond the size that it states is never read.
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise _unreadable(path, f"unpacks to more than {MOST_PARTS} parts or {MOST_UNPACKED} bytes")
    return content


def _sheet(sheet: Any) -> Sheet:
    remarks = {"partly of merged cells": bool(sheet.merged_cells.ranges), "hidden": sheet.sheet_state != "visible"}
    rows = {row[0].row: [_cell(sheet, cell) for cell in row] for row in sheet.iter_rows()}
    return Sheet(sheet.title, rows, tuple(word for word, holds in remarks.items() if holds))


def _cell(sheet: Any, cell: Any) -> Cell:
    column = cell.coordinate.rstrip("0123456789")  # a merged cell knows no letter
    hidden = sheet.row_dimensions[cell.row].hidden or sheet.column_dimensions[column].hidden
    remarks = {
        "hidden": hidden,
        "commented": bool(cell.comment),
        "struck through": bool(cell.font and cell.font.strike) or _struck_in_part(cell.value),
        "a formula": cell.data_type == "f",
        "an error": cell.data_type == "e",
        "a number": cell.data_type == "n" and cell.value is not None,
        "a date": cell.data_type == "d",
        "true or false": cell.data_type == "b",
    }
    return Cell(_text(cell.value), tuple(word for word, holds in remarks.items() if holds))


def _struck_in_part(value: Any) -> bool:
    runs = value if isinstance(value, list) else []
    return any(getattr(getattr(run, "font", None), "strike", False) for run in runs)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _unreadable(path: Path, why: str) -> UnreadableFile:
    return UnreadableFile(f"{path} {why}", fix="Give a workbook that `runner mapping export` has made.")
