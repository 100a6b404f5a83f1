"""`runner golive`: the agencies' checklist with its evidence, its signatures, the rehearsal, and the override."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.errors import WrongUse
from runner.golive import permission, processing
from runner.golive.checklist import Installation, Row, checklist
from runner.golive.rehearsal import rehearse
from runner.places import Places
from runner.provenance import provenance

_NOT_YET = 4
_WORDS = {"pass": "pass", "fail": "FAIL", "needs_person": "needs a person"}


def run(arguments: Namespace) -> int:
    """Check, rehearse, sign or override; 0 when every row passes, or it was done, else 4."""
    _refuse_contradictions(arguments)
    places, now = Places.of(arguments), datetime.now(UTC)
    found = project.load(places.project)
    if arguments.action == "record":
        report.print_either(arguments.json, processing.record(found), processing.sheet(found))
        return 0
    with places.store() as store:
        at = Installation(store, found, places, provenance(found), now)
        match arguments.action:
            case "rehearse":
                return _rehearse(at, arguments)
            case "sign":
                return _sign(at, arguments)
            case "override":
                return _override(at, arguments)
        return _check(at, arguments)


def _refuse_contradictions(arguments: Namespace) -> None:
    """What goes with one action only is refused with the others."""
    signs = arguments.action == "sign"
    if {bool(arguments.row), bool(arguments.name)} != {signs}:
        raise WrongUse(
            "a row and a name go with sign, and only there", fix="Such as: runner golive sign K9 --name NAME"
        )
    if arguments.on and not signs:
        raise WrongUse("--on goes with sign", fix="Leave it out.")
    if (arguments.action == "override") != bool(arguments.reason):
        raise WrongUse("a reason goes with override, and only there", fix="runner golive override --reason TEXT")


def _check(at: Installation, arguments: Namespace) -> int:
    rows = checklist(at)
    passed = all(row.status == "pass" for row in rows)
    permission.record_check(at.store, {row.id: row.status for row in rows}, at.made_of, passed=passed, now=at.now)
    overridden = permission.override(at.store, at.made_of)
    document: dict[str, Any] = {
        "note": "Evidence for review", "passed": passed, "held": permission.is_held(at.store, at.places, at.made_of),
        "commit": at.made_of.version, "configuration": at.made_of.configuration,
        "override": overridden and {"time": overridden.time, "who": overridden.who, **overridden.about},
        "rows": [_document(row) for row in rows],
    }  # fmt: skip
    report.print_either(arguments.json, document, _lines(rows, document))
    return 0 if passed else _NOT_YET


def _rehearse(at: Installation, arguments: Namespace) -> int:
    done = rehearse(at.store, at.places.project, at.made_of, now=at.now)
    searched = f"looked for {done.texts} texts in {done.files} files: {done.found} bytes were found"
    lines = [searched, *(f"! {each}" for each in done.unforetold), "passed" if done.passed else "failed"]
    report.print_either(arguments.json, {"passed": done.passed, **asdict(done)}, lines)
    return 0 if done.passed else _NOT_YET


def _sign(at: Installation, arguments: Namespace) -> int:
    row = next(each for each in checklist(at) if each.id == arguments.row)
    if not row.seen.signers:
        raise WrongUse(f"there is nothing to sign in {row.id}", fix="runner golive shows what is.")
    day = arguments.on or at.now.date()
    permission.sign(at.store, row.id, arguments.name, day=day, about=row.about, now=at.now)
    signed = next(each for each in checklist(at) if each.id == row.id)
    report.print_either(arguments.json, _document(signed), _row_lines(signed))
    return 0


def _override(at: Installation, arguments: Namespace) -> int:
    permission.override_with(at.store, arguments.reason, at.made_of, now=at.now)
    document = {"configuration": at.made_of.configuration, "reason": arguments.reason}
    report.print_either(arguments.json, document, [f"overridden for configuration {at.made_of.configuration}"])
    return 0


def _document(row: Row) -> dict[str, Any]:
    signed = [{"name": each.name, "day": each.day.isoformat()} for each in row.signed]
    told = {"row": row.id, "asks": row.asks, "status": row.status, "evidence": list(row.seen.evidence)}
    wanted = {"confirms": row.confirms, "signatures_needed": row.seen.signers, "signatures": signed}
    return {**told, "faults": list(row.seen.faults), **(wanted if row.seen.signers else {})}


def _lines(rows: list[Row], document: dict[str, Any]) -> Iterator[str]:
    yield f"Evidence for review, of configuration {document['configuration']}"
    for row in rows:
        yield ""
        yield from _row_lines(row)
    yield ""
    if document["override"]:
        yield f"! overridden by {document['override']['who']}: {document['override']['reason']}"
    yield "all rows pass" if document["passed"] else "not all rows pass"
    if document["held"]:
        yield "! no job starts in production until then"


def _row_lines(row: Row) -> Iterator[str]:
    yield f"{row.id}  {_WORDS[row.status]}: {row.asks}"
    yield from (f"    ! {fault}" for fault in row.seen.faults)
    yield from (f"    {sentence}" for sentence in row.seen.evidence)
    yield from (f"    signed by {each.name}, {each.day}" for each in row.signed)
    if row.lacking:
        yield f"    to be signed ({row.lacking}): {row.confirms}"
