"""What the systems told of themselves, kept beside the project file, so that a check needs no network.

    {"format": 1, "labels": {system: {field: {"label", "form"}}}, "systems": {system: what its adaptor makes of it}}

Sorted, and without a time: under version control it differs only where a system does. It holds nothing of people.
"""

import json
from pathlib import Path
from typing import Any

from runner.errors import UnreadableFile

FORMAT = 1
NAME = "snapshot.json"

Snapshot = dict[str, Any]


def path_of(project_file: Path, given: str | None) -> Path:
    """Where a project's snapshot lies.

    >>> path_of(Path("jobs/x/project.yaml"), None)
    PosixPath('jobs/x/snapshot.json')
    """
    return Path(given) if given else project_file.parent / NAME


def read(path: Path) -> dict[str, Any]:
    """What is known of each system. Raises UnreadableFile."""
    fix = "Make it anew: runner snapshot."
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UnreadableFile(f"{path} is no snapshot that can be read", fix=fix) from None
    systems = document.get("systems") if isinstance(document, dict) and document.get("format") == FORMAT else None
    if not isinstance(systems, dict):
        raise UnreadableFile(f"{path} is no snapshot of format {FORMAT}", fix=fix)
    return systems


def written(systems: dict[str, Any], labels: dict[str, Any]) -> str:
    """The file's text.

    >>> written({}, {}).startswith("{")
    True
    """
    document = {"format": FORMAT, "labels": labels, "systems": systems}
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
