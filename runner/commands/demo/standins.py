"""The stand-ins of both far sides: what they are asked, and told to do."""

import json
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from runner.commands.demo.process import process
from runner.errors import RunnerError

_STORY = ("adaptors.sandbox", "--cases", "20", "--seed", "7")
_PATIENCE = 60.0  # seconds
_NO_NEW_CASE = {"kind": "bad_gateway", "method": "POST", "path": "/api/v2/cases"}


class StandIns:
    """Those of Primero and DTP, as they listen at two addresses; the story is told by the first.

    Raises RunnerError where one doesn't do what it is told.
    """

    def __init__(self, addresses: dict[str, str], opener: OpenerDirector) -> None:
        self._addresses = addresses
        self._opener = opener

    def steps(self) -> list[dict[str, Any]]:
        """What the story tells, in order."""
        return list(self._ask("primero", "story"))

    def begin(self, step: str) -> dict[str, Any]:
        """Let happen what comes before a step; gives the `message` with which it begins, if it does with one."""
        return dict(self._ask("primero", f"story/{step}", {}))

    def verdict(self, items: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
        """What a trial found, told what became of the records of each job."""
        return dict(self._ask("primero", "story/verdict", items))

    def table(self) -> list[dict[str, str]]:
        """Who holds what now."""
        return list(self._ask("primero", "story/table"))

    def children(self) -> dict[str, list[str]]:
        """The texts by which each child of the story could be known."""
        return dict(self._ask("primero", "story/children"))

    def holdings(self) -> Any:
        """All that both far sides hold."""
        return self._ask("primero", "story/holdings")

    def take_back(self, holdings: dict[str, Any]) -> None:
        """Let Primero hold what it held before."""
        self._ask("primero", "cases", {name: holdings[name] for name in ("cases", "referrals")})

    def hold_back(self, held: bool, times: int | None = None) -> None:
        """Let Primero open no new case, so many `times` or until it is told otherwise; or any again."""
        self._ask("primero", "faults", [{**_NO_NEW_CASE, "count": times}] if held else [])

    def post_to(self, url: str, key: str, ca_file: Path) -> None:
        """Tell DTP where our inbox is."""
        self._ask("dtp", "inbox", {"url": url, "key": key, "ca_file": str(ca_file)})

    def post(self, message: Any) -> dict[str, Any]:
        """Let DTP post a message to our inbox; gives the receipt."""
        return dict(self._ask("dtp", "messages", message))

    def _ask(self, which: str, path: str, order: Any = None) -> Any:
        body = None if order is None else json.dumps(order).encode()
        request = Request(f"{self._addresses[which]}/sandbox/{path}", body, method="POST" if body else "GET")
        try:
            with self._opener.open(request, timeout=_PATIENCE) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                why = json.load(error).get("error")
        except OSError as error:
            why = str(error)
        raise RunnerError(f"the stand-in of {which}, told to do {path}: {why}", fix="Try again: make demo")


@contextmanager
def stand_ins(folder: Path, credentials: Path, module: Sequence[str] = _STORY) -> Iterator[StandIns]:
    """Start them; they write what leads to them into the folder `credentials`, and end with the block.

    `module` is the one that tells the story, and its arguments.
    """
    command = [sys.executable, "-m", *module, "--write", str(credentials)]
    with process(command, says=folder / "stand-ins.txt", temporary=folder) as running:
        tls = ssl.create_default_context(cafile=str(credentials / "ca.pem"))
        tls.load_cert_chain(credentials / "client.pem", credentials / "client.key")
        yield StandIns(running.told, build_opener(ProxyHandler({}), HTTPSHandler(context=tls)))
