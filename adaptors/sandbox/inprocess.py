"""Both stand-ins without sockets: for tests, rehearsals, and as what the listeners are put around."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from adaptors.sandbox.caseload import caseload, make
from adaptors.sandbox.dtp import DECISIONS, PRIMARY_KEY, REFERRALS, SECONDARY_KEY, Dtp
from adaptors.sandbox.faults import Faults
from adaptors.sandbox.primero import Primero
from adaptors.sandbox.transport import SandboxTransport

PRIMERO_HOST, DTP_HOST = "primero.sandbox.test", "dtp.sandbox.test"
INTEGRATION_USER, ADMINISTRATOR = "progres_integration", "sandbox_admin"
Document = dict[str, Any]


def gambella() -> Document:
    """The sandbox's own configuration of Primero, in the shape of a seed file; each call reads it afresh.

    >>> gambella()["modules"][0]["unique_id"]
    'primeromodule-cp'
    """
    document: Document = json.loads(files("adaptors.sandbox").joinpath("gambella.json").read_text("utf-8"))
    return document


class Sandbox:
    """A Primero and a DTP that know nothing of each other, and what a job needs to reach them.

    * `primero`, `dtp`: the stand-ins; `faults`: Primero's switches (DTP's are `dtp.faults`);
    * `transport`: carries httpx requests to them (put it into the runtime of a state);
    * `configuration`: the credentials, as they lie in a state;
    * `cases` people of `seed` have their cases in Primero from the start.

    `config` is a seed document other than `gambella()`; `thumbprint_header` makes DTP demand a client certificate,
    which only a listener with TLS can present. Raises KeyError for a profile that is not known.

    Example: `Sandbox(cases=20).dtp.effects` is `{}`, until a job has run with its `configuration` and `transport`.
    """

    def __init__(
        self,
        *,
        profile: str = "2.14",
        cases: int = 0,
        seed: int = 1,
        config: Document | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        thumbprint_header: str | None = None,
    ) -> None:
        self.config = config or gambella()
        self.faults = Faults()
        self.primero = Primero(
            self.config, profile=profile, clock=clock, random=random.Random(seed), faults=self.faults
        )
        self.dtp = Dtp(thumbprint_header=thumbprint_header, clock=clock)
        self.transport = SandboxTransport({PRIMERO_HOST: self.primero.answer, DTP_HOST: self.dtp.answer})
        make(self.primero.answer, caseload(cases, seed, clock().date()), passwords(self.config))

    @property
    def configuration(self) -> dict[str, Document]:
        """Credentials by name, in plain text: `{"primero": {…}, "progres": {…}}`."""
        return {
            "primero": primero_credential(f"https://{PRIMERO_HOST}", self.config),
            "progres": progres_credential(f"https://{DTP_HOST}"),
        }


def primero_credential(url: str, config: Document) -> Document:
    """How the integration account reaches a stand-in of Primero."""
    return {"url": url, "user": INTEGRATION_USER, "password": passwords(config)[INTEGRATION_USER]}


def progres_credential(url: str) -> Document:
    """How DTP is reached below a base address, without a client certificate."""
    return {
        "transport": "dtp",
        "referral_url": f"{url}/{REFERRALS}",
        "decision_url": f"{url}/{DECISIONS}",
        "subscription_key": PRIMARY_KEY,
        "secondary_subscription_key": SECONDARY_KEY,
    }


def passwords(config: Document) -> dict[str, str]:
    """The passwords of a configuration's accounts by user name; those without one never log in and are left out."""
    return {user["user_name"]: user["password"] for user in config["users"] if user.get("password")}
