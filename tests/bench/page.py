"""The table of figures, printed and written into docs/performance.md with the machine and the date."""

import os
import platform
import re
import sqlite3
from datetime import UTC, datetime

from tests.bench.measure import ROOT

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of figures -->"
HEAD = ("what", "ours", "the other side", "ratio (middle half)", "target", "measured")


class Table:
    """The lines of the table: those of the page, each replaced when it is measured anew."""

    def __init__(self, page=PAGE):
        self._page = page
        self._rows = {row[0]: row for row in _rows_of(page.read_text("utf-8")) if row[0] not in (HEAD[0], "---")}

    def put(self, figure):
        """Write down a figure, with the time and the machine's load."""
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        row = (figure.what, figure.ours, figure.other, figure.ratio, figure.target, f"{when}, load {load()}")
        self._rows[figure.what] = row
        return _line(row)

    def write(self):
        """Put the table into the page, in the place of the old one."""
        lines = [f"Measured on: {machine()}.", "", _line(HEAD), _line(["---"] * len(HEAD))]
        table = "\n".join([BEGIN, "", *lines, *map(_line, self._rows.values()), "", END])
        old = self._page.read_text("utf-8")
        before, _, rest = old.partition(BEGIN)
        self._page.write_text(before + table + rest.partition(END)[2], "utf-8")


def machine():
    """What the figures were measured on, in a line."""
    cpu = re.search(r"model name\s*:\s*(.+)", _text("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", _text("/proc/meminfo"))
    told = [
        f"{os.cpu_count()} cores" + (f" ({cpu[1]})" if cpu else ""),
        f"{int(memory[1]) / 1e6:.0f} GB of memory" if memory else "",
        f"{platform.system()} {platform.release()}",
        f"CPython {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    return ", ".join(filter(None, told))


def load():
    """How busy the machine was during the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _line(cells):
    return f"| {' | '.join(cells)} |"


def _rows_of(text):
    table = text.partition(BEGIN)[2].partition(END)[0]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines() if "|" in line]


def _text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
