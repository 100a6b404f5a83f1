"""Where the log goes: standard error, which systemd's journal keeps, and a file of the day where a folder is named."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from select import POLLOUT, poll
from typing import Any

from runner.errors import InvalidProject
from runner.logs.log import Log, Sink, as_json, as_text

_FORMS = {"json": as_json, "text": as_text}


def log_of(
    table: Mapping[str, Any],
    folder: Path,
    descriptor: int,
    *,
    form: str | None = None,
    now: Callable[[], datetime],
    keyed: Callable[[str], str],
) -> Log:
    """The log that the `log` table of a project file describes; `folder` is where its paths begin.

    `descriptor` is that of standard error. `form`, json or text, counts for more than that of the table. Raises
    InvalidProject.

    >>> log_of({"format": "json"}, Path(), 2, now=now, keyed=vault.keyed).write("service_started")  # doctest: +SKIP
    {"time": "2026-03-01T00:00:00.000Z", "level": "info", "event": "service_started"}
    """
    sinks = [to_descriptor(descriptor)]
    if "folder" in table:
        sinks.append(to_folder(folder / table["folder"]))
    written = _FORMS[form or table.get("format", "text")]
    return Log(*sinks, now=now, form=written, keyed=keyed, shown_ids=table.get("shown_ids", ()))


def to_descriptor(descriptor: int) -> Sink:
    """A sink that is an open file, pipe or socket. Where nobody reads it any more, a line is lost and nobody waits."""
    ready = poll()
    ready.register(descriptor, POLLOUT)

    def sink(_time: datetime, line: str) -> None:
        if not ready.poll(0):
            raise BlockingIOError
        os.write(descriptor, f"{line}\n".encode("ascii"))

    return sink


def to_folder(folder: Path) -> Sink:
    """A sink that is a file for each day (UTC), `events-2026-03-01.log`, of mode 0600. Raises InvalidProject.

    Each line is written by itself, so that files can be removed or moved while the service runs.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fix = "Name a folder that can be made: folder, in the log table of the project file."
        raise InvalidProject(f"log: the folder can't be made: {error.strerror}", fix=fix) from None

    def sink(time: datetime, line: str) -> None:
        path = folder / f"events-{time.astimezone(UTC).date().isoformat()}.log"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, f"{line}\n".encode("ascii"))
        finally:
            os.close(handle)

    return sink
