"""The site of docs/: it can be built, its links lead somewhere, and it loads nothing from elsewhere."""

import re
import subprocess
import sys

import pytest
from pages import DOCS, ROOT, text_of

# What a browser fetches without being asked: by a page or a style sheet, from a host that is named.
LOADED = re.compile(
    r"""\s(?:src|srcset|poster|data|action)\s*=\s*["']?(?:https?:)?//|<link\b[^>]*\bhref\s*=\s*["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s*["'](?:https?:)?//"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with every warning as an error."""
    pytest.importorskip("mkdocs", reason="mkdocs isn't installed: pip install -e '.[docs]'")
    made = tmp_path_factory.mktemp("site")
    # With --quiet it would count no warnings.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(made)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert 0 == built.returncode, built.stderr
    return made


def test_each_page_is_there(site):
    """Each page of docs/ is a page of the site, named in its contents; every link in them leads to one."""
    assert {page.stem for page in DOCS.glob("*.md")} == {page.stem for page in site.glob("*.html")} - {"404", "search"}


def test_nothing_is_loaded_from_elsewhere(site):
    """No page and no style sheet names another host from which a reader's browser would load something."""
    files = [file for kind in ("*.html", "*.css") for file in site.rglob(kind)]
    assert len(files) > 30
    assert [] == [file.name for file in files if LOADED.search(text_of(file))]


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://example.org/a.js">', "<img src=//example.org/a.png>", "url(https://example.org/a.woff)",
        '<link rel="stylesheet" href="https://example.org/a.css">', '@import "//example.org/a.css"',
    ],
)  # fmt: skip
def test_what_is_loaded_is_noticed(text):
    """The search finds what a page or a style sheet loads; a link that a reader may follow is none of it."""
    assert LOADED.search(text)
    assert not LOADED.search('<a href="https://example.org/">')


def test_each_reader_has_a_path():
    """The first page names each reader, and the contents have a part for each."""
    first, contents = text_of(DOCS / "index.md"), text_of(ROOT / "mkdocs.yml")
    assert 5 == len(re.findall(r"^\*\*You .+\*\*$", first, re.MULTILINE))
    for reader in ("Implementer", "Administrator", "Data protection", "UNHCR's DTP team", "Developer"):
        assert f"  - {reader}:\n" in contents
