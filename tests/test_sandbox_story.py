"""The demo's story: what it tells of children, and whom UNHCR decides about."""

import base64
import json
from datetime import timedelta

from adaptors.sandbox import Sandbox
from adaptors.sandbox.authority import Authority
from adaptors.sandbox.day import DAY, IN_TIME, TOO_LATE, Day
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


def test_a_day_can_be_taken_up_again():
    """What a day's Primero held can be loaded into another: the same cases, and the same referrals within it."""
    before = Day(Sandbox(cases=20, seed=7))
    held = before.holdings()
    sandbox = Sandbox(seed=7)
    sandbox.primero.load(held["cases"], held["referrals"])
    again = Day(sandbox).holdings()

    assert 20 == len(held["cases"])
    assert held["cases"] == again["cases"]
    assert held["referrals"] == again["referrals"]


def test_each_step_of_a_day_can_begin():
    """The steps of a day begin in order, within eight hours, and each child of a message is known by its texts."""
    sandbox = Sandbox(cases=20, seed=7)
    day = Day(sandbox)
    for step in DAY[:2]:
        day.before(step["name"])
    minutes = [step["minutes"] for step in DAY if step["minutes"] is not None]

    assert sorted(minutes) == minutes
    assert 480 > minutes[-1]
    assert "PrimeroCaseTransfer" == day.before("something-else")["message"]["request_type"]
    assert 502 == sandbox_answers(sandbox, day, "nothing-may-be-opened")
    assert 200 == sandbox_answers(sandbox, day, "all-is-well-again")
    assert {TOO_LATE, IN_TIME} < set(day.children())


def sandbox_answers(sandbox, day, step):
    """The status with which Primero answers after a step when a case is to be opened."""
    day.before(step)
    password = sandbox.configuration["primero"]
    login = base64.b64encode(f"{password['user']}:{password['password']}".encode()).decode()
    headers = {"authorization": f"Basic {login}", "content-type": "application/json"}
    case = {"data": {"name_first": "Beispiel", "module_id": "primeromodule-cp"}}
    post = Request("POST", "/api/v2/cases", "", headers, json.dumps(case).encode())
    return sandbox.primero.answer(post).status


def test_certificates_may_end_soon():
    """The authority's certificates are good for as many days as it was told, from yesterday on."""
    for days in (20, 90):
        certificate = Authority(days).client().certificate
        lasting = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert timedelta(days=days) == lasting
