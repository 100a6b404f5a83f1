"""`runner cert show|check|request`: the certificates that we show, what to hand over of them, and how to get others."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner import project, report
from runner.errors import InvalidCredential, WrongUse
from runner.places import Places
from runner.tls import signing
from runner.tls.certificates import findings_of, read
from runner.tls.slots import Finding, Slot, slots

_NEEDS_A_LOOK = 4
_NONE = "no certificate is named in a credential of the jobs, the inbox or the console"
_ROWS = ("subject", "issuer", "begins", "ends", "key", "sha1", "sha256")


def run(arguments: Namespace) -> int:
    """Show or check the certificates, or make a request for another; `check` gives 4 when something needs a look."""
    places = Places.of(arguments)
    if arguments.action == "request":
        return _request(arguments, places)
    now = datetime.now(UTC)
    found = list(slots(project.load(places.project), places.credentials))
    documents = [_document(each, now, colons=getattr(arguments, "colons", False)) for each in found]
    if arguments.action == "check":
        report.print_either(arguments.json, {"certificates": documents}, _checked(documents))
        return _NEEDS_A_LOOK if any(document["findings"] for document in documents) else 0
    report.print_either(arguments.json, {"certificates": documents}, _shown(documents))
    return 0


def _document(slot: Slot | Finding, now: datetime, *, colons: bool) -> dict[str, Any]:
    where = {"name": slot.name, "slot": slot.key or None}
    findings = {"findings": [vars(finding) for finding in findings_of(slot, now)]}
    try:
        told = read(slot).document(now, colons=colons) if isinstance(slot, Slot) else {}
    except InvalidCredential:  # it is among the findings
        told = {}
    return {**where, **told, **findings}


def _shown(documents: list[dict[str, Any]]) -> Iterator[str]:
    for document in documents:
        yield _where(document)
        yield from (f"  {name:<8} {report.shown(document[name])}" for name in _ROWS if name in document)
        yield from (f"  ! {finding['message']}" for finding in document["findings"])
    if not documents:
        yield _NONE


def _checked(documents: list[dict[str, Any]]) -> Iterator[str]:
    for document in documents:
        if not document["findings"]:
            yield f"{_where(document)}: good, {document['days_left']} days left"
        for finding in document["findings"]:
            yield f"! {_where(document)}: {finding['message']}"
            yield f"  fix: {finding['fix']}"
    if not documents:
        yield _NONE


def _where(document: dict[str, Any]) -> str:
    return ", ".join(filter(None, (document["name"], document["slot"])))


def _request(arguments: Namespace, places: Places) -> int:
    if not arguments.name.replace("-", "").replace("_", "").isalnum():
        raise WrongUse("the name is no plain word", fix="Use letters, digits, - and _.")
    key, request = signing.request(
        places.credentials, arguments.name, common_name=arguments.common_name, organisation=arguments.organisation,
        kind="rsa" if arguments.rsa else "p256", hosts=arguments.host,
    )  # fmt: skip
    lines = [f"{key}: the private key; it never leaves this machine", f"{request}: the request; have it signed"]
    report.print_either(arguments.json, {"key": str(key), "request": str(request)}, lines)
    return 0
