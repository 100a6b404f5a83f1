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
