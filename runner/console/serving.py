"""The console beside a running service: what its pages look at."""

from collections.abc import Callable
from datetime import datetime

from runner.alerts.conditions import Condition, conditions
from runner.alerts.sight import Sight, look
from runner.console import plan
from runner.console.app import console
from runner.console.tongues import languages
from runner.console.visit import Service
from runner.errors import Invalid
from runner.inbox import settings
from runner.inbox.intake import Intake
from runner.listener import Listener
from runner.logs.log import Log
from runner.places import Places
from runner.project import Project
from runner.provenance import Provenance
from runner.store import Accepted, Store
from runner.tls import certificates
from runner.vault import Vault


def listener(
    store: Store,
    vault: Vault,
    project: Project,
    places: Places,
    made_of: Provenance,
    *,
    now: Callable[[], datetime],
    log: Log,
) -> Listener:
    """The console of a service on its socket, not yet answering. `now` gives the time.

    Raises Invalid where nobody could sign in, InvalidProject for settings that can't be meant and for a country's
    catalogue that isn't fit, WrongUse where the address is taken.
    """
    if not any(account.ended is None for account in store.accounts()):
        raise Invalid("the console has no account", fix="Make one: runner console add-user NAME --role administrator")

    def seen() -> tuple[Sight, list[Condition]]:
        moment = now()
        findings = certificates.look(project, places.credentials, moment)
        sight = look(store, project, places, now=moment, made_of=made_of, findings=findings)
        return sight, conditions(sight)

    def route(acting: Store, message: str) -> Accepted | None:
        return Intake(acting, vault, project, settings.of(project), now=now).take_again(message)

    setting = settings.of(project, "console")
    service = Service(
        project.name, store, seen, lambda who: places.store(who=who), vault.keyed, now, route,
        plan=plan.of(project, made_of.configuration), ends=lambda: certificates.ends(project, places.credentials),
        languages=languages(setting.languages),
    )  # fmt: skip
    return Listener(console(service, setting, log), setting, log)
