"""The benchmarks' own parts (tests/bench): ratios, and the table in docs/performance.md."""

import os
import sys

from bench import postgres
from bench.measure import Figure, in_turn, ratio, run, seconds
from bench.page import BEGIN, END, PAGE, Table

FIGURE = Figure("start", "80 ms", "pass: 10 ms", "8.00 ×", "≤ 8 ×")


def test_a_ratio_is_taken_round_by_round():
    """Each round's ratio counts once, so that a machine that slowed down for both changes nothing."""
    assert "2.00 × (2.00–2.00)" == ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0])
    assert "3.00 ×" == ratio([3.0], [1.0])


def test_sides_take_turns():
    """All sides are called once a round, in the order in which they are named."""
    called = []
    found = in_turn(2, ours=lambda: called.append("ours"), other=lambda: called.append("other"))
    assert ["ours", "other", "ours", "other"] == called
    assert {"ours", "other"} == set(found)


def test_seconds_are_told_with_a_unit():
    """Times are told in the unit that people would use."""
    assert ["1.5 s", "20 ms", "3 µs"] == [seconds([each]) for each in (1.5, 0.02, 0.000003)]


def test_what_a_command_cost_is_known(tmp_path):
    """A command's exit code, time and peak memory come back; what it says is dropped."""
    cost = run(sys.executable, "-c", "print('x'); raise SystemExit(3)", folder=tmp_path)
    assert 3 == cost.code
    assert 0 < cost.cpu
    assert 1_000_000 < cost.peak


def test_a_peak_is_the_command_s_own(tmp_path):
    """A command's peak memory is its own, whatever the process holds that measures it."""
    held = bytearray(os.urandom(1) * 200_000_000)
    assert run(sys.executable, "-c", "pass", folder=tmp_path).peak < 100_000_000 < len(held)


def test_a_figure_replaces_its_line_only(tmp_path):
    """What is measured anew takes the place of its old line; the prose and the other lines stay as they are."""
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n\n{BEGIN}\n{END}\n\nAfter.\n", "utf-8")
    table = Table(page)
    table.put(FIGURE)
    table.put(Figure("items", "1 s", "loop: 1 s", "1.00 ×"))
    table.write()
    again = Table(page)
    again.put(Figure("start", "70 ms", "pass: 10 ms", "7.00 ×", "≤ 8 ×"))
    again.write()
    text = page.read_text("utf-8")
    assert text.startswith("# Before\n")
    assert text.endswith("\n\nAfter.\n")
    assert (0, 1, 1) == tuple(text.count(each) for each in ("8.00 ×", "7.00 ×", "| items | 1 s |"))


def test_the_page_has_the_machine_and_every_target():
    """The table that stands in docs/performance.md was measured, and says on what and when."""
    text = PAGE.read_text("utf-8")
    assert "Measured on: " in text
    rows = [line.split(" | ") for line in text.partition(BEGIN)[2].partition(END)[0].splitlines() if ", load " in line]
    targets = {row[4] for row in rows}
    assert {"≤ 8 ×", "≤ 25 ×", "≤ 4 ×", "≤ 1.2 ×", "≤ 1 ms", "≤ 70 MB", "≤ 30 MB more", "≥ 0.5 ×"} <= targets


def test_without_postgres_its_lines_are_skipped(monkeypatch, tmp_path, capsys):
    """Where no PostgreSQL is installed, nothing of it is measured, and a line says so."""
    monkeypatch.setattr(postgres.servers, "programs", lambda: None)
    assert [] == list(postgres.figures(tmp_path))
    assert f"postgres is skipped: {postgres.servers.MISSING}\n" == capsys.readouterr().out


def test_postgres_is_measured_beside_sqlite(monkeypatch, in_postgres, tmp_path):
    """A claim in PostgreSQL stands beside that in SQLite with as many pending, and beside one with fewer."""
    monkeypatch.setattr(postgres.claims, "FEW", 4)
    monkeypatch.setattr(postgres.claims, "MANY", 8)
    found = list(postgres._claims(tmp_path, in_postgres, rounds=2))
    assert ["4 pending", "8 pending", "8 pending, beside fewer"] == [each.what.split("with ")[1] for each in found]
    assert ["SQLite", "SQLite", "4 pending"] == [each.other.split(":")[0] for each in found]
