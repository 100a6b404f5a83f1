"""What the systems call their fields, from a snapshot: labels and forms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import UnreadableFile


@dataclass(frozen=True)
class Labels:
    """Label and form of each field of each system: `{system: {field: {"label", "form"}}}`.

    >>> labels = Labels({"desk": {"services.type": {"label": "Type of service", "form": "Services"}}})
    >>> labels.of("desk", "services.type"), labels.of("desk", "other")
    (('Type of service', 'Services'), ('', ''))
    """

    fields: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @classmethod
    def read(cls, path: Path) -> "Labels":
        """Take the entry `labels` of a snapshot. Raises UnreadableFile."""
        try:
            document = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            raise UnreadableFile(f"{path} is no snapshot that can be read", fix="Make it anew.") from None
        labels = document.get("labels") if isinstance(document, dict) else None
        if not _fits(labels):
            fix = 'It needs an entry "labels": {system: {field: {"label": …, "form": …}}}.'
            raise UnreadableFile(f"{path} holds no labels", fix=fix)
        return cls(labels or {})

    def of(self, system: str, field: str) -> tuple[str, str]:
        """Label and form of a field; empty where they aren't known."""
        entry = self.fields.get(system, {}).get(field, {})
        return str(entry.get("label") or ""), str(entry.get("form") or "")

    def of_source(self, path: str) -> tuple[str, str]:
        """The same for a path that a job reads, whose beginning is the job's own name for the record.

        Where fields of that name have different labels, none is told.

        >>> Labels({"desk": {"services.type": {"label": "Type of service"}}}).of_source("service.type")
        ('Type of service', '')
        """
        for ending in (path, path.partition(".")[2], path.rpartition(".")[2]):
            named = {
                self.of(system, field)
                for system, fields in self.fields.items()
                for field in fields
                if ending and (field == ending or (ending != path and field.endswith(f".{ending}")))
            }
            if len(named) == 1:
                return named.pop()
        return "", ""


def _fits(labels: Any) -> bool:
    return isinstance(labels, dict) and all(
        isinstance(fields, dict) and all(isinstance(entry, dict) for entry in fields.values())
        for fields in labels.values()
    )
