"""`runner console add-user|end-user|list`: who may sign in to the console."""

from argparse import Namespace
from datetime import UTC, datetime

from runner import report
from runner.errors import WrongUse
from runner.places import Places
from runner.store import Store

_COLUMNS = ("name", "role", "created", "ended")
_ONCE = "This is the only time that they are shown. Hand the password over by a safe channel, the address by another."


def run(arguments: Namespace) -> int:
    """Make, end or list accounts; 0. Raises WrongUse where there is no such account."""
    now = datetime.now(UTC)
    with Places.of(arguments).store() as store:
        match arguments.action:
            case "add-user":
                _add(store, arguments, now)
            case "end-user":
                if not store.end_account(arguments.name, now=now):
                    raise WrongUse("there is no such account", fix="runner console list shows them.")
                _list(store, arguments)
            case _:
                _list(store, arguments)
    return 0


def _add(store: Store, arguments: Namespace, now: datetime) -> None:
    try:
        from runner.console import accounts  # here, since who has no console needs nothing of it
    except ImportError:
        fix = "make setup installs it: the extra console."
        raise WrongUse("the console needs argon2-cffi and jinja2, which are not installed", fix=fix) from None
    password, address = accounts.make(store, arguments.name, arguments.role, now=now)
    if arguments.json:
        report.print_document({"name": arguments.name, "password": password, "authenticator": address})
    else:
        report.print_lines([f"password       {password}", f"authenticator  {address}"])
        report.print_note(_ONCE)


def _list(store: Store, arguments: Namespace) -> None:
    rows = [{name: getattr(account, name) for name in _COLUMNS} for account in store.accounts()]
    report.print_either(
        arguments.json, {"accounts": rows}, report.table(_COLUMNS, (list(row.values()) for row in rows))
    )
