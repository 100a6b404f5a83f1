"""What axe-core objects to in a page (WCAG 2 and what is good practice beside it)."""

from functools import cache
from pathlib import Path

import axe_playwright_python

_RUN = "axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes.map(({target}) => `${target}`)]))"


@cache
def _script():
    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")


def objections(page):
    """The rules that a page breaks, each with the places where it does: `{"image-alt": ["img"]}`.

    The script comes by the browser's own tools, past the policy, which stays as it is for all that the page does.
    """
    page.evaluate(_script())
    return dict(page.evaluate(_RUN))
