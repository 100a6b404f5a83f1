"""The ways into the console: each path, who may go there, and which page answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runner.console import activity, auditing, entering, finding, keys, overview, owning, people, settling, setup
from runner.console.accounts import Role
from runner.console.visit import Answer, Visit


@dataclass(frozen=True)
class Way:
    """One path and method. `needs` is None where nobody has signed in yet; `fields` are those that its form must have.

    What `changes` something asks for a session whose holder has just proved who they are; by what `proves` they do so,
    which takes a while, so that few may at once.
    """

    method: str
    path: str
    needs: Role | None
    answer: Callable[[Visit], Answer]
    fields: tuple[str, ...] = ()
    changes: bool = False
    proves: bool = False


_PROOF = ("password", "code")

WAYS: Sequence[Way] = (
    Way("GET", "/enter", None, entering.ask),
    Way("POST", "/enter", None, entering.enter, proves=True),
    Way("POST", "/language", None, entering.choose_language),
    Way("GET", "/confirm", "viewer", entering.ask),
    Way("POST", "/confirm", "viewer", entering.confirm, proves=True),
    Way("POST", "/leave", "viewer", entering.leave),
    Way("GET", "/", "viewer", overview.overview),
    Way("GET", "/activity", "viewer", activity.activity),
    Way("POST", "/find", "viewer", finding.find, ("id",)),
    Way("GET", "/activity.csv", "viewer", activity.table),
    Way("GET", "/runs/{id}", "viewer", activity.run),
    Way("GET", "/settle", "viewer", settling.causes),
    Way("GET", "/settle/{code}", "viewer", settling.cause),
    Way("POST", "/retry", "operator", settling.retry, ("id",), changes=True),
    Way("POST", "/retry-all", "operator", settling.retry_all, ("code",), changes=True),
    Way("POST", "/discard", "operator", settling.discard, ("id", "reason"), changes=True),
    Way("GET", "/audit", "viewer", auditing.log),
    Way("POST", "/audit/verify", "viewer", auditing.verify),
    Way("GET", "/keys", "viewer", keys.keys),
    Way("POST", "/keys/rotate", "administrator", keys.rotate, ("label",), changes=True),
    Way("POST", "/keys/revoke", "administrator", keys.revoke, ("id",), changes=True),
    Way("GET", "/account", "viewer", owning.account),
    Way("POST", "/account/password", "viewer", owning.change_password, _PROOF, proves=True),
    Way("POST", "/account/factor", "viewer", owning.offer_factor, _PROOF, proves=True),
    Way("POST", "/account/factor/keep", "viewer", owning.renew_factor, ("code",), changes=True),
    Way("POST", "/account/end-session", "viewer", owning.end_session, ("session",)),
    Way("POST", "/account/end-others", "viewer", owning.end_others),
    Way("GET", "/setup", "viewer", setup.setup),
    Way("GET", "/setup/mapping", "viewer", setup.mapping),
    Way("GET", "/setup/mapping.csv", "viewer", setup.mapping_as_csv),
    Way("GET", "/setup/mapping.xlsx", "viewer", setup.mapping_as_workbook),
    Way("GET", "/setup/log", "viewer", setup.log_inventory),
    Way("GET", "/setup/log.csv", "viewer", setup.log_inventory_as_table),
    Way("POST", "/setup/schedule", "administrator", setup.switch_schedule, ("job", "switch", "reason"), changes=True),
    Way("GET", "/people", "administrator", people.people),
    Way("POST", "/people/end-sessions", "administrator", people.end_sessions, ("name",), changes=True),
)
