"""Replays recorded answers of a real Primero against an answer function, without sockets, and says what differs.

The format is that of the vector files: lines in order, captured values, placeholders, comparisons. Waiting is left to
the caller: `wait` is given the seconds that a line asks for and may move a clock instead of sleeping.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from adaptors.sandbox.wire import Answer, Request, Response

PLACE = re.compile(r"\{\{([^{}|]+)(?:\|([^{}]+))?\}\}")
ABSENT = object()


def replay(
    answer: Answer, lines: list[dict], passwords: dict[str, str], wait: Callable[[float], None], today: datetime
) -> list[str]:
    """Texts that say what differs, one for each comparison that failed; empty when all lines agree."""
    names = {"year": f"{today:%Y}", "today": f"{today:%Y-%m-%d}", "receiver": "http://127.0.0.1:9"}
    differences = []
    for line in lines:
        wait(line.get("wait_before", {}).get("seconds", 0))
        response = answer(as_request(filled(line["request"], names), passwords))
        body = as_document(response.body)
        for name, where in line.get("capture", {}).items():
            names[name] = captured(response, body, where)
        wanted = filled(line["response"], names)
        for comparison in filled(line["compare"], names):
            if compare(comparison, response, body, wanted):
                differences.append(f"{line['id']}: {comparison} → {response.status} {str(body)[:300]}")
                break
    return differences


def load(path: Path) -> list[dict]:
    """The lines of a vector file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def as_request(recorded: dict, passwords: dict[str, str]) -> Request:
    """The request of a line, with the headers that its replay would send."""
    headers, body = {"accept": "application/json"}, b""
    user = recorded.get("user")
    if user:
        password = recorded.get("password", passwords.get(user, ""))
        headers["authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    if "raw_body" in recorded or "body" in recorded:
        body = recorded.get("raw_body", "").encode() or json.dumps(recorded.get("body")).encode()
        headers["content-type"] = "application/json"
    headers |= {name.lower(): value for name, value in (recorded.get("headers") or {}).items()}
    return Request(recorded["method"], recorded["path"], recorded.get("query") or "", headers, body)


def as_document(body: bytes) -> object:
    """The JSON of a body, its text where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def filled(value: object, names: dict[str, str]) -> object:
    """The same document with the known placeholders replaced in all its texts."""
    if isinstance(value, str):
        return PLACE.sub(lambda found: shown(names[found[1]], found[2]) if found[1] in names else found[0], value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value


def shown(value: object, how: str | None) -> str:
    """A captured value in the form that a placeholder asks for."""
    if how == "urldecode":
        return unquote(str(value))
    if how == "date":
        return str(value)[:10]
    if how is None:
        return str(value)
    later = timedelta(milliseconds=int(how[1:-2])) if how.endswith("ms") else timedelta(seconds=int(how[1:-1]))
    moment = datetime.fromisoformat(str(value)).astimezone(UTC) + later
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def captured(response: Response, body: object, where: str) -> object:
    """What a line captures: a header or a place in the body."""
    if where.startswith("header:"):
        return header(response, where.removeprefix("header:"))
    found = at(body, where)
    assert found is not ABSENT, f"nothing to capture at {where}: {response.status} {body}"
    return found


def header(response: Response, name: str) -> str | None:
    """A header by name in any case."""
    return next((value for known, value in response.headers.items() if known.lower() == name), None)


def at(document: object, pointer: str) -> object:
    """What a JSON pointer leads to; a segment `[key=value]` picks an entry of a list."""
    for segment in pointer.split("/")[1:]:
        segment = segment.replace("~1", "/").replace("~0", "~")
        document = step(document, segment)
        if document is ABSENT:
            break
    return document


def step(document: object, segment: str) -> object:
    """One segment of a pointer."""
    if isinstance(document, dict):
        return document.get(segment, ABSENT)
    if not isinstance(document, list):
        return ABSENT
    picked = re.fullmatch(r"\[(\w+)=(.*)\]", segment)
    if picked:
        entries = (entry for entry in document if isinstance(entry, dict))
        return next((entry for entry in entries if str(entry.get(picked[1])) == picked[2]), ABSENT)
    return document[int(segment)] if segment.isdigit() and int(segment) < len(document) else ABSENT


def compare(comparison: str | dict, response: Response, body: object, wanted: dict) -> bool:
    """Whether one comparison of a line finds a difference."""
    if comparison == "status":
        return response.status != wanted["status"]
    if comparison == "empty":
        return body not in ("", None)
    if comparison == "total":
        return at(body, "/metadata/total") != at(wanted.get("body"), "/metadata/total")
    kind = next(name for name in COMPARERS if name in comparison)
    return COMPARERS[kind](comparison, response, body, wanted)


def other_count(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Lists of different length."""
    mine, recorded = at(body, comparison["count"]), at(wanted["body"], comparison["count"])
    return not isinstance(mine, list) or len(mine) != len(recorded)


def other_ids(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Other rows, or another order where the order counts; rows of a tie group stand for each other."""
    group = {item: f"tie {number}" for number, items in enumerate(comparison.get("ties", [])) for item in items}
    mine, recorded = at(body, comparison["ids"]), at(wanted["body"], comparison["ids"])
    if not isinstance(mine, list):
        return True
    rows = [
        [row.get(comparison["by"]) if isinstance(row, dict) else row for row in listed] for listed in (mine, recorded)
    ]
    first, second = ([group.get(row, row) for row in listed] for listed in rows)
    if comparison["order"] == "set":
        return Counter(map(str, first)) != Counter(map(str, second))
    return first != second


def other_row_values(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """A row that is missing without a tie to excuse it, or that has another value than recorded."""
    mine, recorded = at(body, comparison["row_values"]), at(wanted["body"], comparison["row_values"])
    if not isinstance(mine, list):
        return True
    by, tied = comparison["by"], {item for group in comparison.get("ties", []) for item in group}
    rows = {str(row.get(by)): row for row in mine if isinstance(row, dict)}
    for row in recorded:
        key = str(row[by])
        if key not in rows and key not in tied:
            return True
        pointers = [pointer for pointer in comparison["pointers"] if at(row, pointer) is not ABSENT]
        if key in rows and any(at(rows[key], pointer) != at(row, pointer) for pointer in pointers):
            return True
    return False


def other_keys(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Objects with other keys."""
    mine, recorded = at(body, comparison["keys"]), at(wanted["body"], comparison["keys"])
    return not isinstance(mine, dict) or set(mine) != set(recorded)


def other_row_keys(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Rows with other keys."""
    mine, recorded = at(body, comparison["row_keys"]), at(wanted["body"], comparison["row_keys"])
    if not isinstance(mine, list):
        return True
    first, second = (sorted(sorted(row) for row in rows if isinstance(row, dict)) for rows in (mine, recorded))
    return first != second


def other_values(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Other subtrees."""
    return any(at(body, pointer) != at(wanted["body"], pointer) for pointer in comparison["values"])


def present(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Something that must be absent is there."""
    return any(at(body, pointer) is not ABSENT for pointer in comparison["absent"])


def other_headers(comparison: dict, response: Response, body: object, wanted: dict) -> bool:
    """Other headers."""
    return any(header(response, name) != wanted["headers"].get(name) for name in comparison["headers"])


COMPARERS = {
    "count": other_count,
    "ids": other_ids,
    "row_values": other_row_values,
    "row_keys": other_row_keys,
    "keys": other_keys,
    "values": other_values,
    "absent": present,
    "headers": other_headers,
}
