"""Each page of the console in a browser: it is there, keeps its policy, tells nothing, is small, and can be used."""

import pytest

from tests.browser import axe
from tests.browser.conftest import betrayals
from tests.browser.pages import ASKED
from tests.browser.pictures import keep
from tests.browser.visitor import Received

WIDTHS = {"small telephone": (320, 568), "laptop": (1280, 720), "4K screen": (3840, 2160)}
LOOKS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "right to left": {"locale": "ar"}}
SMALL = 60_000  # bytes of a page with all that it needs
# What makes the whole page be pushed sideways, or is wider than an eye follows.
TOO_WIDE = """() => document.documentElement.scrollWidth > innerWidth ? ["the page"] :
    [...document.querySelectorAll("p, li, dd")].filter((each) => each.getBoundingClientRect().width > 1400)
        .map((each) => each.outerHTML.slice(0, 90))"""
# What begins at the left, though the page begins at the right; what is in English for everybody may.
UNTURNED = """() => [...document.querySelectorAll("h1, h2, label, dt, th")].filter((each) => {
    if (each.closest("[lang=en]")) return false;
    const text = document.createRange();
    text.selectNodeContents(each);
    const place = text.getBoundingClientRect(), room = each.getBoundingClientRect();
    return place.width > 0 && place.left - room.left < room.right - place.right - 1;
}).map((each) => each.outerHTML.slice(0, 90))"""
PAPER = r"getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)"


def test_links_lead_everywhere(walked):
    """Each way of the console is found by following links, and so is looked at here."""
    shown, taken = walked
    assert set(ASKED) == {*shown, *taken, "/enter"}


def test_policy(visit, state, walked, scripts):
    """Each page has one heading and a title, runs nothing that the policy forbids, and asks nobody else."""
    visitor = visit(storage_state=state, java_script_enabled=scripts)
    for address in walked[0].values():
        assert 200 == visitor.open(address)
        assert 1 == visitor.page.locator("h1").count(), address
        assert visitor.page.title().endswith(" – gambella"), address
    assert [] == visitor.wrong


def test_policy_is_watched(visit):
    """What a page isn't allowed is noticed: a script within it, and a request to somebody else."""
    visitor = visit()
    visitor.open("/enter")
    visitor.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))")
    with visitor.page.expect_console_message(lambda message: "policy: img-src" in message.text):
        visitor.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/'}))")
    wrong, visitor.wrong = " ".join(visitor.wrong), []
    assert "policy: script-src-elem" in wrong
    assert "policy: img-src" in wrong


def test_nothing_is_betrayed(amal, walked, place):
    """R-LP6 Nothing that the browser receives holds anything of a child; and what would is found."""
    shown, taken = walked
    for address in shown.values():
        amal.open(address)
    tables = [(address, amal.context.request.get(address)) for address in taken.values()]
    tables = [Received(address, table.status, str(table.headers), table.body(), 0) for address, table in tables]
    received = [*amal.close(), *tables]
    assert len(received) > len(shown)
    assert [] == list(betrayals(place, received))
    planted = Received("/", 200, "", f"<p>{place.canaries[0]}</p>".encode(), 0)
    assert [("/", "UTF-8")] == list(betrayals(place, [planted]))[:1]


def test_first_page_is_small(visit, state):
    """The page that asks who it is, and the first behind it, come in at most 60 KB each, with all that they need."""
    for address, kept in {"/enter": None, "/": state}.items():
        visitor = visit(storage_state=kept)
        visitor.open(address)
        assert sum(each.size for each in visitor.close()) <= SMALL, address


@pytest.mark.parametrize("look", LOOKS)
def test_axe(visit, state, walked, look):
    """axe-core has no objection to any page, on light paper or dark, and from right to left."""
    visitor = visit(storage_state=state, **LOOKS[look])
    found = {}
    for way, address in walked[0].items():
        visitor.open(address)
        keep(visitor.page, look, way)
        found[way] = axe.objections(visitor.page)
    assert {} == {way: rules for way, rules in found.items() if rules}


def test_axe_on_answers(visit, place):
    """axe-core has no objection to what is answered when something isn't there, isn't allowed, or was found."""
    viewer = visit()
    viewer.open("/enter")
    viewer.page.locator("#name").fill("nobody")
    viewer.page.locator("#password").fill("guess")
    viewer.page.locator("#code").fill("000000")
    viewer.page.locator("main form button").click()
    viewer.page.get_by_role("alert").wait_for()
    found = {"sign in": axe.objections(viewer.page)}
    viewer.enter(place.account("reader", "viewer"))
    for address, status in {"/nowhere": 404, "/people": 403}.items():
        assert status == viewer.open(address)
        found[address] = axe.objections(viewer.page)
    with place.store() as store:
        unit = store.units_to_settle("not_found", 1)[0].id
    viewer.open("/activity")
    viewer.page.locator('form[action="/find"] [name=id]').fill(unit)
    viewer.page.locator('form[action="/find"] button').click()
    viewer.page.get_by_text(unit).first.wait_for()
    found["/find"] = axe.objections(viewer.page)
    assert {} == {page: rules for page, rules in found.items() if rules}


def test_axe_is_listened_to(amal):
    """What axe-core objects to is told with its place."""
    amal.open("/")
    amal.page.evaluate("document.querySelector('main').append(new Image())")
    assert {"image-alt": ["img"]} == axe.objections(amal.page)


def test_dark(visit, state):
    """Whoever wants it dark gets dark paper, and light paper else."""
    papers = []
    for look in ("light", "dark"):
        visitor = visit(storage_state=state, **LOOKS[look])
        visitor.open("/")
        papers.append(visitor.page.evaluate(PAPER))
    light, dark = papers
    assert sum(dark) < 200 < 600 < sum(light)


@pytest.mark.parametrize("width", WIDTHS)
def test_widths(visit, state, walked, width):
    """No page has to be pushed sideways, on a small telephone as on a 4K screen, nor has lines without an end."""
    wide, high = WIDTHS[width]
    visitor = visit(storage_state=state, viewport={"width": wide, "height": high})
    found = {}
    for way, address in walked[0].items():
        visitor.open(address)
        keep(visitor.page, width, way)
        found[way] = visitor.page.evaluate(TOO_WIDE)
    assert {} == {way: places for way, places in found.items() if places}


@pytest.mark.parametrize("width", ["small telephone", "laptop"])
def test_right_to_left(visit, state, walked, width):
    """Where one reads from right to left, everything begins at the right, and nothing has to be pushed."""
    wide, high = WIDTHS[width]
    visitor = visit(storage_state=state, viewport={"width": wide, "height": high}, **LOOKS["right to left"])
    found = {}
    for way, address in walked[0].items():
        visitor.open(address)
        assert "rtl" == visitor.page.evaluate("document.documentElement.dir")
        found[way] = [*visitor.page.evaluate(UNTURNED), *visitor.page.evaluate(TOO_WIDE)]
    assert {} == {way: places for way, places in found.items() if places}
