"""What the far sides hold of what a job has sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adaptors.sandbox.dtp import DECISIONS, REFERRALS
from adaptors.sandbox.inprocess import INTEGRATION_USER
from adaptors.trial.review import Sending
from adaptors.trial.world import World

Document = dict[str, Any]
SERVICES = "services_section."
_NUMBER = "progres_interventionnumber"
# Primero's ids of ours are made from other fields, and case_id only ever finds a case.
_NOT_WRITTEN = ("id", f"{SERVICES}unique_id", "case_id")


@dataclass(frozen=True)
class Record:
    """What stands at a far side, and those of its fields that were written by this sending. Columns of the service in
    question are named `services_section.column`; `is_new` says whether the case was made by it."""

    fields: Document
    written: frozenset[str]
    is_new: bool = False


class Held:
    """All that both far sides hold at one moment."""

    def __init__(self, world: World) -> None:
        self._cases = world.cases()
        self._referrals = [(each.case_id, dict(each.data)) for each in world.sandbox.primero.referrals.values()]
        self._posts = [(post.kind, post.body) for post in world.sandbox.dtp.received]

    def of(self, sending: Sending) -> Record | None:
        """What became of a sending; None where nothing is there."""
        match sending.operation:
            case "upsert_case":
                return self._case(sending.values)
            case "update_referral":
                return self._referral(sending)
            case "send_referral":
                return self._post(REFERRALS, sending.values, "id")
            case _:
                return self._post(DECISIONS, sending.values, _NUMBER, "status")

    def _case(self, values: Document) -> Record | None:
        """A case that was there keeps its fields, and gets the service only."""
        for case in self._cases:
            for service in case.get("services_section") or []:
                if service.get(_NUMBER) == values.get(f"{SERVICES}{_NUMBER}"):
                    is_new = case.get("created_by") == INTEGRATION_USER
                    columns = {f"{SERVICES}{name}": value for name, value in service.items()}
                    written = _written(name for name in values if is_new or name.startswith(SERVICES))
                    return Record({**case, **columns}, written, is_new)
        return None

    def _referral(self, sending: Sending) -> Record | None:
        sent_as = next((str(known) for known in sending.item["ids"].values() if "#" in str(known)), "")
        case_id, _, end = sent_as.partition("#")
        ids = {case["id"] for case in self._cases if case["case_id"] == case_id}
        for of_case, referral in self._referrals:
            if of_case in ids and str(referral.get("service_record_id")).endswith(end):
                return Record(referral, _written(sending.values))
        return None

    def _post(self, kind: str, values: Document, *keys: str) -> Record | None:
        """The last post that DTP recognises by these keys."""
        known_by = {key: values.get(key) for key in keys}
        posts = [body for of_kind, body in self._posts if of_kind == kind and known_by.items() <= body.items()]
        return Record(posts[-1], frozenset(values)) if posts else None


def _written(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if name not in _NOT_WRITTEN)
