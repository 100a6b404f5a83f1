"""Silence: whatever a job or a library prints or logs is dropped and counted, and afterwards people are heard again."""

import logging
import os
import subprocess
import sys
import threading

import pytest

from runner.logs.silence import aloud, closed_descriptors, silence

CANARY = "Nyaruot Beispiel"


class Custom(logging.Handler):
    """A handler that somebody has set; what it was given."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def emit(self, record):
        self.heard.append(record.getMessage())


@pytest.fixture
def loudest():
    """Every logger at its most verbose, with a handler of its own."""
    root, handler = logging.getLogger(), Custom()
    before = root.level
    names = ("httpx", "httpcore", "httpcore.http11", "uvicorn.error", "uvicorn.access", "asyncio", "tenacity", "a.job")
    loggers = [root, *map(logging.getLogger, names)]
    kept = [(logger, logger.level, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(1)
        logger.disabled = False
        logger.addHandler(handler)
    yield loggers, handler.heard
    for logger, level, disabled in kept:
        logger.setLevel(level)
        logger.disabled = disabled
        logger.removeHandler(handler)
    root.setLevel(before)


def test_third_parties_at_the_most_verbose(loudest, capfd):
    """R-LG4 No logger gets through at any level, whatever levels and handlers somebody has set."""
    loggers, heard = loudest
    with silence() as dropped:
        for logger in loggers:
            for level in (1, logging.DEBUG, logging.CRITICAL, 1000):
                logger.log(level, CANARY)
        logging.lastResort.handle(logging.LogRecord("x", 50, "x.py", 1, CANARY, None, None))
    assert 4 * len(loggers) + 1 == dropped.count
    assert ([], ("", "")) == (heard, tuple(capfd.readouterr()))


def test_ways_to_print(capfd):
    """R-LG2 H48 Output, error output, their buffers, the streams of the beginning, loggers: dropped and counted."""
    with silence() as dropped:
        print(CANARY)  # noqa: T201
        print(CANARY, file=sys.stderr)  # noqa: T201
        sys.__stdout__.write(f"{CANARY}\n")
        sys.__stderr__.write(f"{CANARY}\n")
        sys.stdout.buffer.write(f"{CANARY}\n".encode())
        logging.getLogger("a.job").warning(CANARY)
    assert 6 == dropped.count
    assert ("", "") == tuple(capfd.readouterr())


def test_handlers_that_a_job_leaves_behind(tmp_path, capfd):
    """R-LG2 A handler that a job sets, to a stream or a file, is given nothing, and holds nothing open to people."""
    logger = logging.getLogger("a.job")
    handlers = []
    with silence():
        handlers += [logging.StreamHandler(), logging.FileHandler(tmp_path / "job.log")]
        for handler in handlers:
            logger.addHandler(handler)
        logger.error(CANARY)
    logger.error(CANARY)
    for handler in handlers:
        logger.removeHandler(handler)
        handler.close()
    assert ("", "") == tuple(capfd.readouterr())


def test_people_are_heard_again(capfd):
    """When the last run has ended, output and loggers are as they were, also when runs end in another order."""
    before = sys.stdout, sys.stderr, sys.__stdout__, logging.Logger.handle
    first, second = silence(), silence()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    print(CANARY)  # noqa: T201
    second.__exit__(None, None, None)
    assert before == (sys.stdout, sys.stderr, sys.__stdout__, logging.Logger.handle)
    print("heard")  # noqa: T201
    assert "heard\n" == capfd.readouterr().out


def test_many_threads(capfd):
    """Runs in many threads at once are all silent, and give everything back."""
    before = sys.stdout

    def chat():
        for _ in range(50):
            with silence():
                print(CANARY)  # noqa: T201

    threads = [threading.Thread(target=chat) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (before, "") == (sys.stdout, capfd.readouterr().out)


def test_aloud(capfd):
    """R-LG2 In a rehearsal what a job prints is shown on standard error, beside the report."""
    with aloud() as dropped:
        print("seen")  # noqa: T201
    assert (0, ("", "seen\n")) == (dropped.count, tuple(capfd.readouterr()))


def test_below_python(capfd):
    """R-LG2 While the service runs, what writes to the descriptors themselves, and child processes, lead nowhere."""
    with closed_descriptors():
        os.write(1, CANARY.encode())
        os.write(2, CANARY.encode())
        subprocess.run([sys.executable, "-c", f"print({CANARY!r})"], check=True)
    os.write(1, b"heard")
    assert ("heard", "") == tuple(capfd.readouterr())
