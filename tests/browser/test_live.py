"""The overview that refreshes itself, where scripts run."""

from playwright.sync_api import expect

from tests.browser.past import TOKEN

A_WHILE = 20_000  # milliseconds, after which it has looked again


def test_live_refresh(amal, place):
    """What has changed is shown after some seconds, in the same page; what is beside it stays as it is."""
    amal.page.clock.install()
    amal.open("/")
    before = amal.page.locator("#live").inner_text()
    amal.page.evaluate("window.untouched = true")
    assert 202 == place.post({"request_type": "SomethingElse", "note": f"{TOKEN} live"}, place.keys["dtp"])
    amal.page.clock.run_for(A_WHILE)
    expect(amal.page.locator("#live")).not_to_have_text(before, use_inner_text=True)
    assert amal.page.evaluate("window.untouched")


def test_refresh_leaves_who_reads_alone(amal, place):
    """While one is within the part that changes, such as on a link, it isn't taken from under one's fingers."""
    amal.page.clock.install()
    amal.open("/")
    link = amal.page.locator("#live a").first
    link.focus()
    with amal.page.expect_response("/"):
        amal.page.clock.run_for(A_WHILE)
    expect(link).to_be_focused()
