"""The console's style sheets and scripts: what is ours and what isn't, how they are sent, and what they weigh."""

import gzip
import hashlib
import re
from itertools import product
from pathlib import Path

import pytest

from runner.console import answers
from runner.console.assets import ASSETS, address
from tests.consoles import Console, weight

HERE = Path(answers.__file__).parent
FILES = HERE / "files"
VENDORED = re.findall(
    r"\| ([\w.]+) \| .* \| .*\]\(([\w.-]+)\) \| (\w{64}) \|", (FILES / "VENDORED.md").read_text("utf-8")
)
SMALL = 60_000  # bytes of a page with all that it needs
MARKS = {"well", "look", "wrong", "off"}
WORDS = {"text", "text-light", "accent", "code"} | MARKS


@pytest.fixture
def console(tmp_path):
    with Console(tmp_path / "data") as console:
        yield console


@pytest.mark.parametrize(("name", "licence", "digest"), VENDORED)
def test_vendored(name, licence, digest):
    """What isn't ours is what was released, and lies beside its licence."""
    assert digest == hashlib.sha256((FILES / name).read_bytes()).hexdigest()
    assert (FILES / licence).is_file()


def test_all_that_is_vendored_is_told():
    """Whatever came minified is named, with its sum, in VENDORED.md."""
    assert {path.name for path in FILES.glob("*.min.*")} == {name for name, *_ in VENDORED}
    assert 2 == len(VENDORED)


def test_nothing_from_elsewhere():
    """No page, style or script names an address of anybody else, or holds a style or script within it."""
    pages, ours = sorted((HERE / "pages").iterdir()), [path for path in FILES.iterdir() if f"/{path.name}" in ASSETS]
    assert min(len(pages), len(ours)) > 4
    for path in [*pages, *ours]:
        text = path.read_text("utf-8")
        assert not re.search(r"https?:|//[a-z]+\.|url\(|@import|\|safe", text), path.name
        # The library knows this word, to run what stands in attributes; the policy forbids that, and no page has any.
        assert path.name == "htmx.min.js" or not re.search(r"\sstyle=|\son[a-z]+=|javascript:|hx-on", text), path.name
        assert path.suffix != ".html" or not re.search(r"<style|<script(?! src=\"{{ asset\()", text), path.name


@pytest.mark.parametrize("name", [path.removeprefix("/") for path in ASSETS])
def test_sent(console, name):
    """A file is sent packed to browsers that take it so, plain to others, and is kept for good by its digest."""
    plain = (FILES / name).read_bytes()
    where = address(name)
    assert where.endswith(hashlib.sha256(plain).hexdigest()[:16])
    for accepted, encoding, sent in [
        ("gzip, br", "gzip", "packed"),
        ("br", None, "content"),
        ("gzip;q=0", None, "content"),
    ]:
        answer = console.send("GET", where, {"accept-encoding": accepted})
        assert (200, plain, encoding) == (answer.status_code, answer.content, answer.headers.get("content-encoding"))
        assert str(len(getattr(ASSETS[f"/{name}"], sent))) == answer.headers["content-length"]
        assert ("max-age=31536000, immutable", "Accept-Encoding") == (
            answer.headers["cache-control"], answer.headers["vary"],
        )  # fmt: skip
    assert plain == gzip.decompress(ASSETS[f"/{name}"].packed)


def test_pages_are_not_packed(console):
    """A page, which has a token within it, is sent as it is: packed, its length would tell of it."""
    console.enter(role="viewer")
    answer = console.get("/", accept_encoding="gzip")
    assert (200, None) == (answer.status_code, answer.headers.get("content-encoding"))


@pytest.mark.parametrize("page", ["/enter", "/"])
def test_first_pages_are_small(console, page):
    """The page that asks who it is, and the first behind it, are each at most 60 KB as sent, with what they need."""
    if page == "/":
        console.enter(role="viewer")
    assert weight(console.get(page).text) <= SMALL


def test_scripts_only_where_something_refreshes_itself(console):
    """Pages on which somebody types hold no script at all."""
    console.enter(role="administrator")
    assert "<script" in console.get("/").text
    assert [] == [page for page in ("/settle", "/keys", "/setup", "/people", "/account", "/confirm", "/activity")
                  if "<script" in console.get(page).text]  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme):
    """Every colour of a text is at least 4.5 times as light or dark as what it stands on; borders 3 (WCAG 2, 1.4.3)."""
    css = ASSETS["/console.css"].content.decode()
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]))
    papers, wanted = ("bg", "accent-bg"), dict.fromkeys(WORDS, 4.5) | {"border": 3}
    pairs = [*product(wanted, papers), ("bg", "accent"), ("bg", "accent-hover"), ("wrong", "line"), ("text", "line")]
    for upper, lower in pairs:
        light, dark = sorted((_luminance(colours[each]) for each in (upper, lower)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= wanted.get(upper, 4.5), (upper, lower)


def _luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_side_is_named():
    """Our styles name no left or right, so that they serve languages of both directions."""
    for name in ("/console.css", "/overview.css"):
        css = ASSETS[name].content.decode()
        assert [] == re.findall(r"\b(?:margin|padding|border)?-?(?:left|right)\b", css), name
