"""Makes docs/log-inventory.md from the registry of events.

`python docs/make_log_inventory.py` writes the page; `page()` gives it, and a test holds the two equal.
"""

from pathlib import Path

from runner.logs.inventory import sheet

PAGE = Path(__file__).with_name("log-inventory.md")

INTRODUCTION = """\
<!-- Made by docs/make_log_inventory.py from runner/logs/events.py. Don't edit this page; run `make docs`. -->
"""

CONCLUSION = """\

## Where it goes

`runner serve` writes one line for each event to standard error, where systemd's journal keeps it.
With `folder` in the project file's table `log`, each line also goes to a file of the day there, of mode 0600.
`--log-format json`, or `format: json` in that table, writes JSON lines; otherwise it is short text.
When a line can't be written, because the disk is full or nobody reads, it is lost and the service goes on.
It tells so with `log_failed` as soon as anybody hears it.

`runner logs inventory` prints this sheet with the choices of a project: the names of ids in `log: {shown_ids: […]}`.
Those are shown as they are, though they may be a person's. With none, every UNHCR number is keyed.
`runner logs keyed ID` gives the form under which an id stands in the log, for those who look for it.

## What doesn't get in

A value that isn't of its field's class is replaced by its length or type, such as `(41 characters)`.
A field that isn't declared is left out and counted, and so is an event.
Nothing else can be written: no message of an error, no text of a far side, no line of a library.

What a job prints or logs is dropped and counted (`job_printed`), whatever levels and handlers somebody has set.
While the service runs, standard output and standard error lead nowhere for everything but the log.
That holds also for what writes below Python, such as `os.write` or a library in C.
A run by hand drops what Python's own streams and loggers are given; `os.write` in a job script would get through there.
`runner run JOB --show-prints` shows what a job prints.
It is refused unless all the job's credentials are of stand-ins on this machine.

Errors that nobody foresaw are told by class, file, line and operation, in the log and on the console.
Their text, the values in their traceback and the names of what they were about are dropped.

An administrator who may change the job scripts can write what they like wherever the service may write.
No log can prevent that; reviews of the job scripts do.
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "\n".join(sheet()) + "\n" + CONCLUSION


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
