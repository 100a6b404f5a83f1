"""The search for the story's children: in all that the service wrote, and, to show that it finds, where they are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner import traces
from runner.traces import Search

Children = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Evidence:
    """What a search has found, of so many children, and when it was made."""

    when: str
    children: int
    search: Search

    @property
    def found(self) -> int:
        """Bytes."""
        return self.search.found

    @property
    def texts_found(self) -> int:
        """How many of the texts were found at all."""
        return len({trace.number for trace in self.search.traces})

    @property
    def all_found(self) -> bool:
        """Whether none of the texts was missed."""
        return self.texts_found == self.search.texts

    @property
    def document(self) -> dict[str, Any]:
        """For `--json`; of what was found the files and the forms."""
        return {
            "when": self.when,
            "children": self.children,
            "texts": self.search.texts,
            "files": self.search.files,
            "bytes_searched": self.search.size,
            "bytes_found": self.found,
            "texts_found": self.texts_found,
            "places": sorted({f"{trace.file.name}: {trace.form}" for trace in self.search.traces}),
        }


def look(when: str, folders: Iterable[Path], children: Children) -> Evidence:
    """Look for the children in all files of these folders.

    >>> look("now", [], {"first": ["Nyamal"], "second": ["Nyamal", "Erfunden"]}).search.texts
    2
    """
    texts = [text for known in children.values() for text in known]
    return Evidence(when, len(children), traces.search(folders, texts))


def control(folder: Path, holdings: Any, children: Children) -> Evidence:
    """The same search in what the far sides hold, written into a folder of its own: there, every text is found."""
    folder.mkdir()
    (folder / "holdings.json").write_text(json.dumps(holdings), "utf-8")
    return look("in what the far sides hold", [folder], children)
