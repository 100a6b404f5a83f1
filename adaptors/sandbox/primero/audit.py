"""Primero's own record of every call, with the whole query string (primero-api §1.5; vector meta-073)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from adaptors.sandbox.primero.config import Document, User
from adaptors.sandbox.wire import Request

_KEPT = 1000
_METHODS = {"GET": "index", "POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "destroy"}


@dataclass(frozen=True)
class Entry:
    """One call that was let in."""

    number: int
    user: User
    method: str
    resource: str
    url: str
    moment: str


class AuditLog:
    """The latest calls, newest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._count = 0

    def add(self, request: Request, user: User, moment: str) -> None:
        """Notes one call."""
        self._count += 1
        resource = request.path.removeprefix("/api/v2/").partition("/")[0]
        url = f"http://primero.example{request.path}" + (f"?{request.query}" if request.query else "")
        self._entries.appendleft(Entry(self._count, user, request.method, resource, url, moment))

    def rows(self) -> list[Document]:
        """The calls as they stand in answers."""
        return [_row(entry) for entry in self._entries]


def _row(entry: Entry) -> Document:
    action = _METHODS.get(entry.method, "index")
    return {
        "id": entry.number,
        "display_id": "",
        "record_type": entry.resource,
        "user_name": entry.user.name,
        "action": action,
        "resource_url": entry.url,
        "timestamp": entry.moment,
        "log_message": {
            "prefix": {"key": f"logger.actions.{action}", "approval_type": None},
            "identifier": entry.resource,
            "suffix": {"key": "logger.by_user", "user": entry.user.name},
        },
        "metadata": {"role_id": entry.user.role.id, "user_name": entry.user.name, "http_method": entry.method},
        "record_id": None,
        "display_name": None,
    }
