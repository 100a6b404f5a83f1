"""2b: children on whom UNHCR decides."""

from __future__ import annotations

from collections.abc import Iterator

from adaptors.trial.children import Child, Exercise, exercises, usual
from adaptors.trial.exchange import Document, Exchange
from adaptors.trial.review import Sending, review
from adaptors.trial.ways import changed

REFERRAL, DECISION = "progres_orgreferralid", "progres_reviewdecision"
REASON = "progres_interoperabiltyreferralrejectionreason"
NOBODY = "00000000-0000-4000-8000-000000000000"  # a case that there is not
COMMENTS = ("progres_interoperabilityreferralrejectionomment", "progres_interoperabilityreferralrejectioncomment")


class Answers(Exchange):
    """A message with a decision on each of the referrals that UNHCR holds."""

    label, starts, sends_by = "2b", "message", "update_referral"
    says = "UNHCR decides: every decision and every reason, with comments and without."

    def plan(self) -> list[Exercise]:
        """The decisions to come; each needs a referral."""
        base = {"data": self._decided("")}
        self._usual = usual(self.script, self.sending, base)
        return [*exercises(self.script, self.sending, changed(base, self._usual)), *self._general()]

    def begin(self) -> Document:
        """Decide on what DTP holds, in the order in which it came."""
        received = [post.key[0] for post in self.world.sandbox.dtp.received if post.kind == "ReceiveIncomingReferral"]
        held = iter(dict.fromkeys(received))
        told: list[Document] = []
        for exercise in self.plan():
            referral = next(held, f"{NOBODY}#{len(told):012d}")
            decided = changed({"data": self._decided(referral)}, {**self._usual, **exercise.changes})["data"]
            child = Child(decided[REFERRAL], exercise.says, exercise.outcomes, exercise.code, exercise.rows)
            self.children.append(child)
            told.append(decided)
        message = self.posted(told)
        # After a rejection our account may no longer read the case.
        state = {"data": message["message"]}
        self._sendings = review(self.script, self.world.sandbox, state, dry_run=True)
        return message

    def sendings(self) -> list[Sending]:
        """The decisions, as they were posted."""
        return self._sendings

    def _general(self) -> Iterator[Exercise]:
        rejected = {"data." + COMMENTS[0]: None, "data." + COMMENTS[1]: "Bitte prüfen"}
        yield Exercise("a comment under its other name", rejected)
        yield Exercise("no comment", {f"data.{name}": None for name in COMMENTS})
        yield Exercise("a referral that nobody knows", {f"data.{REFERRAL}": f"{NOBODY}#aaaaaaaaaaaa"}, code="not_found")

    def _decided(self, referral: str) -> Document:
        return {REFERRAL: referral, DECISION: "125080001", REASON: "125080000", COMMENTS[0]: "Bitte anrufen"}
