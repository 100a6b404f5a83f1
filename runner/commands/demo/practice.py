"""`runner demo --keep` and `--resume`: a service with a day behind it to practise on, and the same at work again."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner import report
from runner.commands.demo import day
from runner.commands.demo.evidence import look
from runner.commands.demo.kept import Kept
from runner.commands.demo.process import ended_in_order
from runner.commands.demo.service import serving, told_by
from runner.commands.demo.standins import stand_ins
from runner.errors import RunnerError, WrongUse
from runner.store import Store

_SANDBOX = ("adaptors.sandbox", "--day", "--seed", "7")
_SOON = ("--days", "20")  # until certificates end: somebody should see that coming
_STILL_HELD_BACK = 4  # tries to open a case
_PEOPLE = ("--cases", "20")
_ONCE = "Passwords and authenticators are shown this once; runner console add-user makes an account anew."


def keep(folder: Path, original: Path, *, as_json: bool) -> int:
    """Let a day pass in a new folder, tell what happened and who may sign in; 1 when a child was found in what the
    service wrote, else 0.

    `original` is the project file that is copied. Raises WrongUse for a folder that isn't empty, RunnerError where
    something doesn't go as it should.
    """
    kept = Kept.new(folder, original)
    now = datetime.now(UTC).replace(microsecond=0)
    with ended_in_order(), stand_ins(folder, kept.credentials, (*_SANDBOX, *_SOON, *_PEOPLE)) as far_sides:
        accounts = _accounts(kept, day.begin_of(now))
        happened = day.play(kept, far_sides, now=now)
        kept.keep(far_sides.holdings())
        searched = look("after the day", kept.written, far_sides.children())
    left = told_by(kept.project, "status")["needs_a_look"]
    if as_json:
        document = {"folder": str(folder), "happened": happened, "needs_a_look": left, "accounts": accounts}
        report.print_document({**document, "search": searched.document})
    else:
        report.print_lines([f"{each['time']}  {each['says']}" for each in happened])
        report.print_lines(_left(folder, left, accounts))
    return 1 if searched.found else 0


def resume(folder: Path, *, as_json: bool) -> int:
    """Run the service of a kept folder, with its console, and the far sides as they were left, until Ctrl-C; 0.

    Raises WrongUse for a folder that was not kept, RunnerError where something doesn't start, or ends by itself.
    """
    kept = Kept.of(folder)
    with ended_in_order(), stand_ins(folder, kept.credentials, (*_SANDBOX, *_SOON)) as far_sides:
        far_sides.take_back(kept.holdings)
        far_sides.hold_back(True, _STILL_HELD_BACK)
        with serving(kept.project, "--console") as service:
            told = service.told
            report.print_lines([json.dumps(told)] if as_json else _at_work(told))
            try:
                service.running.wait()
            except KeyboardInterrupt:
                service.stop()
            else:
                fix = f"Read {folder / 'logs' / 'service.txt'}."
                raise RunnerError("the service ended by itself", fix=fix)
        kept.keep(far_sides.holdings())
    return 0


def _accounts(kept: Kept, now: datetime) -> list[dict[str, str]]:
    try:
        from runner.console import accounts  # here, since who only plays the demo needs nothing of it
    except ImportError:
        fix = "make setup installs it: the extra console."
        raise WrongUse("the console needs argon2-cffi and jinja2, which are not installed", fix=fix) from None
    with Store.open(kept.data, now=lambda: now, who="installer") as store:
        made = {role: accounts.make(store, role, role, now=now) for role in accounts.ROLES}
    return [
        {"name": name, "role": name, "password": password, "authenticator": address}
        for name, (password, address) in made.items()
    ]


def _left(folder: Path, needs_a_look: Iterable[str], accounts: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield from ("", "What is left for a person, says runner status:")
    yield from (f"  {each}" for each in needs_a_look)
    yield from ("", "Who may sign in to the console:")
    for account in accounts:
        yield f"  {account['name']:<14} {account['password']}  {account['authenticator']}"
    yield from (_ONCE, "", "What to type next:")
    yield f"  runner demo --resume {folder}    the service with its console, until Ctrl-C"
    yield f"  cd {folder} && runner status     and the other commands; docs/training.md has exercises"


def _at_work(told: dict[str, Any]) -> Iterator[str]:
    yield f"console at {told['console']}"
    yield f"inbox at {told['url']}/inbox"
    yield "Ctrl-C ends it; what was done stays in the folder."
