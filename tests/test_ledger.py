"""`once` and `deliver`: neither twice nor never (adaptors/ledger.py, sending.py, outbox.py)."""

import copy

import pytest

from adaptors.common import data_value, deliver, each, once
from adaptors.errors import InvalidData, JobError, NotAllowed, Parked, Rejected, TimedOut, Unreachable
from adaptors.ledger import MemoryLedger, ledger_of
from adaptors.operations import Operation
from adaptors.runtime import Runtime


class FarSide:
    """Something that is sent to: it keeps what arrived, and raises the errors it was given, in order."""

    def __init__(self, *errors):
        self.arrived = []
        self.errors = list(errors)

    def send(self, state):
        self.arrived.append(state["data"])
        if self.errors and (error := self.errors.pop(0)):
            raise error
        return {**state, "answer": {"status": 200}}

    def operation(self, **options):
        return Operation("send", self.send, system="far", prepare=lambda state: dict(state["data"]), **options)


def begin(number="INT-1", **more):
    """A state as `each` gives it to an item."""
    return {"data": {"n": number}, "item": {"outcome": "done", "ids": {}}, "ledger": MemoryLedger(), **more}


def again(state, **changes):
    """The next run's state for the same record: ledger and outbox last."""
    return {**state, "item": {"outcome": "done", "ids": {}}, **changes}


def entry(key, value, kind="answer"):
    return {"system": "far", "kind": kind, "key": key, "value": value, "send": {"n": key, "status": value}}


LOST = Unreachable("reset", unknown=True)
DOWN = Unreachable("no connection")


def test_once():
    """H19: what was done is done once; the second time the item is unchanged and nothing is sent."""
    far, state = FarSide(), begin()
    send = once("referral", data_value("n"), far.send)

    assert "done" == send(state)["item"]["outcome"]
    assert {"status": "done", "value": "", "answer": {"status": 200}} == state["ledger"].read("referral", "INT-1")
    assert "unchanged" == send(again(state))["item"]["outcome"]
    assert 1 == len(far.arrived)


def test_kinds_and_keys_are_apart():
    """H33: another key or another kind is another sending."""
    far, state = FarSide(), begin()

    for kind, number in (("referral", "1"), ("referral", "2"), ("decision", "1"), ("referral", 1)):
        once(kind, data_value("n"), far.send)(again(state, data={"n": number}))

    assert ["1", "2", "1"] == [data["n"] for data in far.arrived]


def test_intended_before_and_done_after():
    """H19: the ledger holds "intended" while the sending is under way."""
    state, seen = begin(), []

    def look(state):
        seen.append(state["ledger"].read("referral", "INT-1"))
        return state

    once("referral", data_value("n"), look, value="v")(state)

    assert [{"status": "intended", "value": "v", "answer": {}}] == seen
    assert "done" == state["ledger"].read("referral", "INT-1")["status"]


def test_found_intended_after_a_crash():
    """H19: what was intended when the run was killed is done again."""
    far, state = FarSide(), begin()
    state["ledger"].write("referral", "INT-1", {"status": "intended", "value": "", "answer": {}})

    assert "done" == once("referral", data_value("n"), far.send)(state)["item"]["outcome"]
    assert 1 == len(far.arrived)


def test_unknown_outcomes_left_to_a_person():
    """H19: where the far side must not be sent a repeat, an unknown outcome is parked, at every further try."""
    far, state = FarSide(LOST), begin()
    send = once("referral", data_value("n"), far.operation(may_repeat=lambda state: False))

    with pytest.raises(Unreachable):
        send(state)
    for _ in range(2):
        with pytest.raises(Parked) as caught:
            send(again(state))
    assert "outcome_unknown" == caught.value.code
    assert 1 == len(far.arrived)


def test_unknown_answers_left_to_a_person():
    """H19: an answer whose outcome is unknown waits where no repeat is wanted: parked until a person releases it."""
    far, state = FarSide(LOST, LOST), begin(outbox=[], message="m1")
    operation = far.operation(may_repeat=lambda state: False)

    assert "done" == once("answer", data_value("n"), operation, later=True)(state)["item"]["outcome"]
    parked = [deliver(operation)(state)["outcomes"][0] for _ in range(2)]
    ids = {"kind": "answer", "key": "INT-1", "id": "INT-1"}
    assert [("parked", "outcome_unknown", ids)] * 2 == [(item["outcome"], item["code"], item["ids"]) for item in parked]
    assert (1, 1) == (len(far.arrived), len(state["outbox"]))

    (again_unknown,) = deliver(operation)({**state, "revisit": ["INT-1"]})["outcomes"]
    (left_alone,) = deliver(operation)(state)["outcomes"]
    assert (["parked"] * 2, 2) == ([again_unknown["outcome"], left_alone["outcome"]], len(far.arrived))

    (delivered,) = deliver(operation)({**state, "revisit": ["INT-1"]})["outcomes"]
    assert ("done", [], 3) == (delivered["outcome"], state["outbox"], len(far.arrived))


def test_answers_that_were_begun_when_the_run_was_killed():
    """H19: also when the run was killed while such an answer was sent, in its own job or from the outbox."""
    far, state = FarSide(KeyboardInterrupt()), begin(outbox=[], message="m1")
    operation = far.operation(may_repeat=lambda state: False)
    send = once("answer", data_value("n"), operation, later=True)

    with pytest.raises(KeyboardInterrupt):
        send(state)
    send(again(state))
    assert ["parked"] == [item["outcome"] for item in deliver(operation)(state)["outcomes"]]

    far.errors = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        deliver(operation)({**state, "revisit": ["INT-1"]})
    assert ["parked"] == [item["outcome"] for item in deliver(operation)(state)["outcomes"]]
    assert 2 == len(far.arrived)


def test_answers_that_certainly_did_not_arrive():
    """H19: what had no effect is sent again without a person, also where no repeat is wanted."""
    far, state = FarSide(DOWN, DOWN, NotAllowed("401")), begin(outbox=[], message="m1")
    operation = far.operation(may_repeat=lambda state: False)
    once("answer", data_value("n"), operation, later=True)(state)

    outcomes = [deliver(operation)(state)["outcomes"][0]["outcome"] for _ in range(3)]

    assert (["failed", "failed", "done"], []) == (outcomes, state["outbox"])


def test_released_record_may_be_repeated():
    """H19 H52: what a person released is sent again, though whether it arrived before is not known; others aren't."""
    far, state = FarSide(LOST, LOST), begin()
    send = once("referral", data_value("n"), far.operation(may_repeat=lambda state: False))
    with pytest.raises(Unreachable):
        send(state)

    with pytest.raises(Parked):
        send({**state, "item": {"outcome": "done", "ids": {"id": "c-2"}}, "revisit": ["c-1"]})
    with pytest.raises(Unreachable):
        send({**state, "item": {"outcome": "done", "ids": {"id": "c-1"}}, "revisit": ["c-1"]})
    assert 2 == len(far.arrived)


@pytest.mark.parametrize("ended", [KeyboardInterrupt(), LOST], ids=["killed", "lost"])
def test_a_release_is_for_one_sending(ended):
    """H19 Where a released record's sending ends without it being known whether it arrived, it is parked once more."""
    far, state = FarSide(LOST, ended), begin()
    send = once("referral", data_value("n"), far.operation(may_repeat=lambda state: False))
    released = {"item": {"outcome": "done", "ids": {"id": "c-1"}}, "revisit": ["c-1"]}
    with pytest.raises(Unreachable):
        send(state)
    with pytest.raises(type(ended)):
        send({**state, **released})
    with pytest.raises(Parked) as caught:
        send({**state, **released})
    assert ("outcome_unknown", 2) == (caught.value.code, len(far.arrived))
    send({**state, **released})
    assert 3 == len(far.arrived)


def test_a_release_is_for_one_delivery():
    """H19 Where the run is killed that delivers a released answer, it is parked, and waits for another release."""
    far, state = FarSide(LOST, KeyboardInterrupt()), begin(outbox=[], message="m1")
    operation = far.operation(may_repeat=lambda state: False)
    once("answer", data_value("n"), operation, later=True)(state)
    with pytest.raises(KeyboardInterrupt):
        deliver(operation)({**state, "revisit": ["INT-1"]})

    outcomes = [deliver(operation)({**state, "revisit": ["INT-1"]})["outcomes"][0]["outcome"] for _ in range(2)]

    assert (["parked", "done"], 3) == (outcomes, len(far.arrived))


@pytest.mark.parametrize(
    "error",
    [Rejected("422"), NotAllowed("403"), DOWN, InvalidData("x"), JobError("x")],
    ids=lambda error: type(error).__name__,
)
def test_certainly_without_effect(error):
    """H19: what certainly had no effect leaves the ledger as it was before, be it empty or an earlier value."""
    far, state = FarSide(error, None, error), begin()
    send = once("decision", data_value("n"), far.send, value=lambda state: state["value"])

    with pytest.raises(type(error)):
        send(again(state, value="accepted"))
    assert None is state["ledger"].read("decision", "INT-1")

    send(again(state, value="accepted"))
    before = copy.deepcopy(state["ledger"].read("decision", "INT-1"))
    with pytest.raises(type(error)):
        send(again(state, value="rejected"))
    assert before == state["ledger"].read("decision", "INT-1")


@pytest.mark.parametrize("error", [LOST, TimedOut("x", unknown=True), KeyError("x")], ids=["lost", "late", "slip"])
def test_perhaps_with_effect(error):
    """H19: where the effect is not known, the intention stays, and the sending is repeated."""
    far, state = FarSide(error), begin()
    send = once("referral", data_value("n"), far.send)

    with pytest.raises(type(error)):
        send(state)
    assert "intended" == state["ledger"].read("referral", "INT-1")["status"]

    send(again(state))
    assert 2 == len(far.arrived)


def test_again_when_the_value_differs():
    """H20: the same decision is sent once however often the case is edited; accepted, rejected, accepted are three."""
    sent, state = [], begin()
    send = once(
        "decision",
        data_value("n"),
        lambda state: sent.append(state["value"]) or state,
        value=lambda state: state["value"],
    )

    for value in ("accepted", "accepted", "rejected", "rejected", "accepted", "accepted"):
        send(again(state, value=value))

    assert ["accepted", "rejected", "accepted"] == sent


@pytest.mark.parametrize("number", [None, "", 0, True, {"Name": "x"}, ["x"], 1.5, "INT-1\nb", "Nyaruot Beispiel"])
def test_no_key(number):
    """H41 What has no usable key is parked: nobody could recognise a repeat of it, and a name is none."""
    far = FarSide()

    with pytest.raises(Parked) as caught:
        once("answer", data_value("n"), far.send)(begin(number))

    assert ("no_key", []) == (caught.value.code, far.arrived)


def test_later():
    """H36: when the far side can't be reached, an answer waits in the outbox, and the item counts as done."""
    far, state = FarSide(DOWN), begin(outbox=[], message="m1")
    send = once("answer", data_value("n"), far.operation(), later=True)

    assert "done" == send(state)["item"]["outcome"]
    assert [{"system": "far", "kind": "answer", "key": "INT-1", "value": "m1", "send": {"n": "INT-1"}}] == state[
        "outbox"
    ]
    assert {"status": "waiting", "value": "m1", "answer": {}} == state["ledger"].read("answer", "INT-1")

    assert "unchanged" == send(again(state))["item"]["outcome"]
    assert (1, 1) == (len(far.arrived), len(state["outbox"]))


def test_later_when_the_outcome_is_unknown():
    """H19: an answer that may have arrived waits, too, and is sent again under the same number."""
    far, state = FarSide(LOST), begin(outbox=[], message="m1")

    once("answer", data_value("n"), far.operation(), later=True)(state)

    assert ["INT-1"] == [waiting["key"] for waiting in state["outbox"]]


def test_every_message_is_answered():
    """H33: another message about the same intervention is answered again; the same message isn't."""
    far, state = FarSide(), begin(outbox=[])
    send = once("answer", data_value("n"), far.operation(), later=True)

    for message in ("m1", "m1", "m2", "m2"):
        send(again(state, message=message))

    assert 2 == len(far.arrived)


def test_without_an_engine_every_call_is_a_message():
    """An operation works without an engine; then nothing says that two calls are one message."""
    far, state = FarSide(), begin()
    send = once("answer", data_value("n"), far.operation(), later=True)

    send(state)
    send(again(state))

    assert 2 == len(far.arrived)


def test_nothing_later_overtakes():
    """H51: while an answer waits, a later one for the same intervention waits behind it, untried; others go."""
    far, state = FarSide(DOWN), begin(outbox=[])
    send = once("answer", data_value("n"), far.operation(), later=True)

    send(again(state, message="m1"))
    send(again(state, message="m2"))
    send(again(state, message="m3", data={"n": "INT-2"}))

    assert ["m1", "m2"] == [waiting["value"] for waiting in state["outbox"]]
    assert ["INT-1", "INT-2"] == [data["n"] for data in far.arrived]


@pytest.mark.parametrize("status", ["waiting", "intended"])
def test_after(status):
    """H51: what must come after another kind is not sent while that isn't done, and fails to be tried again."""
    far, state = FarSide(), begin(value="accepted")
    send = once(
        "decision", data_value("n"), far.send, value=lambda state: state["value"], after={"service": "", "answer": ""}
    )
    state["ledger"].write("answer", "INT-1", {"status": status, "value": "m1", "answer": {}})

    with pytest.raises(Unreachable) as caught:
        send(state)
    assert ("waiting_behind", []) == (caught.value.code, far.arrived)

    state["ledger"].write("answer", "INT-1", {"status": "done", "value": "m1", "answer": {}})
    assert "done" == send(again(state))["item"]["outcome"]


def test_after_what_has_only_begun():
    """H51: killed between the service and its answer: a decision waits for that; where nothing is known it goes."""
    far, state = FarSide(), begin()
    send = once("decision", data_value("n"), far.send, value="accepted", after={"service": "", "answer": ""})
    state["ledger"].write("service", "INT-1", {"status": "intended", "value": "", "answer": {}})

    with pytest.raises(Unreachable) as caught:
        send(state)
    assert ("waiting_behind", []) == (caught.value.code, far.arrived)
    assert "done" == send(again(state, data={"n": "INT-2"}))["item"]["outcome"]


def answered(state, value, kind="answer"):
    """An answer that was given, or what a person has told instead of one."""
    state["ledger"].write(kind, "INT-1", {"status": "done", "value": value, "answer": {}})


def test_after_another_word():
    """H51 An answer that was given before there was anything to decide isn't the one that a decision waits for."""
    far, state = FarSide(), begin()
    send = once("decision", data_value("n"), far.send, value="accepted", after={"service": "", "answer": "delivered"})
    answered(state, "m1 failed")

    with pytest.raises(Unreachable) as caught:
        send(state)
    assert ("waiting_behind", []) == (caught.value.code, far.arrived)

    answered(state, "m1 delivered")
    assert "done" == send(again(state))["item"]["outcome"]


def test_after_a_person_has_told():
    """H51 What a person has settled with the other agency holds nothing up, whatever was answered before."""
    far, state = FarSide(), begin()
    send = once("decision", data_value("n"), far.send, value="accepted", after={"answer": "delivered"})
    answered(state, "m1 failed")
    answered(state, "", kind="told")

    assert "done" == send(state)["item"]["outcome"]


def test_after_holds_up_only_what_is_new():
    """H22: what was sent already is unchanged, whatever waits by now."""
    far, state = FarSide(), begin()
    send = once("decision", data_value("n"), far.send, value="accepted", after={"answer": ""})
    send(state)
    state["ledger"].write("answer", "INT-1", {"status": "waiting", "value": "m2", "answer": {}})

    assert "unchanged" == send(again(state))["item"]["outcome"]


class DoubtingLedger(MemoryLedger):
    """A ledger that was restored: it vouches for what it shows as done."""

    def read(self, kind, key):
        return {**(super().read(kind, key) or {"status": "unknown", "value": "", "answer": {}}), "doubtful": True}


def test_after_a_restore():
    """R-ER6 What a restored ledger can't vouch for is parked by its key and written down as doubtful; what it shows as
    done is done; a dry run only shows."""
    far, ledger = FarSide(), DoubtingLedger()
    send = once("referral", data_value("n"), far.operation())
    ledger.write("referral", "INT-1", {"status": "done", "value": "", "answer": {}})
    assert "unchanged" == send(begin(ledger=ledger))["item"]["outcome"]
    with pytest.raises(Parked) as caught:
        send(begin("INT-2", ledger=ledger))
    assert ("not_vouched", {"kind": "referral", "key": "INT-2"}) == (caught.value.code, caught.value.ids)
    assert "doubtful" == ledger.read("referral", "INT-2")["status"]
    assert [] == far.arrived
    send(begin("INT-3", ledger=ledger, dry_run=[]))
    assert "unknown" == ledger.read("referral", "INT-3")["status"]


def test_after_a_restore_nothing_is_before():
    """R-ER6 That a restored ledger knows of no earlier answer holds nothing up that a person has released."""
    far, ledger = FarSide(), MemoryLedger()
    ledger.write("answer", "INT-1", {"status": "unknown", "value": "", "answer": {}, "doubtful": True})
    once("decision", data_value("n"), far.operation(), after={"answer": ""})(begin(ledger=ledger))
    assert [{"n": "INT-1"}] == far.arrived


def test_no_outbox():
    """Where there is no outbox, an answer that can't be sent fails, to be tried again."""
    with pytest.raises(Unreachable):
        once("answer", data_value("n"), FarSide(DOWN).operation(), later=True)(begin())


def test_answer_that_is_refused():
    """H35: an answer that the far side refuses is parked; the record itself was not at fault."""
    with pytest.raises(Parked) as caught:
        once("answer", data_value("n"), FarSide(Rejected("422", ids={"a": "1"})).operation(), later=True)(
            begin(outbox=[])
        )

    told = {"a": "1", "kind": "answer", "key": "INT-1"}
    assert ("answer_refused", told) == (caught.value.code, caught.value.ids)


def test_behind_an_answer_that_is_refused():
    """H51: what must come after a refused answer is parked like it, and goes when that got through after all."""
    far, state = FarSide(Rejected("422")), begin(outbox=[], message="m1")
    answer = once("answer", data_value("n"), far.operation(), later=True)
    decision = once("decision", data_value("n"), FarSide().send, value="accepted", after={"answer": ""})
    with pytest.raises(Parked):
        answer(state)
    with pytest.raises(Parked) as caught:
        decision(again(state))
    assert "waiting_behind" == caught.value.code

    answer(again(state))
    assert "done" == decision(again(state))["item"]["outcome"]


def test_behind_an_answer_that_is_refused_in_the_outbox():
    """H51: the same where the refused answer waits in the outbox, which goes on trying."""
    ledger, waiting = MemoryLedger(), entry("INT-1", "m1")
    ledger.write("answer", "INT-1", {"status": "waiting", "value": "m1", "answer": {}})
    state = begin(ledger=ledger, outbox=[waiting])
    decision = once("decision", data_value("n"), FarSide().send, value="accepted", after={"answer": ""})

    deliver(FarSide(Rejected("422")).operation())(state)
    with pytest.raises(Parked) as caught:
        decision(again(state))
    assert "waiting_behind" == caught.value.code

    deliver(FarSide().operation())(again(state))
    assert "done" == decision(again(state))["item"]["outcome"]


def test_behind_an_answer_that_may_have_arrived():
    """H51 What must come after an answer of which only a person can find out whether it arrived is for a person, too,
    until that one is released."""
    far, state = FarSide(LOST), begin(outbox=[], message="m1")
    operation = far.operation(may_repeat=lambda state: False)
    decision = once("decision", data_value("n"), FarSide().send, value="accepted", after={"answer": ""})
    once("answer", data_value("n"), operation, later=True)(state)
    deliver(operation)(state)
    with pytest.raises(Parked) as caught:
        decision(again(state))
    assert "waiting_behind" == caught.value.code

    far.errors = [DOWN]
    deliver(operation)({**state, "revisit": ["INT-1"]})
    with pytest.raises(Unreachable) as caught:
        decision(again(state))
    assert "waiting_behind" == caught.value.code

    deliver(operation)({**state, "revisit": ["INT-1"]})
    assert "done" == decision(again(state))["item"]["outcome"]


def test_answer_that_is_not_allowed():
    """R-DL1 H10: a refused credential is no refusal of the answer: it waits in the outbox, and the item is done."""
    state = begin(outbox=[], message="m1")

    after = once("answer", data_value("n"), FarSide(NotAllowed("401")).operation(), later=True)(state)

    assert ("done", ["m1"]) == (after["item"]["outcome"], [waiting["value"] for waiting in state["outbox"]])
    with pytest.raises(NotAllowed):
        once("answer", data_value("n"), FarSide(NotAllowed("401")).operation(), later=True)(begin())


@pytest.mark.parametrize(
    "content",
    [
        "ንያሩት",
        "Nyaruot\nBeispiel",
        '{"name_first": "x"}',
        {"name_first": "Nyaruot"},
        ["Nyaruot"],
        "x" * 1001,
        "<b>x</b>",
    ],
)
def test_only_ids_and_codes_wait(content):
    """H41: what is more than ids, codes and our own sentences can't wait unencrypted; it is parked and not shown."""
    state = begin(outbox=[], message="m1")
    state["data"]["closure_reason"] = content

    with pytest.raises(Parked, match=r"^closure_reason can't wait in the outbox") as caught:
        once("answer", data_value("n"), FarSide(DOWN).operation(), later=True)(state)

    assert ("not_waitable", []) == (caught.value.code, state["outbox"])


def test_operation_that_cannot_wait():
    """H41: an operation that sends more than ids and codes is refused for later=True when the job is loaded."""
    with pytest.raises(JobError, match="can't be done later"):
        once("referral", data_value("n"), Operation("send", lambda state: state), later=True)


def test_dry_run():
    """In a dry run the operation shows what it would send, and the ledger stays as it was."""
    far, state = FarSide(), begin(dry_run=[])

    once("referral", data_value("n"), far.send)(state)
    assert (1, None) == (len(far.arrived), state["ledger"].read("referral", "INT-1"))

    state["ledger"].write("referral", "INT-1", {"status": "done", "value": "", "answer": {}})
    assert "unchanged" == once("referral", data_value("n"), far.send)(again(state))["item"]["outcome"]


def test_deliver():
    """H36: what waits is delivered in order, leaves the outbox, and is done in the ledger."""
    far = FarSide()
    state = begin(outbox=[entry("1", "a"), entry("2", "b"), entry("1", "c")])

    after = deliver(far.send)(state)

    assert ["a", "b", "c"] == [data["status"] for data in far.arrived]
    assert ([], ["done"] * 3) == (state["outbox"], [item["outcome"] for item in after["outcomes"]])
    assert ["c", "b"] == [state["ledger"].read("answer", key)["value"] for key in ("1", "2")]
    assert ["1", "2", "1"] == [item["ids"]["id"] for item in after["outcomes"]]


@pytest.mark.parametrize("error", [DOWN, LOST, Rejected("422")], ids=["down", "lost", "refused"])
def test_deliver_in_order_per_key(error):
    """H51: behind one that can't be delivered its later ones wait untried; other keys go on; nothing is lost."""
    far = FarSide(error)
    first, second, third = entry("1", "a"), entry("2", "b"), entry("1", "c")
    state = begin(outbox=[first, second, third])

    after = deliver(far.send)(state)

    assert ["a", "b"] == [data["status"] for data in far.arrived]
    assert [first, third] == state["outbox"]
    assert ("done", "waiting_behind") == (after["outcomes"][1]["outcome"], after["outcomes"][2]["code"])


def test_the_newest_that_waits_stays_known():
    """H21: after the first of two answers is delivered, a repeat of the second's message adds no third."""
    far, state = FarSide(DOWN, None, DOWN), begin(outbox=[])
    send = once("answer", data_value("n"), far.operation(), later=True)
    send(again(state, message="m1"))
    send(again(state, message="m2"))

    deliver(far.send)(state)
    assert ["m2"] == [waiting["value"] for waiting in state["outbox"]]
    send(again(state, message="m2"))

    assert ["m2"] == [waiting["value"] for waiting in state["outbox"]]
    assert 3 == len(far.arrived)


def test_deliver_in_a_dry_run():
    """A dry run delivers nothing and leaves what waits where it is."""
    state = begin(outbox=[entry("1", "a")], dry_run=[])

    deliver(FarSide().send)(state)

    assert ([entry("1", "a")], None) == (state["outbox"], state["ledger"].read("answer", "1"))


@pytest.mark.parametrize("state", [{}, {"outbox": None}, {"outbox": []}], ids=["none", "null", "empty"])
def test_nothing_to_deliver(state):
    """An empty outbox is a valid outbox."""
    assert [] == deliver(FarSide().send)(state)["outcomes"]


def test_ledger_in_memory_is_the_runs():
    """Without an engine's ledger, all items of a run share one in memory, however many run at a time."""
    far, runtime = FarSide(), Runtime()
    records = [{"n": "1"}, {"n": "2"}, {"n": "1"}]

    state = each(records, once("referral", data_value("n"), far.send))({"runtime": runtime})
    state = each(records, once("referral", data_value("n"), far.send), workers=3)(state)

    assert [{"n": "1"}, {"n": "2"}] == far.arrived
    assert ["done", "done"] + ["unchanged"] * 4 == [item["outcome"] for item in state["outcomes"]]
    assert ledger_of(state) is ledger_of({"runtime": runtime})


def test_ledger_forgets():
    """Writing None forgets an entry, known or not."""
    ledger = MemoryLedger()
    ledger.write("a", "1", {"status": "done", "value": "", "answer": {}})

    ledger.write("a", "1", None)
    ledger.write("a", "2", None)

    assert None is ledger.read("a", "1")


def test_killed_between_delivering_and_removing():
    """H19 An answer that the ledger knows as delivered is only removed from the outbox, not sent again."""
    waiting = entry("INT-1", "m1")
    ledger, sent = MemoryLedger(), []
    ledger.write("answer", "INT-1", {"status": "done", "value": "m1", "answer": {}})
    state = deliver(lambda state: sent.append(1) or state)({"outbox": [waiting], "ledger": ledger})
    assert ([], []) == (state["outbox"], sent)


def test_killed_before_removing_what_must_not_be_repeated():
    """H19 The same for the first of several of one key, where no repeat is wanted."""
    far, ledger, first, second = FarSide(), MemoryLedger(), entry("INT-1", "m1"), entry("INT-1", "m2")
    operation = far.operation(may_repeat=lambda state: False)

    class KilledOutbox(list):
        def remove(self, entry):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(operation)({"outbox": KilledOutbox([first, second]), "ledger": ledger})
    deliver(operation)({"outbox": [first, second], "ledger": ledger})
    assert ["m1", "m2"] == [data["status"] for data in far.arrived]
