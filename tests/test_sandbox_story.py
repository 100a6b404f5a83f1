"""The demo's story: what it tells of children, and whom UNHCR decides about."""

import json

from adaptors.sandbox import Sandbox
from adaptors.sandbox.particulars import SHORTEST, particulars
from adaptors.sandbox.story import COMMENT, KNOWN, NEW, NOT_AGREED, REASON, Story
from adaptors.sandbox.wire import Request
from runner import traces


def told_until(*steps):
    """A story whose first steps have begun, and its sandbox; what the service would have done was done by hand."""
    sandbox = Sandbox(cases=20, seed=7)
    story = Story(sandbox)
    for step in steps:
        story.before(step)
    return story, sandbox


def test_children_are_known_by_texts_that_can_be_looked_for():
    """R-ER1 Every text of a child is long enough for the search, and stands in what the far sides hold."""
    story, _ = told_until("referrals-from-unhcr", "referrals-to-unhcr")
    texts = {text for known in story.children().values() for text in known}
    held = json.dumps(story.holdings(), ensure_ascii=False)

    assert traces.SHORTEST == SHORTEST
    assert {NEW, KNOWN, NOT_AGREED} < set(story.children())
    assert 12 == len(story.children())
    assert set() == {text for text in texts if len(text) < SHORTEST or text not in held}


def test_what_people_write_is_looked_for_too():
    """R-ER1 The comment of a decision belongs to the child that it is about."""
    story, sandbox = told_until("referrals-from-unhcr", "referrals-to-unhcr")
    referred = [name for name in story.children() if name not in (NEW, KNOWN, NOT_AGREED)][:3]
    for case in reversed(referred):
        post = {"id": f"{case}#1"}
        sandbox.dtp.answer(_referral(sandbox, post))

    message = story.before("unhcr-decides")["message"]

    assert [f"{case}#1" for case in sorted(referred)[:2]] == [
        told["progres_orgreferralid"] for told in message["interventions"]
    ]
    assert COMMENT in story.children()[sorted(referred)[1]]
    assert REASON not in json.dumps(story.children())


def _referral(sandbox, body):
    headers = {
        "ocp-apim-subscription-key": sandbox.configuration["progres"]["subscription_key"],
        "content-type": "application/json",
    }
    return Request("POST", "/ReceiveIncomingReferral", headers=headers, body=json.dumps(body).encode())


def test_of_html_the_plain_piece_is_looked_for():
    """What is written as HTML is known by its longest piece without markup."""
    assert ["Lives with an aunt"] == particulars(
        {"progres_interventiondescription": "<p>Lives with an aunt &amp; two</p>"}
    )
