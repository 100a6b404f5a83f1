"""The console: who is let in and may do what, what attackers try, what its pages tell, and what they never do."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from runner.console import accounts, answers, sessions
from runner.console.guarding import hosts
from runner.console.ways import WAYS
from runner.errors import InvalidProject
from runner.inbox.settings import Settings
from runner.store import Key
from tests.consoles import CANARY, HOST, PAGES, RUN, SCRIPT, UNHCR, UNIT, Console, fill
from tests.kept import NOON

FORMS = [way for way in WAYS if way.method == "POST" and way.needs]
CHANGING = [way for way in WAYS if way.changes]
ROLES = (None, *accounts.ROLES)


@pytest.fixture
def console(tmp_path):
    with Console(tmp_path / "data") as console:
        yield console


@pytest.fixture
def filled(console):
    return fill(console)


def test_every_page_over_both_stores(tmp_path, database):
    """Every page is there, whichever database the store is in."""
    with Console(tmp_path, at=database.address(tmp_path)) as console:
        fill(console)
        console.enter(role="administrator")
        answers = {path: console.get(path).status_code for path in (*PAGES, "/audit")}
        found = console.act("/find", id=UNHCR)
        verified = console.act("/audit/verify")
    assert dict.fromkeys(answers, 200) == answers
    assert (200, 200) == (found.status_code, verified.status_code)


def events(console, event):
    return [(line.who, dict(line.about)) for line in console.store.audit_log(event=event)]


def test_signing_in(console):
    """Who knows both secrets is let in, and out again; both are told."""
    answer = console.enter(role="viewer")
    assert (303, "/") == (answer.status_code, answer.headers["location"])
    assert 200 == console.get("/").status_code
    console.act("/leave")
    assert (303, "/enter") == ((left := console.get("/")).status_code, left.headers["location"])
    assert [1, 1] == [len(events(console, name)) for name in ("signed_in", "signed_out")]


def test_the_cookie(tmp_path):
    """The cookie is for us alone, in no script's reach; with TLS also bound to our very name."""
    with Console(tmp_path / "a") as plain:
        given = plain.enter(role="viewer").headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/"} == {part.strip() for part in given.split(";")[1:]}
    named = {"certificate": "c", "private_key": "k", "hosts": ("127.0.0.1",)}
    with Console(tmp_path / "b", **named) as encrypted:
        encrypted.account("amal", "viewer")
        encrypted.time += timedelta(seconds=30)
        answer = encrypted.post("/enter", encrypted.proof("amal"), origin=f"https://{HOST}")
        assert answer.headers["set-cookie"].startswith("__Host-console=")
        assert "; secure" in answer.headers["set-cookie"].lower()
        assert "max-age" in answer.headers["strict-transport-security"]


def test_fixation(console):
    """A session that somebody planted isn't taken over, and each proof gives another id."""
    console.cookies["console"] = "planted"
    console.enter(role="viewer")
    first = console.cookies["console"]
    console.time += timedelta(seconds=30)
    console.post("/confirm", {**console.proof("amal"), "token": console.token()})
    second = console.cookies["console"]
    assert 3 == len({"planted", first, second})
    assert [None, None] == [sessions.find(console.store, old, now=console.time) for old in ("planted", first)]


def test_brute_force(console):
    """After five wrong tries the right ones are refused too; known and unknown names get the very same answer."""
    console.account("amal", "viewer")
    wrong = {name: [console.post("/enter", {"name": name, "password": "guess", "code": "000000"}) for _ in range(5)]
             for name in ("amal", "nobody")}  # fmt: skip
    console.time += timedelta(seconds=30)
    locked = console.post("/enter", console.proof("amal"))
    told = {(each.status_code, each.text.split("As of")[0]) for each in [*wrong["amal"], *wrong["nobody"], locked]}
    assert [403] == [status for status, _ in told]
    assert "set-cookie" not in locked.headers


@pytest.mark.parametrize("way", [way for way in WAYS if way.needs], ids=lambda way: f"{way.method} {way.path}")
@pytest.mark.parametrize("role", ROLES, ids=str)
def test_roles(filled, way, role):
    """Nobody gets where their role doesn't: unknown people are sent to sign in, others refused, and nothing is done."""
    if role:
        filled.enter(role=role)
    path = way.path.replace("{id}", RUN).replace("{code}", "unreachable")
    fields = dict.fromkeys(way.fields, "x")
    if way.proves and role:
        filled.time += timedelta(seconds=30)
        fields = filled.proof("amal")
    before = filled.store.audit_end()
    if way.method == "GET":
        answer = filled.get(path)
    else:
        answer = filled.act(path, **fields) if role else filled.post(path, fields)
    if role is None:
        assert (303, "/enter") == (answer.status_code, answer.headers["location"])
        assert before == filled.store.audit_end()
    elif not accounts.may(role, way.needs):
        assert (403, before) == (answer.status_code, filled.store.audit_end())
    else:
        assert answer.status_code in (200, 303, 400, 404) or way.path == "/account/factor/keep"


FORGED = [
    {"origin": "http://elsewhere.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"}, {"origin": f"https://{HOST}"}, {"origin": None, "sec-fetch-site": None},
]  # fmt: skip


@pytest.mark.parametrize("way", FORMS, ids=lambda way: way.path)
def test_forms_need_their_token(filled, way):
    """A form without the token of this session, or with another's, changes nothing."""
    filled.enter(role="administrator")
    fields = dict.fromkeys(way.fields, UNIT)
    before = filled.store.audit_end()
    for token in ("", "0" * 64, sessions.token("another")):
        assert 403 == filled.post(way.path, {**fields, "token": token}).status_code
    assert before == filled.store.audit_end()


@pytest.mark.parametrize("headers", FORGED, ids=str)
def test_forms_of_others(filled, headers):
    """A form that a page elsewhere sent changes nothing, even with the right token; nor does it sign anybody in."""
    filled.enter(role="administrator")
    token = filled.token()
    assert 403 == filled.post("/retry", {"token": token, "id": UNIT}, **headers).status_code
    filled.time += timedelta(seconds=30)
    assert 403 == filled.post("/enter", filled.proof("amal"), **headers).status_code
    assert "dead" == filled.store.unit(UNIT).status


@pytest.mark.parametrize("way", CHANGING, ids=lambda way: way.path)
def test_changes_need_a_fresh_proof(filled, way):
    """Ten minutes after somebody proved who they are, they must do so again before anything is changed."""
    filled.enter(role="administrator")
    filled.time += sessions.FRESH
    before = filled.store.audit_end()
    answer = filled.act(way.path, **dict.fromkeys(way.fields, UNIT))
    assert (303, "/confirm", before) == (answer.status_code, answer.headers["location"], filled.store.audit_end())
    filled.post("/confirm", {**filled.proof("amal"), "token": filled.token()})
    assert "/confirm" != filled.act(way.path, **dict.fromkeys(way.fields, UNIT)).headers.get("location")


def test_confirming_as_somebody_else(filled):
    """Who is signed in can't become another by proving that they are that one."""
    filled.account("root", "administrator")
    filled.enter(role="viewer")
    filled.time += timedelta(seconds=30)
    answer = filled.post("/confirm", {**filled.proof("root"), "token": filled.token()})
    assert (403, 403) == (answer.status_code, filled.get("/people").status_code)


def test_sessions_end(filled):
    """A page that refreshes itself keeps no session alive, and is told to leave when that has ended, rather than shown
    a form within itself; an ended account, and sign-out everywhere, end sessions."""
    filled.enter(role="administrator")
    filled.time += sessions.IDLE - timedelta(minutes=1)
    assert 200 == filled.get("/", hx_request="true").status_code
    filled.time += timedelta(minutes=1)
    told = filled.get("/", hx_request="true")
    assert (204, "/enter", b"") == (told.status_code, told.headers["hx-redirect"], told.content)
    assert 303 == filled.get("/").status_code
    filled.enter()
    assert 303 == filled.act("/people/end-sessions", name="amal").status_code
    assert "/enter" == filled.get("/").headers["location"]


@pytest.mark.parametrize("host", ["elsewhere.example", "", "127.0.0.1.elsewhere.example", "127.0.0.1@x", "[::1", "a:b"])
def test_names_that_are_not_ours(console, host):
    """Who asks under another name is told nothing: a page elsewhere may have made it lead here."""
    for path in ("/", "/enter", "/console.css"):
        assert 421 == console.send("GET", path, {"host": host or "x"}).status_code


def test_a_name_is_needed_beyond_this_machine():
    """Where browsers come by TLS, the project file must say under which names."""
    with pytest.raises(InvalidProject):
        hosts(Settings("console", certificate="c"))


def test_only_by_the_proxy(tmp_path):
    """Behind a proxy nobody else is listened to, and only those who are let in."""
    from ipaddress import ip_network

    allowed = {"behind_proxy": (ip_network("127.0.0.1"),), "allow_from": (ip_network("192.0.2.0/24"),),
               "hosts": ("127.0.0.1",)}  # fmt: skip
    with Console(tmp_path, **allowed) as console:
        statuses = [
            console.get("/enter", x_forwarded_for=each).status_code for each in ("192.0.2.7", "198.51.100.1", "")
        ]
    assert [200, 403, 403] == statuses


@pytest.mark.parametrize("path", ["/../etc/passwd", "/%2e%2e/console.css", "//elsewhere.example", "/enter/",
                                  "/console.css/x", "/runs/..%2f", "/pages/base.html", "/%00"])  # fmt: skip
def test_paths(console, path):
    """No path leads out of the routes, or redirects elsewhere."""
    console.enter(role="administrator")
    answer = console.get(path)
    assert 404 == answer.status_code
    assert "location" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"])
def test_methods(console, method):
    """Methods that no page uses are refused."""
    assert 405 == console.send(method, "/", {}).status_code


def test_forms_are_limited(console):
    """A form that is too large, of another kind, twice the same field, or half a text is refused before it is used."""
    send = {"origin": f"http://{HOST}", "content-type": "application/x-www-form-urlencoded"}
    bodies = [
        b"a=" + b"x" * 20_000,
        b"name=a&name=b",
        b"&".join(b"f%d=1" % n for n in range(30)),
        b"name=\xff",
        b"a=%00",
    ]
    statuses = [console.send("POST", "/enter", send, body).status_code for body in bodies]
    assert [413, 400, 400, 400, 400] == statuses
    assert 415 == console.send("POST", "/enter", {**send, "content-type": "text/plain"}, b"name=a").status_code


def everything(console):
    """All that the console answers, as an administrator sees it, headers included."""
    console.enter(role="administrator")
    for path in [*PAGES, f"/activity?code={UNHCR}&job={CANARY}&outcome={CANARY}",
                 f"/settle/{CANARY}", f"/runs/{UNHCR}"]:  # fmt: skip
        yield path, console.get(path)
    yield "reason", console.act("/discard", id=UNHCR, reason="x" * 300)
    for wanted in (UNHCR, CANARY, UNIT, "m1"):
        yield "find", console.act("/find", id=wanted)
    yield "retry", console.act("/retry", id=UNHCR)
    yield "missing", console.act("/retry")


def test_canaries(filled):
    """R-LG8 R-LP6 No page, table, address or error holds a name, or a UNHCR number other than keyed."""
    for path, answer in everything(filled):
        text = str(answer.headers) + answer.text
        assert [] == [canary for canary in (CANARY, UNHCR, "Nyaruot", SCRIPT) if canary in text], path
    assert "keyed:" in filled.get(f"/runs/{RUN}").text


@pytest.mark.parametrize("path", ["/activity?code={}", "/activity?job={}", "/runs/{}", "/settle/{}"])
def test_reflected_script(filled, path):
    """What somebody puts into an address doesn't come back as it is."""
    filled.enter(role="administrator")
    for attack in (SCRIPT.replace("/", ""), '"onfocus=x', "'><b>", "{{7*7}}"):
        answer = filled.get(path.format(attack))
        assert attack not in answer.text
        assert "49" not in re.findall(r'value="([^"]*)"', answer.text)


def test_stored_script(console):
    """What was stored, such as a key's label, is shown as text."""
    console.store.add_key(Key("k1", SCRIPT, b"salt", b"digest", NOON))
    console.enter(role="administrator")
    text = console.get("/keys").text
    assert SCRIPT not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("path", ["/", "/enter", "/nowhere", "/console.css", "/activity.csv"])
def test_headers(console, path):
    """Every answer forbids frames, scripts and styles of others, guessing of types, and keeping."""
    console.enter(role="viewer")
    headers = console.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy.split("; "))
    assert ("nosniff", "DENY", "same-origin") == tuple(
        headers[name] for name in ("x-content-type-options", "x-frame-options", "referrer-policy")
    )
    assert path.endswith("css") or "no-store" == headers["cache-control"]


def test_retry(filled):
    """A person's retry is that of the command; the audit log names them."""
    filled.enter(role="operator")
    assert 303 == filled.act("/retry", id=UNIT).status_code
    assert "pending" == filled.store.unit(UNIT).status
    assert [("amal (console)", {"id": UNIT, "count": 1})] == events(filled, "retried")


def test_retry_all(filled):
    """All of one cause are tried again, and no others."""
    filled.enter(role="operator")
    filled.act("/retry-all", code="no_service")
    assert ("dead", []) == (filled.store.unit(UNIT).status, filled.store.parked())


def test_discard(filled):
    """What is given up is erased, with the reason; a parked record is named by what the page shows of it."""
    filled.enter(role="operator")
    shown = re.findall(r'name="id" value="([^"]+)"', filled.get("/settle/no_service").text)
    assert 303 == filled.act("/discard", id=shown[0], code="no_service", reason="told").status_code
    assert [] == filled.store.parked()
    filled.act("/discard", id=UNIT, reason="told by telephone")
    assert "discarded" == filled.store.unit(UNIT).status
    assert ["amal (console)"] * 2 == [who for who, _ in events(filled, "discarded")]


def test_keys(filled):
    """An administrator replaces a key, which is shown once, and withdraws one."""
    filled.enter(role="administrator")
    fresh = re.search(r"<code>([\w-]{43})</code>", filled.act("/keys/rotate", label="unhcr").text)[1]
    assert fresh not in filled.get("/keys").text
    assert 303 == filled.act("/keys/revoke", id="k1").status_code
    known = filled.store.keys()
    assert ["k1"] == [key.id for key in known if key.revoked]


def test_overview(filled):
    """The overview tells in words and shapes what waits, what is wrong, and where it stands what to do."""
    filled.enter(role="viewer")
    text = filled.get("/").text
    assert "docs/runbook.md#given_up" in text
    assert 'href="/settle/unreachable"' in text
    assert re.search(r'class="(look|wrong)">(look|wrong)<', text)


def test_what_became_of_it(filled):
    """By the id of a unit or its message an administrator finds what became of it."""
    filled.enter(role="viewer")
    for wanted in (UNIT, "m1"):
        text = filled.act("/find", id=wanted).text
        assert [] == [each for each in (UNIT, RUN, "dead", "unreachable") if each not in text]
    assert f"/runs/{RUN}" == filled.act("/find", id=RUN).headers["location"]


def test_table(filled):
    """What is taken along is what is shown, holds no formula, and taking it is told."""
    filled.enter(role="viewer")
    lines = filled.get("/activity.csv?outcome=failed").text.splitlines()
    assert (2, RUN) == (len(lines), lines[1].split(",")[0])
    assert [("amal (console)", {"count": 1})] == events(filled, "log_exported")
    assert ["'=1", "'@x", "'-1", "'\t"] == [answers._cell(each) for each in ("=1", "@x", "-1", "\t")]


def test_who_did_what(filled):
    """R-AU3 Whoever looks finds who did what, by event, the newest first, and whether the log is as it was written."""
    filled.enter(role="operator")
    filled.act("/discard", id=UNIT, reason="done by hand")
    text = filled.get("/audit?event=discarded").text
    assert "amal (console)" in text
    assert text.count("<tr>") == 2
    assert "All entries are as they were written." in filled.act("/audit/verify").text
    assert "<tr><td>1</td>" in filled.get("/audit?event=<script>").text


class Outline(HTMLParser):
    """The headings, labels, fields, buttons and tables of a page."""

    def __init__(self, text):
        super().__init__()
        self.headings, self.labelled, self.fields, self.language, self.ids, self.loose = [], set(), [], None, [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids += [attributes["id"]] if "id" in attributes else []
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        elif tag == "html":
            self.language = attributes.get("lang")
        elif tag == "label":
            self.labelled.add(attributes["for"])
        elif tag in ("input", "select") and attributes.get("type") != "hidden":
            self.fields.append(attributes.get("id"))
        elif tag == "th" and "scope" not in attributes:
            self.loose.append(attributes)


@pytest.mark.parametrize("path", PAGES)
def test_structure(filled, path):
    """Each page has its language, one first heading with none left out below it, a label for each field, unlike ids."""
    filled.enter(role="administrator")
    if path.endswith("csv"):
        return
    text = filled.get(path).text
    page = Outline(text)
    assert "en" == page.language
    assert [1] == [level for level in page.headings if level == 1]
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert set(page.fields) <= page.labelled
    assert (len(page.ids), []) == (len(set(page.ids)), page.loose)
    assert re.search(r"<title>\S", text)
