"""The log: one line for each event, ids that say nothing of a person, and no way for it to stop the service."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from runner.errors import VaultError
from runner.logs.log import SILENT, Log, as_json

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "Nyaruot Beispiel"
CASE = "0b6f9a52-7d83-4a51-9a5e-6f1e2d3c4b5a"


class Heard:
    """A log whose lines and time a test sees."""

    def __init__(self, **more):
        self.time, self.lines = NOON, []
        self.log = Log(self.sink, now=lambda: self.time, form=as_json, **more)

    def sink(self, _time, line):
        self.lines.append(json.loads(line))

    def write(self, event, **fields):
        self.log.write(event, **fields)
        return self.lines[-1]


def test_a_line():
    """R-LG1 A line is time, level, event and the fields that are known, in the order of the registry."""
    line = Heard().write("run_ended", seconds=1.5, job="sort", code=None, done=3)
    head = {"time": "2026-03-01T12:00:00.000Z", "level": "info", "event": "run_ended"}
    assert {**head, "job": "sort", "done": 3, "seconds": 1.5} == line
    assert ["job", "done", "seconds"] == list(line)[3:]


def test_what_is_not_declared():
    """R-LG1 An event or a field that isn't declared can't be written; that it was tried is told."""
    line = Heard().write("cursor_moved", job="sort", name=CANARY, note=CANARY)
    assert (2, False) == (line["left_out"], CANARY in str(line))
    line = Heard().write(CANARY, name=CANARY)
    assert ("undeclared", "error", False) == (line["event"], line["level"], CANARY in str(line))


@pytest.mark.parametrize("value", [CANARY, [CANARY], {CANARY: CANARY}, CANARY.encode(), ValueError(CANARY)])
def test_no_field_holds_a_name(value):
    """R-LG1 H41 Whatever is given for whatever field of whatever event, a name doesn't get through."""
    from runner.logs.events import EVENTS

    heard = Heard()
    for event, declared in EVENTS.items():
        heard.time += timedelta(hours=1)
        heard.write(event, **dict.fromkeys(declared.fields, value))
    assert CANARY not in json.dumps(heard.lines)
    assert len(EVENTS) == len(heard.lines)


def test_ids_of_persons():
    """R-LG5 A random id is shown; any other is keyed and shortened, unless the project file names it."""
    ids = {"case_id": CASE, "individual": "GAM-00000901", "intervention": "GAM-26-PRTITV-0000901"}
    heard = Heard(keyed=lambda text: f"{len(text):064x}", shown_ids=["intervention"])
    expected = {"case_id": CASE, "individual": "keyed:000000000000", "intervention": "GAM-26-PRTITV-0000901"}
    assert expected == heard.write("item", job="sort", ids=ids)["ids"]


def test_shown_ids_are_ids():
    """R-LG5 Also where an id is to be shown, what isn't one is not."""
    line = Heard(shown_ids=["intervention"]).write("item", ids={"intervention": "Nyaruot", CANARY: "GAM-1"})
    assert {"intervention": "(7 characters)", "(16 characters)": "(5 characters)"} == line["ids"]


def test_several_ids():
    """R-LG5 Of several ids under one name, each is shown or keyed by itself."""
    line = Heard(keyed=lambda text: "0" * 64).write("item", ids={"cases": f"{CASE} GAM-00000901 Nyaruot"})
    assert f"{CASE} keyed:000000000000 keyed:000000000000" == line["ids"]["cases"]


def test_half_a_character():
    """An id that no encoding knows stops nothing."""
    heard = Heard(keyed=lambda text: text.encode().hex())
    assert {"id": "(2 characters)"} == heard.write("item", ids={"id": "7\ud800"})["ids"]


def test_ids_without_a_key():
    """R-LG5 Where the key is gone, an id is told by its length."""

    def gone(_text):
        raise VaultError("the fingerprint key can't be read", fix="Put it back.")

    assert {"individual": "(12 characters)"} == Heard(keyed=gone).write("item", ids={"individual": "GAM-00000901"})[
        "ids"
    ]


def test_what_others_decide_is_written_rarely():
    """R-LG1 A flood of wrong keys fills no disk: one line a minute, which tells how many there were."""
    heard = Heard()
    for _ in range(100):
        heard.log.write("request_unauthorised")
    heard.time += timedelta(minutes=1)
    heard.log.write("request_unauthorised")
    assert [1, 100] == [line["times"] for line in heard.lines]


def test_rare_lines_of_several_codes():
    """A refusal of one kind hides none of another, and a clock that was set back hides nothing."""
    heard = Heard()
    for code in ("too_large", "too_deep", "too_large"):
        heard.log.write("message_refused", code=code)
    heard.time -= timedelta(days=1)
    heard.log.write("message_refused", code="too_deep")
    assert ["too_large", "too_deep", "too_deep"] == [line["code"] for line in heard.lines]


def test_a_sink_that_fails():
    """The service goes on when a line can't be written; where another sink works, it is told there, once a minute."""

    def full(_time, _line):
        raise OSError(28, "No space left on device")

    lines = []
    log = Log(full, lambda _, line: lines.append(json.loads(line)["event"]), now=lambda: NOON, form=as_json)
    log.write("epoch_changed", count=1)
    log.write("epoch_changed", count=2)
    assert ["epoch_changed", "log_failed", "epoch_changed"] == lines
    Log(full, now=lambda: NOON).write("epoch_changed", count=1)


def test_silence_is_the_default(capfd):
    """Where no log is given, nothing is written."""
    SILENT.write("epoch_changed", count=1)
    assert ("", "") == tuple(capfd.readouterr())
