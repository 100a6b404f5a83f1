"""Primero's credential and client: HTTP Basic on each request, and the version it runs."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from adaptors.client import Client, basic, client_of, reveal
from adaptors.errors import JobError, NotFound, Unreachable
from adaptors.exchange import Answer
from adaptors.failures import told_path
from adaptors.primero.pages import Record
from adaptors.promises import State

API = "/api/v2"
OLDEST, POLLABLE = (2, 6), (2, 11)
_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9-]{1,80}", re.ASCII)  # a UUID, or a number; a name is none
_FIELD_NAME = re.compile(r"[a-z0-9_.]{1,80}")  # as Primero writes them; a name or a sentence is none


class Primero:
    """One Primero server, for one run. HTTP Basic needs no session and no CSRF token (primero-api §1.1)."""

    def __init__(self, credential: dict[str, Any], runtime: Any) -> None:
        missing = [key for key in ("url", "user", "password") if not credential.get(key)]
        if missing:
            raise JobError(
                f"credentials/primero.yaml lacks {', '.join(missing)}",
                code="credential_incomplete",
                fix="See credentials.example/primero.yaml.",
            )
        self.url = str(reveal(credential["url"])).rstrip("/")
        self._client = Client(
            "primero", credential, runtime, headers={"authorization": basic(credential)}, explain=_fields_refused
        )
        self._remembered: dict[Any, Any] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, method: str, path: str, *, query: Any = None, body: Any = None) -> Answer:
        """One request below /api/v2."""
        return self._client.send(method, API + path, query=query, body=body)

    def read_record(self, path: str, query: Any = None) -> Record:
        """The record in the answer to a GET. Like all reads, raises Unreachable for an answer of another shape: a proxy
        may have given it, or a server that is just being changed."""
        record = self._read(path, query)["data"]
        if not _is_record(record):
            raise unreadable(path, "no record")
        return record  # type: ignore[no-any-return]

    def read_list(self, path: str, query: Any = None) -> list[Record]:
        """The records in the answer to a GET, as many as it holds."""
        return _records(path, self._read(path, query)["data"])

    def read_page(self, path: str, query: Any) -> tuple[list[Record], int, int]:
        """A page of a list: its records, how many there are in all, and how many a page was granted."""
        answer = self._read(path, query)
        records, metadata = _records(path, answer["data"]), answer.get("metadata")
        told = [metadata.get(name) if isinstance(metadata, dict) else None for name in ("total", "per")]
        if not all(type(number) is int for number in told) or not all(_has_id(record) for record in records):
            raise unreadable(path, "no page of a list")
        return records, *told  # type: ignore[return-value]

    def _read(self, path: str, query: Any) -> dict[str, Any]:
        answer = self.send("GET", path, query=query).body
        if not isinstance(answer, dict) or "data" not in answer:
            raise unreadable(path, "no data")
        return answer

    def remember(self, key: Any, fetch: Callable[[], Any]) -> Any:
        """What `fetch` gave for this key, asked once a run: users and forms don't change while a run lasts."""
        if key not in self._remembered:
            self._remembered[key] = fetch()
        return self._remembered[key]

    @property
    def version(self) -> tuple[int, ...]:
        """Such as (2, 14, 5, 1); raises JobError below 2.6. A server that doesn't tell is taken for a new one: what
        differs by version is checked in the answer either way.
        """
        return self.remember("version", self._ask_version)  # type: ignore[no-any-return]

    def _ask_version(self) -> tuple[int, ...]:
        try:
            told = self.read_record("/system_settings").get("primero_version")
        except NotFound:
            told = None
        numbers = tuple(int(number) for number in re.findall(r"\d+", str(told or "")))
        if not numbers:
            return (2, 14)
        if numbers < OLDEST:
            raise JobError(
                f"Primero {'.'.join(map(str, numbers))} is too old",
                code="version",
                fix="From 2.6 on a case can't be created twice under one id; ask for an update.",
            )
        return numbers


def primero_of(state: State) -> Primero:
    """The run's client for the credential `primero`."""
    return client_of(state, "primero", Primero)  # type: ignore[no-any-return]


def unreadable(path: str, lacks: str, *, method: str = "GET") -> Unreachable:
    """Why an answer can't be used: what it lacks. A write may have taken effect all the same."""
    return Unreachable(
        f"{method} {API}{told_path(path)} was answered with {lacks}",
        code="unreadable_answer",
        unknown=method != "GET",
        fix="Is this Primero's address, or did a proxy answer?",
    )


def is_list_of_records(data: Any) -> bool:
    """Whether it is a list, perhaps an empty one, with nothing but records."""
    return isinstance(data, list) and all(_is_record(record) for record in data)


def _records(path: str, data: Any) -> list[Record]:
    # Not even null is a list of none: a referral that was overlooked for it would count as not found.
    if not is_list_of_records(data):
        raise unreadable(path, "no list of records")
    return data  # type: ignore[no-any-return]


def _is_record(data: Any) -> bool:
    return isinstance(data, dict) and bool(data) and ("id" not in data or _has_id(data))


def _has_id(record: Record) -> bool:
    """Paths are made of it, and records are known by it in reports (H41)."""
    return isinstance(record.get("id"), (str, int)) and bool(_ID.fullmatch(str(record["id"])))


def segment(value: Any) -> str:
    """A record's id as one segment of a path."""
    return quote(str(value), safe="")


def _fields_refused(status: int, body: Any) -> Iterator[str]:
    """The names in a refusal's `detail`: JSON pointers or an attribute (primero-api §4, §9). Values stay behind."""
    errors = body.get("errors") if isinstance(body, dict) else None
    for error in errors if isinstance(errors, list) else []:
        detail = error.get("detail") if isinstance(error, dict) else None
        for pointer in detail if isinstance(detail, list) else [detail]:
            if isinstance(pointer, str):
                name = ".".join(part for part in pointer.split("/") if part and not part.isdigit())
                if _FIELD_NAME.fullmatch(name):
                    yield name
