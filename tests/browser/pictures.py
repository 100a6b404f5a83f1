"""Pictures of pages: those of the tests in build/screenshots, and those of the documents in docs/images.

`python -m tests.browser.pictures` makes the latter (`make screenshots`); pngquant makes them small.
"""

import re
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.place import Place
from tests.browser.visitor import Visitor, launched
from tests.virtual import ROOT

BUILT = ROOT / "build" / "screenshots"
IMAGES = ROOT / "docs" / "images"
VIEW = {"width": 1080, "height": 760}
SMALLER = ("pngquant", "--force", "--strip", "--nofs", "--ext", ".png", "128")
SHOWN = {"overview": "/", "to-settle": "/settle", "activity": "/activity", "set-up": "/setup"}


def keep(page, look, way):
    """Keep what the whole of a page looks like, by the name of the look and its way: `dark/settle-code.png`."""
    name = "-".join(re.findall(r"\w+", way)) or "overview"
    page.screenshot(path=BUILT / look.replace(" ", "-") / f"{name}.png", full_page=True)


def main():
    """Take those of the documents, of a service that nobody has touched yet."""
    with (
        Place() as place,
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        launched(playwright) as chromium,
    ):
        amal = Visitor(chromium, place, Path(folder), viewport=VIEW)
        amal.open("/enter")
        taken = [_taken(amal, "sign-in")]
        amal.enter("amal")
        for name, address in SHOWN.items():
            amal.open(address)
            taken.append(_taken(amal, name))
        amal.page.locator("#language").select_option("ar")
        amal.page.locator('form[action="/language"] button').click()
        amal.page.locator("html[dir=rtl]").wait_for()
        taken.append(_taken(amal, "overview-arabic"))
        amal.close()
    subprocess.run([*SMALLER, *taken], check=True)


def _taken(visitor, name):
    path = IMAGES / f"{name}.png"
    visitor.page.screenshot(path=path)
    return path


if __name__ == "__main__":
    main()
