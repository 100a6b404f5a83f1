"""Workbooks: all is text in them, and nothing hostile gets in (runner/mapping/workbook.py, returned.py)."""

import shutil
import subprocess
import zipfile
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font

from runner.errors import Invalid, UnreadableFile, WrongUse
from runner.mapping import returned, workbook
from runner.mapping.pages import Page, pages
from runner.mapping.specification import HEADINGS, Exchange, Row

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://127.0.0.1")',
    "#N/A",
    "0012",
    "1e5",
    "12%",
    " x ",
    "TRUE",
]


def row(**columns):
    return Row(**dict.fromkeys(HEADINGS, "") | {"direction": "to desk", "step": "post", "target": "id"} | columns)


def kept(tmp_path, *exchanges):
    path = tmp_path / "signed.xlsx"
    path.write_bytes(workbook.written(pages(exchanges)))
    return path


def edited(tmp_path, entries, edit):
    """What comes back when somebody has edited the sheet of one table; its entries begin in row 5."""
    path = kept(tmp_path, Exchange("calls", "Carries calls.", (), {"KINDS": entries}))
    book = openpyxl.load_workbook(path)
    edit(book[book.sheetnames[1]])
    book.save(path)
    return returned.read(path)


def remarks(came):
    return [(remark.row, remark.what, remark.key) for remark in came.remarks]


def test_what_goes_out_comes_back(tmp_path):
    """A workbook that nobody edited holds what it was made of, with nothing to remark."""
    first = Exchange("calls", "Carries calls.", (row(rule="as it is"), row(target="kind")), {"KINDS": {"f": "food"}})
    second = Exchange("answers", "Carries answers.", (row(),), {"AGREED": {"f": None}, "NOBODY": {}})

    came = returned.read(kept(tmp_path, first, second))

    assert (first, second) == came.exchanges
    assert () == came.remarks


def test_nothing_is_taken_for_a_formula(tmp_path):
    """Texts that begin like a formula or look like a number are texts, to openpyxl as to people."""
    path = kept(tmp_path, Exchange("calls", "=1+1", (), {"KINDS": dict.fromkeys(FORMULAS, "=2+2")}))

    cells = [
        cell for sheet in openpyxl.load_workbook(path) for line in sheet.iter_rows() for cell in line if cell.value
    ]

    assert {"s"} == {cell.data_type for cell in cells}
    assert {"@"} == {cell.number_format for cell in cells}
    assert dict.fromkeys(FORMULAS, "=2+2") == returned.read(path).exchanges[0].tables["KINDS"]


HOLDABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).filter(lambda text: "_x" not in text)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(HOLDABLE.filter(bool), HOLDABLE, max_size=6), HOLDABLE)
def test_any_text_survives(tmp_path_factory, entries, rule):
    """Whatever texts a table and a rule hold, they come back as they were."""
    exchange = Exchange("calls", "Carries calls.", (row(rule=rule),), {"KINDS": entries})

    came = returned.read(kept(tmp_path_factory.mktemp("any"), exchange))

    assert (exchange,) == came.exchanges
    assert () == came.remarks


@pytest.mark.parametrize("text", ["\x00", "a\x1bb", "\ud800", "\r", "_x000D_", "a" * 32_768], ids=ascii)
def test_what_no_cell_can_hold(tmp_path, text):
    """A text that would come back as another one isn't written at all; the message doesn't hold it."""
    with pytest.raises(Invalid) as raised:
        kept(tmp_path, Exchange("calls", "", (), {"KINDS": {"f": text}}))

    assert text not in str(raised.value)


def struck(sheet):
    sheet["A5"].font = Font(strike=True)


def struck_in_part(sheet):
    sheet["B5"] = CellRichText("fo", TextBlock(InlineFont(strike=True), "od"))


def hidden(sheet):
    sheet.row_dimensions[5].hidden = True


def commented(sheet):
    sheet["B5"].comment = Comment("really?", "Alex Testfall")


def formula(sheet):
    sheet["B5"] = "=A5"


def switched(sheet):
    sheet["B5"] = True


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (struck, "struck through"),
        (struck_in_part, "struck through"),
        (hidden, "hidden"),
        (commented, "commented"),
        (formula, "a formula"),
        (switched, "true or false"),
    ],
)
def test_what_people_mark_is_reported(tmp_path, edit, word):
    """A row that people struck through, hid or commented, or that holds no text, is reported and left to a person."""
    came = edited(tmp_path, {"f": "food", "c": "cash"}, edit)

    assert [(5, word, "f")] == remarks(came)
    assert {"f"} == came.doubtful("calls", "KINDS")


def test_texts_that_look_like_numbers(tmp_path):
    """0012 stays 0012; what was typed as a number is taken by its digits, and reported."""

    def edit(sheet):
        sheet.append(["0012", "new"])
        sheet.append([125080000, 7.0])

    came = edited(tmp_path, {"f": "food"}, edit)

    assert {"f": "food", "0012": "new", "125080000": "7"} == came.exchanges[0].tables["KINDS"]
    assert [(7, "a number", "125080000")] == remarks(came)
    assert set() == came.doubtful("calls", "KINDS")


def test_keys_that_are_not_clear(tmp_path):
    """A key that stands twice, and a value without a key, are reported and not guessed."""

    def edit(sheet):
        sheet.append(["f", "other food"])
        sheet.append([None, "whose?"])

    came = edited(tmp_path, {"f": "food"}, edit)

    assert [(6, "a key that stands twice", "f"), (7, "without a key", "")] == remarks(came)
    assert {"f": "food"} == came.exchanges[0].tables["KINDS"]


def merged(sheet):
    sheet.merge_cells("A5:A6")


def whole_hidden(sheet):
    sheet.sheet_state = "hidden"


def headless(sheet):
    sheet["A4"] = "Schlüssel"


@pytest.mark.parametrize("edit", [merged, whole_hidden, headless])
def test_sheets_that_can_not_be_trusted(tmp_path, edit):
    """Of a sheet with merged cells, a hidden one, or one without its headings nothing is taken."""
    came = edited(tmp_path, {"f": "food", "c": "cash"}, edit)

    assert {} == came.exchanges[0].tables
    assert [0] == [remark.row for remark in came.remarks]
    assert "left as it is" in came.remarks[0].what


def packed(**parts):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


HOSTILE = {
    "no zip": b"PK\x03\x04 but no more",
    "empty": b"",
    "another zip": packed(readme="hello"),
    "huge": b"\0" * (workbook.MOST_BYTES + 1),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_refused(tmp_path, content):
    """What is no workbook, or is larger than any specification, is refused."""
    path = tmp_path / "hostile.xlsx"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile) as raised:
        workbook.read(path)

    assert raised.value.fix


BOMBS = {
    "a zip bomb": {"bomb": b"\0" * (workbook.MOST_UNPACKED + 1)},
    "many parts": {f"part{number}": b"" for number in range(workbook.MOST_PARTS + 1)},
}


@pytest.mark.parametrize("more", BOMBS.values(), ids=BOMBS.keys())
def test_what_unpacks_to_too_much(tmp_path, more):
    """A workbook in order that has something enormous in it is refused by what it says of its parts."""
    path = kept(tmp_path, Exchange("calls", "", (), {"KINDS": {"f": "food"}}))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in more.items():
            archive.writestr(name, content)

    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        workbook.read(path)


def with_part(path, name, change):
    """The same workbook with one part changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    assert parts[name] != change(parts[name])
    path.write_bytes(packed(**parts | {name: change(parts[name])}))


def test_xml_bombs_are_refused(tmp_path):
    """Entities, by which a few bytes become gigabytes, are not expanded."""
    path = kept(tmp_path, Exchange("calls", "", (), {"KINDS": {"f": "food"}}))
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    with_part(path, "xl/worksheets/sheet2.xml", lambda xml: bomb + xml.replace(b"food", b"&b;"))

    with pytest.raises(UnreadableFile):
        workbook.read(path)


def test_sheets_that_claim_to_be_endless(tmp_path):
    """One cell in the last row that a sheet can have is not worth a million empty ones."""

    def edit(sheet):
        sheet["A1048576"] = "far"

    with pytest.raises(UnreadableFile):
        edited(tmp_path, {"f": "food"}, edit)


def test_other_workbooks_are_no_specification(tmp_path):
    """A workbook that was not exported, or that shows changes, is refused with what to give instead."""
    for name, page in {"other": Page("x", (), ["a"], [["b"]]), "changes": Page(
        "x", (("Exchange", "calls"), ("What it does", "")), ["Key"], [["b"]], ["added"]
    )}.items():  # fmt: skip
        path = tmp_path / f"{name}.xlsx"
        path.write_bytes(workbook.written([page]))
        with pytest.raises(UnreadableFile) as raised:
            returned.read(path)
        assert "export" in raised.value.fix


def test_titles_of_sheets(tmp_path):
    """Titles that are too long, alike, or hold signs that are not allowed are made fit."""
    names = ["a" * 40, "A" * 40, "with/slash", "with\\slash", "'quoted'"]
    book = openpyxl.load_workbook(BytesIO(workbook.written(Page(name, (), ["a"], []) for name in names)))

    assert 5 == len({title.casefold() for title in book.sheetnames})
    assert max(map(len, book.sheetnames)) <= 31


def test_without_openpyxl(monkeypatch):
    """Where the extra is not installed, the error says how to install it."""
    monkeypatch.setattr(workbook, "import_module", lambda name: __import__("no_such_module"))

    with pytest.raises(WrongUse) as raised:
        workbook.written([])

    assert "[mapping]" in raised.value.fix


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not on this machine")
def test_libreoffice_opens_it(tmp_path):
    """LibreOffice reads the workbook, and finds the texts as texts."""
    path = kept(tmp_path, Exchange("calls", "Carries calls.", (row(rule="=1+1"),), {"KINDS": {"0012": "food"}}))
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to", "csv"]
    subprocess.run([*command, "--outdir", str(tmp_path), str(path)], check=True, timeout=120, capture_output=True)

    assert "=1+1" in (tmp_path / "signed.csv").read_text("utf-8")
