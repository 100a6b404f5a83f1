"""docs/inbox-openapi.yaml says what the code does."""

from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from inboxes import Inbox

from runner.inbox.answers import REFUSALS
from runner.inbox.app import HEALTH, PATH, READY
from runner.inbox.settings import Limits, Settings

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENT = yaml.safe_load((DOCS / "inbox-openapi.yaml").read_text("utf-8"))


def test_paths_and_methods(tmp_path):
    """The document has the paths and methods of the code, and no others."""
    with Inbox(tmp_path) as inbox:
        served = {route.path: {method.lower() for method in route.methods} - {"head"} for route in inbox.app.routes}
    assert {PATH: {"post"}, HEALTH: {"get"}, READY: {"get"}} == served
    assert served == {path: set(methods) for path, methods in DOCUMENT["paths"].items()}


def test_codes():
    """The document has every status and code of the code, and no others."""
    by_status = defaultdict(list)
    for code, status in REFUSALS.items():
        by_status[str(status)].append(code)
    documented = {
        status: answer["content"]["application/json"]["schema"].get("properties", {}).get("code", {}).get("enum")
        for status, answer in DOCUMENT["paths"][PATH]["post"]["responses"].items()
    }
    assert documented.pop("202") is None
    assert {status: sorted(codes) for status, codes in by_status.items()} == documented


@pytest.mark.parametrize("status", ["429", "503"])
def test_retry_after(status):
    """The document promises Retry-After where waiting helps."""
    assert "Retry-After" in DOCUMENT["paths"][PATH]["post"]["responses"][status]["headers"]


def test_contract_tells_the_limits():
    """The page for UNHCR states the limits that hold when the project file says nothing."""
    page = (DOCS / "inbox-contract.md").read_text("utf-8")
    limits = Limits()
    assert (1_048_576, 20_000) == (limits.size, limits.keys)
    assert (
        f"1 MiB, {limits.parts} interventions, {limits.depth} levels, 20 000 names, "
        f"{limits.seconds} seconds for the body, {Settings().rate} messages a minute"
    ) in page
