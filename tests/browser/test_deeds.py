"""What people do in the console, by browser, with scripts and without: each deed has its effect in the real service."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import TOKEN
from tests.browser.place import awaited

CODE = "server_error"  # of what was given up while Primero was away
UNMATCHED = {"request_type": "SomethingElse", "note": TOKEN}
NAMES = {True: "with", False: "without"}  # by whether scripts run
LABELS = {True: "rehearsal", False: "training"}
JOBS = {True: "reconcile", False: "primero_to_progres"}
RECORDS = {True: "unanswered", False: "answer_unknown"}


@pytest.fixture
def somebody(visit, place, scripts):
    """The visit of an operator of their own who has signed in."""
    name = place.account(f"operator-{NAMES[scripts]}", "operator")
    somebody = visit(java_script_enabled=scripts)
    somebody.enter(name)
    return somebody


@pytest.fixture
def amal(visit, state, scripts):
    """The visit of an administrator who has signed in."""
    return visit(storage_state=state, java_script_enabled=scripts)


def form(page, action, **fields):
    """The form that is sent to an action with these fields."""
    wanted = "".join(f':has([name="{name}"][value="{value}"])' for name, value in fields.items())
    return page.locator(f'form[action="{action}"]{wanted}')


def to_cause(visitor, code=CODE):
    """Go by links to what waits for a cause; the id of the first of it."""
    visitor.page.get_by_role("link", name="To settle").click()
    visitor.page.locator(f'a[href="/settle/{code}"]').click()
    return form(visitor.page, "/retry").first.locator("[name=id]").get_attribute("value")


def test_signing_in_and_out(visit, place, scripts):
    """Password and second factor let somebody in, one of them doesn't; who has signed out sees nothing any more."""
    name = place.account(f"viewer-{NAMES[scripts]}", "viewer")
    visitor = visit(java_script_enabled=scripts)
    visitor.open("/")
    assert visitor.page.url.endswith("/enter")
    right = place.proof(name)
    for wrong in ({"password": "guess"}, {"code": "12"}, {}):
        expect(visitor.page.locator("nav")).to_have_count(0)
        for field, text in {**right, **wrong}.items():
            visitor.page.locator(f"#{field}").fill(text)
        visitor.page.locator("main form button").click()
        if wrong:
            expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.page.locator("h1")).to_have_text("Overview")
    form(visitor.page, "/leave").locator("button").click()
    expect(visitor.page.locator("#password")).to_be_visible()
    for look_back in (visitor.page.go_back, lambda: visitor.open("/activity")):
        look_back()
        assert visitor.page.url.endswith("/enter")


def test_a_viewer_changes_nothing(visit, place):
    """Who may only look sees no button that changes something, and no page of administrators."""
    visitor = visit()
    visitor.enter(place.account("looker", "viewer"))
    visitor.open(f"/settle/{CODE}")
    for action in ("/retry", "/discard", "/retry-all"):
        expect(form(visitor.page, action)).to_have_count(0)
    assert 403 == visitor.open("/people")


def test_retry(somebody, place):
    """What was given up is tried again, and gets through; the audit log tells who did so."""
    unit = to_cause(somebody)
    form(somebody.page, "/retry", id=unit).locator("button").click()
    expect(somebody.page.locator("h1")).to_have_text("To settle")
    assert "succeeded" == awaited("succeeded", lambda: place.status(unit))
    somebody.open("/audit?event=retried")
    expect(somebody.page.locator("main")).to_contain_text("operator-")


def test_retry_all(somebody, place, scripts):
    """All of one cause are tried again, and are settled."""
    code = RECORDS[scripts]
    somebody.open("/settle")
    form(somebody.page, "/retry-all", code=code).locator("button").click()
    expect(form(somebody.page, "/retry-all", code=code)).to_have_count(0)
    with place.store() as store:
        assert [] == [record.id for record in store.parked() if record.code == code]


def test_discard(somebody, place):
    """Whoever gives something up gives a reason; then it is erased."""
    unit = to_cause(somebody)
    discard = form(somebody.page, "/discard", id=unit)
    discard.locator("button").click()
    expect(discard.locator("[name=reason]")).to_be_focused()  # as a browser does with what is missing
    discard.locator("[name=reason]").fill("told by telephone")
    discard.locator("button").click()
    expect(somebody.page.locator("h1")).to_have_text("To settle")
    assert "discarded" == awaited("discarded", lambda: place.status(unit))
    with place.store() as store:
        assert [] != [line for line in store.audit_log(event="discarded") if line.about.get("id") == unit]


def test_changes_need_a_fresh_proof(visit, place, scripts):
    """Who proved a while ago who they are does so again, and then may go on."""
    name = place.account(f"late-{NAMES[scripts]}", "operator")
    visitor = visit(java_script_enabled=scripts)
    visitor.keep_on(name)
    visitor.open("/")
    unit = to_cause(visitor)
    form(visitor.page, "/retry", id=unit).locator("button").click()
    assert visitor.page.url.endswith("/confirm")
    assert "dead" == place.status(unit)
    visitor.prove(name)
    assert unit == to_cause(visitor)
    form(visitor.page, "/retry", id=unit).locator("button").click()
    assert "succeeded" == awaited("succeeded", lambda: place.status(unit))


def test_another_password(visit, place, scripts):
    """Whoever proves who they are is given another password, and is signed out wherever else they were."""
    name = place.account(f"anew-{NAMES[scripts]}", "viewer")
    here, elsewhere = (visit(java_script_enabled=scripts) for _ in range(2))
    for visitor in (here, elsewhere):
        visitor.keep_on(name)
    here.open("/account")
    proof = place.proof(name)
    for field in ("password", "code"):
        form(here.page, "/account/password").locator(f"[name={field}]").fill(proof[field])
    form(here.page, "/account/password").locator("button").click()
    expect(here.page.locator("main code")).not_to_have_text(proof["password"])
    elsewhere.open("/")
    assert elsewhere.page.url.endswith("/enter")


def test_schedule_off_and_on(amal, scripts):
    """An administrator switches a schedule off, with a reason that is shown, and on again."""
    job = JOBS[scripts]
    amal.open("/setup")
    for switch, other in (("off", "on"), ("on", "off")):
        change = form(amal.page, "/setup/schedule", job=job, switch=switch)
        change.locator("[name=reason]").fill("Primero is being upgraded")
        change.locator("button").click()
        expect(form(amal.page, "/setup/schedule", job=job, switch=other)).to_be_visible()
        expect(amal.page.get_by_text("Primero is being upgraded")).to_have_count(int(switch == "off"))


def test_rotate_and_revoke(amal, place, scripts):
    """A key's successor is shown once and opens the inbox; the old one does until it is withdrawn."""
    label = LABELS[scripts]
    with place.store() as store:
        known = store.keys()
    (old,) = [key.id for key in known if key.label == label]
    amal.open("/keys")
    form(amal.page, "/keys/rotate", label=label).locator("button").click()
    key = re.search(r"(?<![\w-])[\w-]{43}(?![\w-])", amal.page.locator("main").inner_text())[0]
    assert [202, 202] == [place.post(UNMATCHED, each) for each in (key, place.keys[label])]
    amal.open("/keys")
    assert key not in amal.page.content()
    form(amal.page, "/keys/revoke", id=old).locator("button").click()
    expect(form(amal.page, "/keys/revoke", id=old)).to_have_count(0)
    assert 401 == awaited(401, lambda: place.post(UNMATCHED, place.keys[label]))  # keys are remembered for a second
    assert 202 == place.post(UNMATCHED, key)


def test_what_became_of_it(amal, place):
    """The id of a unit of work leads to its runs, and those to the items."""
    with place.store() as store:
        unit = store.units_to_settle(CODE, 1)[0].id
    amal.open("/activity")
    form(amal.page, "/find").locator("[name=id]").fill(unit)
    form(amal.page, "/find").locator("button").click()
    expect(amal.page.locator("main")).to_contain_text(unit)
    amal.page.locator('a[href^="/runs/"]').first.click()
    expect(amal.page.locator("h1")).to_contain_text("Run ")


def test_activity_of_one_job(amal):
    """Runs are found by their job, and what is shown can be taken along."""
    amal.open("/activity")
    search = form(amal.page, "/activity")
    search.locator("[name=job]").select_option("reconcile")
    search.locator("button").click()
    expect(amal.page.locator("tbody")).to_contain_text("reconcile")
    expect(amal.page.locator("tbody")).not_to_contain_text("progres_to_primero")
    with amal.page.expect_download() as download:
        amal.page.locator('a[href^="/activity.csv"]').click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) > 10
    assert {"reconcile"} == {line.split(",")[1] for line in lines[1:]}


def test_audit_log(amal):
    """That the audit log is as it was written is seen at once."""
    amal.open("/audit")
    form(amal.page, "/audit/verify").locator("button").click()
    expect(amal.page.get_by_role("status")).to_have_class("well")


def test_signed_out_everywhere(amal, visit, place, scripts):
    """An administrator ends somebody's sessions, wherever they are."""
    name = place.account(f"away-{NAMES[scripts]}", "viewer")
    away = visit(java_script_enabled=scripts)
    away.enter(name)
    amal.open("/people")
    form(amal.page, "/people/end-sessions", name=name).locator("button").click()
    away.open("/")
    assert away.page.url.endswith("/enter")
