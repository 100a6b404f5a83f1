"""The style sheets and scripts of the pages: the same for everybody, so that they are kept by browsers and sent packed.

Pages themselves are never packed, since their length would tell of their tokens to who can put something into them.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "files"
_KINDS = {".css": "text/css", ".js": "text/javascript"}


@dataclass(frozen=True)
class Asset:
    """One file: its kind, its content as it is and as gzip, and what of its digest stands in addresses."""

    kind: str
    content: bytes
    packed: bytes
    digest: str


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0)
    return Asset(_KINDS[path.suffix], content, packed, hashlib.sha256(content).hexdigest()[:16])


ASSETS = {f"/{path.name}": _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _KINDS}


def address(name: str) -> str:
    """Where a page finds a file: with its digest, so that a browser asks anew once it has changed.

    >>> address("console.css").partition("?")[0]
    '/console.css'
    """
    return f"/{name}?{ASSETS[f'/{name}'].digest}"


def takes_packed(accepted: str) -> bool:
    """Whether a browser that accepts these encodings takes a packed file. Who is particular about it gets it plain.

    >>> takes_packed("gzip, deflate, br"), takes_packed("gzip;q=0"), takes_packed("")
    (True, False, False)
    """
    return "gzip" in [each.strip().lower() for each in accepted.split(",")]
