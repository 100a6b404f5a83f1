"""The inbox, as those who post to it meet it, and what it keeps."""

import base64
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from inboxes import BEGUN, Inbox

from runner import custody, keys
from runner.errors import StoreError, VaultError
from runner.room import Room
from runner.store import FILE, Store

CANARY = "Canary-Nyaruot-7341"
PARTS = {"type": "parts", "parts": [{"child.id": "A", "name": CANARY}, {"child.id": "B"}, {"child.id": "A"}]}
REFUSED = (401, {"code": "unauthorised"})


@pytest.fixture
def inbox(tmp_path):
    """An inbox with the settings that hold when nothing is said."""
    with Inbox(tmp_path) as made:
        yield made


def told(answer):
    """Status and body of an answer."""
    return answer.status_code, answer.json()


def states(inbox):
    """The jobs and the states of all units that wait, in order."""
    found = []
    while unit := inbox.store.claim(inbox.time, jobs=inbox.project.jobs):
        state = json.loads(inbox.vault.open(unit.sealed, about=custody.about(unit.id)))
        found.append((unit.job, unit.subject, state))
    return found


def test_a_message_is_kept(inbox):
    """A message is answered with our id and the number of its units; each unit is a state of its own, encrypted."""
    answer = inbox.post(PARTS)
    assert (202, {"id", "matched"}, 3) == (answer.status_code, set(answer.json()), answer.json()["matched"])
    (first, second) = states(inbox)  # the third is about the first one's child
    assert ("sort", {"data": {**PARTS, "parts": PARTS["parts"][:1]}}) == (first[0], first[2])
    assert {"data": {**PARTS, "parts": PARTS["parts"][1:2]}} == second[2]
    assert first[1] == inbox.vault.keyed("A")
    assert second[1] == inbox.vault.keyed("B")


def test_ids_in_order(inbox):
    """A message's id tells nothing of it but when it came: what comes later has a later one, and no two are alike."""
    ids = []
    for number in range(3):
        ids.append(inbox.post({**PARTS, "number": number}).json()["id"])
        inbox.time += timedelta(seconds=1)
    assert sorted(ids) == ids
    assert {32} == {len(each) for each in ids}
    at_once = [inbox.post({**PARTS, "number": number}).json()["id"] for number in range(3, 30)]
    assert 27 == len({each[12:] for each in at_once})
    assert 1 == len({each[:12] for each in at_once})


def test_nothing_in_clear(inbox):
    """R-ER2: while a message waits, no file of the data directory holds a word of it, nor its subject."""
    inbox.post(PARTS)
    inbox.post({"type": "for nobody", "name": CANARY})
    files = [path for path in inbox.folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    assert [] == [path.name for path in files if CANARY.encode() in path.read_bytes()]


def test_a_message_for_nobody(inbox):
    """H37: a message that matches no job that is enabled is kept apart, and its sender told `matched: 0`."""
    answers = [inbox.post({"type": kind, "name": CANARY}) for kind in ("unheard of", "off")]
    assert [(202, 0), (202, 0)] == [(answer.status_code, answer.json()["matched"]) for answer in answers]
    assert [] == states(inbox)
    assert 2 == inbox.store.counts().quarantined


def headers_of(key):
    """Each way to present a key."""
    basic = base64.b64encode(f"anybody:{key}".encode()).decode()
    return [{"x-api-key": key}, {"authorization": f"Bearer {key}"}, {"authorization": f"basic {basic}"}]


def test_ways_to_present_a_key(inbox):
    """The key may come as x-api-key, as bearer, or as the password of Basic."""
    assert [202] * 3 == [inbox.post(PARTS, key="", headers=given).status_code for given in headers_of(inbox.key)]


def refusals(inbox):
    """Requests of which none may be let in."""
    wrong = [inbox.request(PARTS, key="", headers=given) for given in headers_of(inbox.key[:-1] + "~")]
    for value in ("", "Basic", "Basic !", "Basic w6k=", "Bearer", f"Digest {inbox.key}", inbox.key):
        wrong.append(inbox.request(PARTS, key="", headers={"authorization": value}))
    for path in ("/", "/inbox/", "/INBOX", "/inbox/x", "/docs", "/openapi.json", f"/inbox?x-api-key={inbox.key}"):
        wrong.append(inbox.request(PARTS, key="", path=path))
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"):
        wrong.append(inbox.request(PARTS, key="", method=method))
    return [*wrong, inbox.request(PARTS, key=""), inbox.request(PARTS, key="", path="/healthz")]


def test_uniform_refusals(inbox):
    """R-WH4 R-WH12: no key, a wrong one, and any other path or method have the same answer, to the last header."""
    elsewhere = [inbox.request(PARTS, path=path) for path in ("/", "/inbox/", "/nothing")]
    answers = inbox.run([*refusals(inbox), *elsewhere])
    assert {401} == {answer.status_code for answer in answers}
    assert 1 == len({answer.content for answer in answers})
    assert 1 == len({tuple(sorted(answer.headers.items())) for answer in answers})
    assert REFUSED[1] == answers[0].json()
    assert [] == states(inbox)


def test_all_who_are_turned_away_wait_alike(inbox, monkeypatch):
    """R-WH4: whoever is turned away causes the same work: two comparisons, and one look into the store."""
    work = []
    recognise, read = keys.recognise, inbox.store.keys
    monkeypatch.setattr(keys, "recognise", lambda *given: work.append("compared") or recognise(*given))
    monkeypatch.setattr(inbox.store, "keys", lambda: work.append("read") or read())
    for request in refusals(inbox):
        work.clear()
        inbox.run([request])
        assert ["compared", "read", "compared"] == work, request["url"]


def test_keys_are_compared_in_constant_time(monkeypatch):
    """R-WH4: every key is compared, as a hash, by a comparison that takes the same time wherever they differ."""
    made, compared = [], []

    class OneKey:
        add_key = staticmethod(made.append)

    texts = [keys.create(OneKey, label, now=BEGUN) for label in ("a", "b", "c")]
    same = keys.hmac.compare_digest
    monkeypatch.setattr(
        keys.hmac, "compare_digest", lambda one, other: compared.append((one, other)) or same(one, other)
    )
    assert "a" == keys.recognise(texts[0], made, BEGUN).label
    assert 3 == len(compared)
    assert not {text.encode() for text in texts} & {side for pair in compared for side in pair}


def test_method_with_the_key(inbox):
    """R-WH12: only who has the key is told that the inbox wants POST, and nothing else."""
    answer = inbox.post(method="GET")
    assert (405, {"code": "method_not_allowed"}, "POST") == (*told(answer), answer.headers["allow"])


def test_health(inbox, monkeypatch):
    """R-WH12: whether it lives and whether it is ready needs no key, and is a status only."""
    lives, is_ready = (inbox.request(key="", path=path, method="GET") for path in ("/healthz", "/readyz"))
    assert [(200, {"status": "ok"})] * 2 == [told(answer) for answer in inbox.run([lives, is_ready])]
    monkeypatch.setattr(inbox.store, "keys", failing(StoreError))
    assert [(200, {"status": "ok"}), (503, {"status": "unavailable"})] == [
        told(answer) for answer in inbox.run([lives, is_ready])
    ]


@pytest.mark.parametrize("room", [Room(20 << 30, 1 << 20), None], ids=["no room", "no disk"])
def test_not_ready_without_room(inbox, monkeypatch, room):
    """R-WH2: while the disk has no room to speak of, the service lives, and is not ready for messages."""

    def look(_folder):
        if room is None:
            raise OSError
        return room

    monkeypatch.setattr(Room, "of", look)
    assert 200 == inbox.post(key="", path="/healthz", method="GET").status_code
    assert 503 == inbox.post(key="", path="/readyz", method="GET").status_code


def test_not_ready_without_keys(inbox):
    """R-RT4: without the keys that seal messages, the service is not ready for them."""
    inbox.post(PARTS)
    shutil.rmtree(inbox.folder / "keys")
    assert 503 == inbox.post(key="", path="/readyz", method="GET").status_code


def test_secret_in_the_address(inbox):
    """R-WH11: a key in the address opens nothing, and whoever puts anything there is refused, the key right or not."""
    assert REFUSED == told(inbox.post(PARTS, key="", path=f"/inbox?x-api-key={inbox.key}"))
    assert (400, {"code": "query_not_allowed"}) == told(inbox.post(PARTS, path=f"/inbox?code={inbox.key}"))


def test_new_keys_count_at_once(inbox):
    """R-RT1: through a rotation no post is refused: the new key opens at once, the old one until the overlap ends."""
    assert 202 == inbox.post(PARTS).status_code
    new = keys.rotate(inbox.store, "unhcr", overlap=timedelta(hours=72), now=inbox.time)
    assert [202, 202] == [inbox.post(PARTS, key=key).status_code for key in (new, inbox.key)]
    inbox.time += timedelta(hours=72)
    assert [202, 401] == [inbox.post(PARTS, key=key).status_code for key in (new, inbox.key)]


def test_revoked_keys_end(inbox):
    """R-RT1: a key that was revoked opens no longer than a second."""
    assert 202 == inbox.post(PARTS).status_code
    keys.revoke(inbox.store, "unhcr", now=inbox.time)
    inbox.time += timedelta(seconds=1)
    assert REFUSED == told(inbox.post(PARTS))


def test_last_use(inbox):
    """R-RT1: when a key was last used is known, by its label."""
    for minutes in (0, 2):
        inbox.time = BEGUN + timedelta(minutes=minutes)
        inbox.post(PARTS)
        (key,) = inbox.store.keys()
        assert ("unhcr", inbox.time) == (key.label, key.last_used)


def test_address_that_is_not_let_in(tmp_path):
    """R-WH7: from an address that isn't on the list, the right key is answered like a wrong one."""
    with Inbox(tmp_path / "a", peer="198.51.100.1", allow_from=["192.0.2.0/24"]) as inbox:
        assert REFUSED == told(inbox.post(PARTS))
    with Inbox(tmp_path / "b", peer="192.0.2.9", allow_from=["192.0.2.0/24"]) as inbox:
        assert 202 == inbox.post(PARTS).status_code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-type": "text/plain"}, "wrong_content_type"),
        ({"content-type": ""}, "wrong_content_type"),
        ({"content-type": "application/json; charset=latin-1"}, "wrong_content_type"),
        ({"content-type": "application/jsonx"}, "wrong_content_type"),
        ({"content-encoding": "gzip"}, "wrong_encoding"),
    ],
)
def test_forms_that_are_not_taken(inbox, headers, code):
    """R-WH10: only JSON in UTF-8 that isn't compressed is taken."""
    assert (415, {"code": code}) == told(inbox.post(PARTS, headers=headers))


@pytest.mark.parametrize(
    "form", ["application/json", 'Application/JSON ; charset="UTF-8"', "application/json;charset=utf-8"]
)
def test_forms_that_are_taken(inbox, form):
    """R-WH10: the ways in which senders write that it is JSON in UTF-8."""
    assert 202 == inbox.post(PARTS, headers={"content-type": form}).status_code


def test_too_large(tmp_path):
    """R-WH10: a body may be as large as the limit, and not a byte more, declared or not."""

    async def pieces(count):
        for _ in range(count):
            yield b" "

    with Inbox(tmp_path, limits={"size": 20}) as inbox:
        fits = b'{"type":"whole"}    '
        assert [202, 413] == [inbox.post(content=body).status_code for body in (fits, fits + b" ")]
        assert (413, {"code": "too_large"}) == told(inbox.post(content=pieces(21)))
        assert (400, {"code": "not_json"}) == told(inbox.post(content=pieces(20)))


@pytest.mark.parametrize("declared", ["10000000000", "9" * 400, "1e9"])
def test_declared_length(inbox, declared):
    """R-WH5: a length beyond the limit is refused before anything of the body is read; without the key it is 401."""

    async def never():
        raise AssertionError("the body was read")
        yield b""

    length = {"content-length": declared}
    assert (413, {"code": "too_large"}) == told(inbox.post(content=never(), headers=length))
    assert REFUSED == told(inbox.post(content=never(), headers=length, key=""))


def test_too_many_parts(tmp_path):
    """R-WH10: one message can't become work without end, by the number of its parts or by what they weigh together."""
    with Inbox(tmp_path, limits={"parts": 3, "size": 1000}) as inbox:
        assert 202 == inbox.post(PARTS).status_code
        more = {**PARTS, "parts": [{}] * 4}
        assert (413, {"code": "too_many_parts"}) == told(inbox.post(more))
    with Inbox(tmp_path / "b", limits={"size": 1000}) as inbox:
        heavy = {**PARTS, "parts": [{}] * 20, "more": "x" * 800}
        assert (413, {"code": "too_many_parts"}) == told(inbox.post(heavy))
        assert [] == states(inbox)


def test_rate(tmp_path):
    """R-WH9: too many messages of one key are answered 429 with the seconds to wait, and those of another are not."""
    with Inbox(tmp_path, rate=2) as inbox:
        other = keys.create(inbox.store, "other", now=inbox.time)
        answers = [inbox.post(PARTS) for _ in range(3)]
        assert [202, 202, 429] == [answer.status_code for answer in answers]
        assert ({"code": "too_often"}, "30") == (answers[2].json(), answers[2].headers["retry-after"])
        assert 202 == inbox.post(PARTS, key=other).status_code
        inbox.time += timedelta(seconds=30)
        assert 202 == inbox.post(PARTS).status_code


def test_flood_with_a_bad_key(inbox):
    """R-WH9: a flood with a bad key costs the good one nothing of its rate, and few looks into the store."""
    flood = [inbox.request(PARTS, key="bad") for _ in range(300)]
    answers = inbox.run([*flood, inbox.request(PARTS), *flood])
    assert [300, 202, 300] == [
        sum(answer.status_code == 401 for answer in answers[:300]),
        answers[300].status_code,
        sum(answer.status_code == 401 for answer in answers[301:]),
    ]


def failing(error):
    """A function that raises."""

    def fail(*_, **__):
        raise error("disk I/O error")

    return fail


def test_many_while_the_store_fails(inbox, monkeypatch):
    """R-WH2 R-WH4 Of many who come while the keys can't be read, none is turned away as a stranger: all get 503, and
    with one reading; then they are let in."""
    read, looks = inbox.store.keys, []

    def fail():
        looks.append(1)
        raise StoreError("the database can't be used")

    monkeypatch.setattr(inbox.store, "keys", fail)
    assert {503} == {answer.status_code for answer in inbox.run([inbox.request(PARTS) for _ in range(20)])}
    assert len(looks) < 5
    monkeypatch.setattr(inbox.store, "keys", read)
    assert 202 == inbox.run([inbox.request(PARTS)])[0].status_code


@pytest.mark.parametrize("part", ["store.accept_each", "store.keys", "vault.seal"])
@pytest.mark.parametrize("error", [StoreError, VaultError])
def test_storage_that_fails(inbox, monkeypatch, part, error):
    """R-WH2: where a message can't be kept, or not be encrypted, the answer is 503 with Retry-After."""
    owner, name = part.split(".")
    monkeypatch.setattr(getattr(inbox, owner), name, failing(error))
    answer = inbox.post(PARTS)
    assert (503, {"code": "unavailable"}) == told(answer)
    assert int(answer.headers["retry-after"]) > 0


def test_storage_that_is_locked(tmp_path):
    """R-WH2: while another program holds the file, the answer is 503, and nothing is kept; then it is 202 again."""
    with (
        Inbox(tmp_path, store=Store.open(tmp_path, patience=0.05)) as inbox,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert {503} == {answer.status_code for answer in inbox.run([inbox.request(PARTS)] * 5)}
        other.execute("ROLLBACK")
        assert [] == inbox.store.messages()
        assert 202 == inbox.post(PARTS).status_code


def test_unforeseen(inbox, monkeypatch):
    """R-LG3: what nobody foresaw is a code for the sender, and a place in our code for us; neither holds data."""
    monkeypatch.setattr(inbox.vault, "fingerprint", failing(lambda _text: KeyError(CANARY)))
    assert (500, {"code": "internal"}) == told(inbox.post(PARTS))
    assert 1 == len(inbox.told)
    place = {"event": "unforeseen", "part": "inbox", "type": "KeyError", "file": "test_inbox.py"}
    assert place == {name: inbox.told[0][name] for name in place}
    assert CANARY not in str(inbox.told)


def test_no_echo(inbox):
    """H46 R-WH8: no answer holds anything of a request: of its body, its headers or its address."""
    for given in (
        inbox.request({"type": CANARY, CANARY: CANARY}),
        inbox.request(PARTS, headers={"x-request-id": CANARY, "origin": f"https://{CANARY}.example"}),
        inbox.request(PARTS, path=f"/{CANARY}"),
        inbox.request(PARTS, path=f"/inbox?{CANARY}"),
        inbox.request(content=f'{{"{CANARY}": '.encode()),
        inbox.request(PARTS, key=CANARY),
        inbox.request(PARTS, headers={"content-type": CANARY}),
    ):
        (answer,) = inbox.run([given])
        assert CANARY.lower() not in f"{answer.headers} {answer.text}".lower()


def test_headers_are_not_kept(inbox):
    """H43: the key and the other headers of a message are neither in its envelope nor in any file."""
    inbox.post(PARTS, headers={"x-trace": CANARY})
    assert CANARY not in str([state["data"].keys() for _, _, state in states(inbox)])
    texts = [path.read_bytes() for path in inbox.folder.rglob("*") if path.is_file()]
    assert not any(inbox.key.encode() in text or b"x-trace" in text for text in texts)


def test_a_hundred_at_once(inbox):
    """H21 R-RP2: a hundred identical posts at once are one message and one run, and have the same answer."""
    turned = dict(reversed(PARTS.items()))
    same = [inbox.request(PARTS), inbox.request(content=json.dumps(turned, indent=3).encode())] * 50
    answers = inbox.run(same)
    assert {202} == {answer.status_code for answer in answers}
    assert 1 == len({answer.content for answer in answers})
    assert 2 == len(states(inbox))


def test_nearly_the_same(inbox):
    """H21: a message that differs in anything but its form is another."""
    other = {**PARTS, "parts": PARTS["parts"][::-1]}
    assert 2 == len({inbox.post(message).json()["id"] for message in (PARTS, other)})


def test_who_has_the_table_alone_learns_nothing(inbox):
    """R-RP3: fingerprints and subjects are keyed: with the body at hand and another key, neither can be found again."""
    from runner.inbox.strictjson import canonical
    from runner.keyfolder import KeyFolder
    from runner.vault import Vault

    stranger = Vault(KeyFolder(inbox.folder / "elsewhere"), now=lambda: inbox.time)
    assert stranger.fingerprint(canonical(PARTS)) != inbox.vault.fingerprint(canonical(PARTS))
    assert stranger.keyed("A") != inbox.vault.keyed("A")


def test_events(inbox, monkeypatch):
    """R-LG1 R-WH11 What becomes of a request is told by ids, codes and counts: no path, no header, no key, no body."""
    kept = inbox.post({"type": "whole", "name": CANARY}).json()["id"]
    inbox.post({"type": "whole", "name": CANARY})
    lost = inbox.post({"type": CANARY}).json()["id"]
    inbox.post({"type": "whole"}, path=f"/inbox?name={CANARY}", headers={"x-child": "Canary"})
    inbox.post({"type": "whole"}, path=f"/{CANARY}", key="Canary")
    monkeypatch.setattr(inbox.vault, "fingerprint", failing(lambda _text: VaultError(CANARY)))
    inbox.post({"type": "whole", "number": 2})
    dropped = ("time", "level", "size")
    about = {"key": "unhcr"}
    assert [
        {"event": "message_accepted", "message": kept, **about, "units": 1},
        {"event": "message_repeated", "message": kept, **about, "units": 1},
        {"event": "message_quarantined", "message": lost, **about, "units": 0},
        {"event": "message_refused", "code": "query_not_allowed", "times": 1},
        {"event": "request_unauthorised", "times": 1},
        {"event": "trouble", "part": "inbox", "type": "VaultError", "code": "vault", "times": 1},
    ] == [{name: value for name, value in line.items() if name not in dropped} for line in inbox.told]
    assert CANARY not in str(inbox.told)
