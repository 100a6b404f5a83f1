"""The progress line: on a terminal only, and gone at the end."""

import io
import threading

from runner import progress


class Screen(io.StringIO):
    """A terminal that tells when something was written on it."""

    def __init__(self):
        super().__init__()
        self.written = threading.Event()

    def isatty(self):
        return True

    def flush(self):
        self.written.set()


def test_line_on_a_terminal():
    """The line names the operation and counts the items, and nothing of it is left."""
    screen, outcomes = Screen(), [{}]
    with progress.shown(outcomes, 3, screen) as tell:
        tell(2, "each")
        outcomes.append({})
        assert screen.written.wait(10)
    assert "operation 2/3 each, 2 items" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_no_line_elsewhere():
    """In a log or a pipe there is no progress line."""
    stream = io.StringIO()
    with progress.shown([], 3, stream) as tell:
        tell(1, "each")
    assert "" == stream.getvalue()
