"""The console by keys alone: everything is reached, one sees where one is, and all of it can be done."""

from playwright.sync_api import expect

from tests.browser import keyboard
from tests.browser.place import awaited


def test_tab_leads_everywhere(amal, walked):
    """Tab leads to whatever can be acted on, in the order of the page, and each is seen when one is there."""
    found = {}
    for address in walked[0].values():
        amal.open(address)
        wanted, order, unseen = keyboard.tabbed(amal.page)
        found[address] = [*set(wanted).difference(order), *unseen] or ["another order"] * (wanted != order)
    assert {} == {address: places for address, places in found.items() if places}


def test_skip_link(amal):
    """The first Tab shows a link past what is the same on each page; it leads to what differs."""
    amal.open("/activity")
    amal.page.keyboard.press("Tab")
    skip = amal.page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    amal.page.keyboard.press("Enter")
    expect(amal.page.locator("main")).to_be_focused()
    amal.page.keyboard.press("Tab")
    assert amal.page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_day_by_keys(visit, place):
    """Signing in, settling something and signing out take no more than keys."""
    name = place.account("keys-only", "operator")
    page = visit().page
    page.goto("/enter")
    for field, text in place.proof(name).items():
        keyboard.type_into(page, page.locator(f"#{field}"), text)
    page.keyboard.press("Enter")
    keyboard.press(page, page.locator('nav a[href="/settle"]'))
    keyboard.press(page, page.locator('main a[href="/settle/server_error"]'))
    retry = page.locator('form[action="/retry"]').first
    unit = retry.locator("[name=id]").get_attribute("value")
    keyboard.press(page, retry.locator("button"), "Space")
    assert "succeeded" == awaited("succeeded", lambda: place.status(unit))
    keyboard.press(page, page.locator('form[action="/leave"] button'))
    expect(page.locator("#password")).to_be_visible()
