"""The overview that refreshes itself, where scripts run."""

import pytest
from playwright.sync_api import expect

from tests.browser.past import TOKEN

A_WHILE = 20_000  # milliseconds, after which it has looked again


@pytest.fixture
def asked(amal):
    """What the overview asked for by itself, once it was opened; its clock is the test's."""
    asked = []
    amal.page.clock.install()
    amal.open("/")
    amal.page.on("request", lambda request: asked.append(request.headers))
    return asked


def test_live_refresh(amal, place, asked):
    """What has changed is shown after some seconds, in the same page, with its time; nothing is scrolled away."""
    live = amal.page.locator("#live")
    before = live.inner_text()
    assert "As of" in before
    amal.page.evaluate("window.untouched = document.querySelector('#live .wide')")
    amal.page.evaluate("scrollTo(0, 400)")
    assert 202 == place.post({"request_type": "SomethingElse", "note": f"{TOKEN} live"}, place.keys["dtp"])
    amal.page.clock.run_for(A_WHILE)
    expect(live).not_to_have_text(before, use_inner_text=True)
    assert ["true"] == list({headers["hx-request"] for headers in asked})
    assert amal.page.evaluate("untouched === document.querySelector('#live .wide')")
    assert 400 == amal.page.evaluate("scrollY")


def test_refresh_leaves_who_reads_alone(amal, asked):
    """While one is within the part that changes, such as on a link, it isn't taken from under one's fingers; while
    nobody sees the page, nothing is asked for."""
    link = amal.page.locator("#live a").first
    link.focus()
    amal.page.clock.run_for(A_WHILE)
    expect(link).to_be_focused()
    assert [] == asked
    amal.page.locator("h1").click()
    amal.page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    amal.page.clock.run_for(A_WHILE)
    assert [] == asked
    amal.page.evaluate("delete document.hidden")
    with amal.page.expect_response("/"):
        amal.page.clock.run_for(A_WHILE)


def test_a_session_that_has_ended(amal, asked):
    """When nobody is signed in any more, the page gives way to that which asks who it is: no form within it."""
    amal.context.clear_cookies()
    amal.page.clock.run_for(A_WHILE)
    amal.page.wait_for_url("**/enter")
    expect(amal.page.locator("#live")).to_have_count(0)
    expect(amal.page.get_by_role("heading")).to_have_count(1)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_trouble(amal, asked, status):
    """An answer that is none leaves what is shown as it was, with its time."""
    amal.page.route("**/", lambda route: route.fulfill(status=status, body="<div id='live'>no</div>"))
    before = amal.page.locator("body").inner_text()
    with amal.page.expect_response("/"):
        amal.page.clock.run_for(A_WHILE)
    amal.page.clock.run_for(A_WHILE)
    assert before == amal.page.locator("body").inner_text()
