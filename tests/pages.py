"""What the tests of the documents share: where the pages are, and the blocks of code in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]


def name_of(page):
    """How a page is called in a test's name."""
    return page.name


def text_of(page):
    """The text of a page."""
    return page.read_text("utf-8")


def prose_of(page):
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def blocks(page, language):
    """The blocks of code in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)
