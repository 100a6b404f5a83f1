"""What a person or a test may do to a running stand-in, under `/sandbox/`; no part of what Primero or DTP offer.

* `GET /sandbox/faults`: the switches as they were last set; `POST` puts others in their place:
  `[{"kind": "latency", "seconds": 2, "count": null}]`, see `adaptors.sandbox.faults`;
* `GET /sandbox/received` (DTP): all posts accepted (`received`), and what UNHCR holds in the end (`effects`);
* `POST /sandbox/refusals` (DTP): `{"way": "error_inside", "count": 1}`, see `Dtp.refuse`;
* `POST /sandbox/inbox` (DTP): `{"url": …, "key": …, "ca_file": …}`, where DTP posts messages from now on;
* `POST /sandbox/messages` (DTP): any message, which DTP posts there; the answer is the inbox's receipt;
* `POST /sandbox/cases` (Primero): `{"cases": [{…}], "referrals": [{…}]}`, see `Primero.load`;
* `GET /sandbox/story` (Primero): the steps of the demo's story; `POST /sandbox/story/NAME` lets one begin;
* `GET /sandbox/story/table` (Primero): who holds what now;
* `GET /sandbox/story/children` (Primero): what the story has told of each child, by the number of the referral;
* `GET /sandbox/story/holdings` (Primero): all that both stand-ins hold.

Listeners are on the loopback address only, which is all the guard that this needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, get_args

from adaptors.sandbox.dtp import Dtp, Way
from adaptors.sandbox.faults import KINDS, Fault, Faults
from adaptors.sandbox.inprocess import Sandbox
from adaptors.sandbox.posting import Inbox
from adaptors.sandbox.primero import Primero
from adaptors.sandbox.story import Story
from adaptors.sandbox.wire import Answer, Request, Response, json_response

Control = Callable[[Any], Any]
Controls = Mapping[tuple[str, str], Control]
_SWITCHES = ("kind", "count", "path", "method", "after", "seconds", "role", "loses")


def primero_with_control(sandbox: Sandbox, told: Controls | None = None) -> Answer:
    """The sandbox's Primero with its control paths in front; `told` are those of another story than the demo's."""
    return _with_control(
        sandbox.primero.answer,
        {
            **_faults(sandbox.faults),
            **(controls_of(Story(sandbox)) if told is None else told),
            ("POST", "/sandbox/cases"): lambda wish: _load(sandbox.primero, wish),
        },
    )


def dtp_with_control(sandbox: Sandbox) -> Answer:
    """The sandbox's DTP with its control paths in front."""
    dtp = sandbox.dtp
    return _with_control(
        dtp.answer,
        {
            **_faults(dtp.faults),
            ("GET", "/sandbox/received"): lambda _: _holdings(dtp),
            ("POST", "/sandbox/refusals"): lambda wish: _refuse(dtp, wish),
            ("POST", "/sandbox/inbox"): lambda wish: _post_to(dtp, wish),
            ("POST", "/sandbox/messages"): lambda message: _post(dtp, message),
        },
    )


def _with_control(answer: Answer, controls: Controls) -> Answer:
    def answer_or_control(request: Request) -> Response:
        if not request.path.startswith("/sandbox/"):
            return answer(request)
        control = controls.get((request.method, request.path))
        if control is None:
            return json_response(404, {"error": "no such control; see adaptors/sandbox/control.py"})
        try:
            return json_response(200, control(json.loads(request.body or b"null")))
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            return json_response(400, {"error": f"{type(error).__name__}: {error}"})

    return answer_or_control


def _faults(faults: Faults) -> dict[tuple[str, str], Control]:
    wanted: list[Any] = []

    def replace(switches: Any) -> list[Any]:
        new = [_fault(switch) for switch in switches]
        faults.clear()
        for fault in new:
            faults.add(fault)
        wanted[:] = switches
        return wanted

    return {("GET", "/sandbox/faults"): lambda _: wanted, ("POST", "/sandbox/faults"): replace}


def _fault(switch: dict[str, Any]) -> Fault:
    unknown = set(switch) - set(_SWITCHES)
    if unknown or switch["kind"] not in KINDS:
        raise ValueError(f"a switch has {', '.join(_SWITCHES)}; kinds are {', '.join(KINDS)}")
    return Fault(**switch)


def _holdings(dtp: Dtp) -> dict[str, Any]:
    received = [{**asdict(each), "time": each.time.isoformat()} for each in dtp.received]
    return {"received": received, "effects": [{"key": key, "body": body} for key, body in dtp.effects.items()]}


def _refuse(dtp: Dtp, wish: dict[str, Any]) -> dict[str, Any]:
    if wish["way"] not in get_args(Way):
        raise ValueError(f"ways are {', '.join(get_args(Way))}")
    dtp.refuse(wish["way"], int(wish.get("count", 1)))
    return wish


def _post_to(dtp: Dtp, wish: dict[str, Any]) -> dict[str, str]:
    dtp.inbox = Inbox(**wish)
    return {"url": dtp.inbox.url}


def _post(dtp: Dtp, message: Any) -> dict[str, Any]:
    if dtp.inbox is None:
        raise ValueError("DTP knows no inbox: POST /sandbox/inbox first")
    return dtp.inbox.post(message)


def controls_of(story: Story) -> Controls:
    """What may be asked of a story, and told to begin.

    Example: `ListeningSandbox(sandbox, told=controls_of(Day(sandbox)))`.
    """
    steps = {("POST", f"/sandbox/story/{step['name']}"): partial(_begin, story, step["name"]) for step in story.steps}
    return {
        ("GET", "/sandbox/story"): lambda _: story.steps,
        ("GET", "/sandbox/story/table"): lambda _: story.table(),
        ("GET", "/sandbox/story/children"): lambda _: story.children(),
        ("GET", "/sandbox/story/holdings"): lambda _: story.holdings(),
        **steps,
    }


def _begin(story: Story, step: str, _: Any) -> dict[str, Any]:
    return story.before(step)


def _load(primero: Primero, wish: dict[str, Any]) -> dict[str, int]:
    cases, referrals = wish.get("cases", []), wish.get("referrals", [])
    primero.load(cases, referrals)
    return {"cases": len(cases), "referrals": len(referrals)}
