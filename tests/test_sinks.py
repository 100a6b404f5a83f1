"""Where the log goes: a stream, and a file of the day that nobody else reads."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import InvalidProject
from runner.logs.sinks import log_of

NIGHT = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)


class At:
    """A clock that is set."""

    def __init__(self):
        self.time = NIGHT

    def __call__(self):
        return self.time


@pytest.fixture
def pipe():
    """A pipe, as systemd or a shell gives one for standard error: the end that is read, and that which is written."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def made(table, folder, descriptor=2, **more):
    """A log by a project's table, and its clock."""
    clock = At()
    return log_of(table, folder, descriptor, now=clock, keyed=str, **more), clock


def read(end):
    """What is in the pipe now."""
    return os.read(end, 1_000_000).decode("ascii")


def test_a_file_for_each_day(tmp_path):
    """R-RT6 Each day (UTC) has a file of its own, of mode 0600 in a folder of mode 0700."""
    log, clock = made({"folder": "log"}, tmp_path)
    log.write("epoch_changed", count=1)
    clock.time += timedelta(minutes=1)
    log.write("epoch_changed", count=2)
    files = sorted((tmp_path / "log").iterdir())
    assert ["events-2026-03-01.log", "events-2026-03-02.log"] == [path.name for path in files]
    assert ["count=1", "count=2"] == [path.read_text().split()[-1] for path in files]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in files}
    assert 0o700 == (tmp_path / "log").stat().st_mode & 0o777


def test_a_file_that_was_taken_away(tmp_path):
    """When somebody moves or removes the day's file, the next line begins it anew."""
    log, _ = made({"folder": "log"}, tmp_path)
    log.write("epoch_changed", count=1)
    (tmp_path / "log" / "events-2026-03-01.log").unlink()
    log.write("epoch_changed", count=2)
    assert (tmp_path / "log" / "events-2026-03-01.log").read_text().endswith("count=2\n")


def test_no_file_by_way_of_a_link(tmp_path, pipe):
    """A link in place of the day's file leads no line elsewhere."""
    log, _ = made({"folder": "log"}, tmp_path, pipe[1])
    (tmp_path / "log" / "events-2026-03-01.log").symlink_to(tmp_path / "elsewhere")
    log.write("epoch_changed", count=1)
    assert not (tmp_path / "elsewhere").exists()
    assert "log_failed" in read(pipe[0])


def test_nobody_reads(tmp_path, pipe):
    """A reader that stands still holds up nobody: lines are lost, which is told as soon as there is room again."""
    log, _ = made({}, tmp_path, pipe[1])
    for number in range(2000):
        log.write("epoch_changed", count=number)
    full = read(pipe[0])
    assert full.count("\n") < 2000
    log.write("epoch_changed", count=2000)
    assert ["epoch_changed", "log_failed"] == [line.split()[2] for line in read(pipe[0]).splitlines()]


def test_nobody_is_there(tmp_path):
    """Also when the reader is gone, the service goes on."""
    reader, writer = os.pipe()
    os.close(reader)
    made({}, tmp_path, writer)[0].write("epoch_changed", count=1)
    os.close(writer)


def test_a_folder_that_cannot_be_made(tmp_path):
    """A folder in the place of a file is refused before the service starts."""
    (tmp_path / "log").write_text("")
    with pytest.raises(InvalidProject, match="the folder can't be made"):
        made({"folder": "log/inner"}, tmp_path)


@pytest.mark.parametrize(
    ("table", "form", "is_json"),
    [({}, None, False), ({"format": "json"}, None, True), ({"format": "json"}, "text", False)],
)
def test_forms(tmp_path, pipe, table, form, is_json):
    """Lines are text, or JSON where the project file or the command line says so; the latter counts for more."""
    made(table, tmp_path, pipe[1], form=form)[0].write("epoch_changed", count=1)
    (line,) = read(pipe[0]).splitlines()
    assert is_json == line.startswith("{")
    assert not is_json or 1 == json.loads(line)["count"]
