"""The specification as text: for the terminal, as CSV, as Markdown, and as a page for a browser."""

import csv
import html
import io
from collections.abc import Iterable, Iterator, Sequence

from runner.mapping.pages import Page
from runner.mapping.specification import HEADINGS, Exchange, Row
from runner.mapping.tables import Entries


def lines(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """The specification for a terminal."""
    for exchange in exchanges:
        yield f"{exchange.job}: {exchange.summary}"
        before = None
        for row in exchange.rows:
            if before != (before := f"  {row.direction}, by {row.step}"):
                yield before
            yield f"    {_sentence(row)}"
        for name, entries in exchange.tables.items():
            yield f"  {name}"
            yield from (f"    {entry}" for entry in _entries(entries))


def as_csv(exchanges: Iterable[Exchange]) -> str:
    """One table: every row with its exchange, and with the entries of its value tables in their cell.

    What a spreadsheet would take for a formula stands behind an apostrophe.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(["Exchange", *HEADINGS.values()])
    for exchange in exchanges:
        for row in exchange.rows:
            cells = {name: getattr(row, name) for name in HEADINGS}
            cells["table"] = "\n".join(_with_entries(row, exchange))
            writer.writerow(map(_no_formula, (exchange.job, *cells.values())))
    return written.getvalue()


def as_markdown(pages: Iterable[Page], title: str) -> str:
    """One document in Markdown, with a table for each page."""
    return "\n".join([f"# {_markdown_cell(title)}", "", *(line for page in pages for line in _markdown(page))])


def as_html(pages: Iterable[Page], title: str) -> str:
    """One document that stands alone: no script, and nothing is loaded."""
    body = "\n".join(line for page in pages for line in _html(page))
    return _HTML.format(title=html.escape(title), body=body)


def _sentence(row: Row) -> str:
    words = [f"{row.target} ← {row.source or row.default}: {row.rule}"]
    words += [f"default {row.default}"] if row.source and row.default else []
    words += ["required"] if row.required == "yes" else []
    words += ["may be localised"] if row.localised == "yes" else []
    return "; ".join(words)


def _entries(entries: Entries) -> list[str]:
    return [key if value is None else f"{key} → {value}" for key, value in entries.items()]


def _with_entries(row: Row, exchange: Exchange) -> Iterator[str]:
    for name in filter(None, row.table.split(", ")):
        yield f"{name}:"
        yield from _entries(exchange.tables[name])


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _markdown(page: Page) -> Iterator[str]:
    yield f"## {_markdown_cell(page.title)}"
    yield ""
    yield from (f"{name}: {_markdown_cell(value)}  " for name, value in page.facts)
    yield ""
    yield _markdown_line(page.headings)
    yield _markdown_line(["---"] * len(page.headings))
    yield from map(_markdown_line, page.rows)
    yield ""


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown_cell, cells))} |"


def _markdown_cell(cell: str) -> str:
    """A cell in which nothing is markup: neither Markdown's nor HTML's."""
    marked = "".join(f"\\{sign}" if sign in "\\`*_[]|#!" else sign for sign in html.escape(cell, quote=False))
    return " ".join(marked.split())


def _html(page: Page) -> Iterator[str]:
    yield f"<h2>{html.escape(page.title)}</h2>"
    yield "<dl>" + "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in page.facts) + "</dl>"
    yield "<table>"
    yield f"<thead>{_html_line(page.headings, 'th')}</thead>"
    yield from (_html_line(row, "td") for row in page.rows)
    yield "</table>"


def _html_line(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 sans-serif; margin: 2em }}
table {{ border-collapse: collapse; margin-bottom: 2em }}
th, td {{ border: 1px solid #999; padding: .3em .5em; text-align: left; vertical-align: top }}
th {{ background: #dce6f1 }}
dt {{ float: left; font-weight: bold; margin-right: .5em }}
@media print {{ h2 {{ break-before: page }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
