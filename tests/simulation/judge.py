"""What must be true in the end, from exchanges.md alone: it knows nothing of jobs, adaptors or engine.

It compares plain data: what was posted and taken, what Primero holds, what DTP took, and what the store tells.
A violation is a sentence with ids of invented things.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.simulation import inward, outward

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Evidence:
    """What is judged.

    `taken` are `(message id, message, when)`, one for each 202 in order; `units` dicts with `message`, `job`, `status`,
    `code`, `arrived` and `settled`; `items` what became of the parts of each unit that waits for a person, with
    `message`, `status` (the unit's), `code` and `ids`; `parked` what became of the parts of each record of a scheduled
    job that waits for one, with `job`, `record`, `code` and `ids`.
    `theirs` are the cases that people made, as they made them, by id; `touched` the cases in which they wrote an
    address; `edited` the notes that they wrote, by service. `refused` are the posts that DTP refused in a 200, `ledger`
    is every entry, `(kind, key) → (status, value)`. `away` are the hours for which Primero was away in all, `skewed`
    those by which our clock went wrong, `deaths` how often the service died. `parks` is whether DTP must not be sent
    again, unasked, what may have arrived.
    """

    taken: list
    cases: list
    referrals: list
    events: list
    units: list
    items: list
    parked: list
    theirs: dict
    touched: set
    edited: dict
    users: dict
    refused: list
    ledger: dict
    cursors: dict
    ended: datetime
    away: float = 0.0
    skewed: float = 0.0
    deaths: int = 0
    parks: bool = False
    left: dict = field(default_factory=dict)


def judge(evidence) -> list[str]:
    """Everything that is wrong, in sentences; an empty list when all is well."""
    rules = (
        inward.referrals, inward.decisions, outward.decisions, outward.referrals, _everything_settled, _in_turn,
        _repeated_by_people_only, _nothing_kept, _ledger_consistent, _cursors_in_the_past,
    )  # fmt: skip
    return [sentence for rule in rules for sentence in rule(evidence)]


def _everything_settled(evidence):
    """Nothing waits but for a person, and nothing is half done."""
    for unit in evidence.units:
        if unit["status"] in ("pending", "running"):
            yield f"a unit of {unit['job']} for the message {unit['message']} is still {unit['status']}"
    for what in ("outbox", "interrupted", "tries", "idle"):
        if evidence.left.get(what):
            yield f"left behind: {what} ({evidence.left[what]})"
    known = {unit["message"] for unit in evidence.units}
    for message_id, message, _ in evidence.taken:
        if message_id not in known and message["request_type"] != "SomethingElse":
            yield f"the message {message_id} was answered 202, and is not there"


def _in_turn(evidence):
    """One at a time per child, in order of arrival (H18)."""
    for event in evidence.events:
        if event["what"] == "out of turn":
            yield f"a unit of the message {event['message']} was begun while an earlier one waited for its end"


def _repeated_by_people_only(evidence):
    """With `on_unknown: park`, what may have arrived is posted again by a person's decision only (H19)."""
    unsure = set()
    names = Counter(outward.name_of(one, evidence.cases) for one in evidence.referrals if one.get("service_record_id"))
    for event in evidence.events if evidence.parks else ():
        if event["what"] == "retried":
            unsure -= event["keys"]
        if event["what"] == "dtp":
            key = event["body"].get("progres_interventionnumber") or event["body"]["id"]
            if key in unsure and names[key] < 2:  # another referral of the same service goes by the same name
                yield f"{key} was posted again, and nobody had asked for it"
            unsure = unsure - {key} if event["kept"] else unsure | {key}


def _nothing_kept(evidence):
    """Of what is done nothing is kept: no envelope, no sealed byte of one, and never anything in clear."""
    for what in ("unscrubbed", "envelopes", "sealed"):
        if evidence.left.get(what):
            yield f"left behind: {what} ({evidence.left[what]})"
    for where in evidence.left.get("traces", ()):
        yield f"a trace of a child: {where}"


def _ledger_consistent(evidence):
    """What is neither done nor known to be undone is with a person, or was overtaken by people."""
    services = {
        service["progres_interventionnumber"]: service
        for case in evidence.cases
        for service in case.get("services_section") or []
        if service.get("progres_interventionnumber")
    }
    to_go = {one["id"] for one in evidence.referrals if outward.is_to_go(one, evidence.cases)}
    with_people = {(item["ids"].get("intervention"), item["code"]) for item in evidence.items}
    unknown = {name for item in evidence.parked if item["code"] == "outcome_unknown" for name in item["ids"].values()}
    lost = {item["ids"].get("intervention") for item in evidence.items if item["status"] != "parked"}
    for (kind, key), (status, value) in evidence.ledger.items():
        if status == "waiting" and not (evidence.parks and key in unknown):
            yield f"the ledger says that the {kind} of {key} waits, and nothing does"
        if status != "intended" or (evidence.parks and key in unknown):
            continue
        stands = services.get(key)
        excused = {
            "service": stands is None and key in lost,
            "answer": (key, "answer_refused") in with_people,
            "decision": stands and outward.DECISIONS.get(stands["unhcr_referral_status"]) != value,
            "referral": key not in to_go,
        }
        if not excused.get(kind):
            yield f"the ledger doesn't know what became of the {kind} of {key}"


def _cursors_in_the_past(evidence):
    """No cursor is beyond the newest stamp that Primero ever gave."""
    newest = max((_time(case["last_updated_at"]) for case in evidence.cases), default=LONG_AGO)
    for job, cursor in evidence.cursors.items():
        if cursor and _time(cursor) > max(newest, LONG_AGO):
            yield f"the cursor of {job} is beyond everything that Primero holds"


def _time(text):
    return datetime.fromisoformat(text)
