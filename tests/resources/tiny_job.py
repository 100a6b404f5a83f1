"""Notes on every call of the helpline that it was read.

Run by hand. What to edit: FIRST_DAY and NOTE.
"""

from tiny_adaptor import get_calls, send_note

from adaptors.common import data_value, each, join, log_ids, once

FIRST_DAY = "2026-03-01"

NOTE = {
    "text": join(": ", "Read", data_value("summary")),
    "status": "read",
}

operations = [
    get_calls(since=FIRST_DAY),
    each(
        "$.data[*]",
        log_ids(call=data_value("id")),
        once("note", data_value("id"), send_note(data_value("id"), NOTE)),
    ),
]
