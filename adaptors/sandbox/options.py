"""What may be said on the command line of the sandbox."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adaptors.sandbox.primero.profiles import PROFILES
from adaptors.sandbox.snapshot import Snapshot

_DESCRIPTION = """\
Start stand-ins of Primero and of DTP, UNHCR's gateway, on 127.0.0.1. When they are ready, one line of JSON tells their
addresses. They hold everything in memory, and end with Ctrl-C or SIGTERM. All people in them are invented."""

_EXAMPLES = """\
examples:
  python -m adaptors.sandbox --cases 20 --write credentials     both, twenty cases, credentials for the runner
  python -m adaptors.sandbox --profile 2.15 --latency 0.5       a newer Primero, each answer half a second late
  python -m adaptors.sandbox --snapshot snapshot.json --write credentials
                                                                both, with the forms and users of a country's Primero
  python -m adaptors.sandbox --primero-only --config seed.json --empty --http 8080
                                                                Primero alone, somebody's configuration

A running stand-in takes orders under /sandbox/; adaptors/sandbox/control.py lists them."""


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, checked; `config` comes as one document, or `None`. Ends the process when they are wrong.

    >>> read_options(["--cases", "20", "--seed", "7"]).cases
    20
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.primero_only and options.write:
        parser.error("--write needs both stand-ins: leave out --primero-only")
    if not options.primero_only and (options.config or options.http is not None):
        parser.error("--config and --http are for Primero alone: add --primero-only")
    if (options.config or options.snapshot) and options.cases:
        parser.error("--cases needs the sandbox's own forms and accounts: leave out --config and --snapshot")
    if options.config and options.snapshot:
        parser.error("--snapshot is a configuration of its own: leave out --config")
    try:
        options.config = merged(json.loads(path.read_text("utf-8")) for path in options.config)
        if options.snapshot:
            snapshot = Snapshot.read(options.snapshot)
            options.config, options.profile = snapshot.configuration, snapshot.profile
    except (OSError, ValueError) as error:
        parser.error(f"{'--snapshot' if options.snapshot else '--config'} can't be read: {error}")
    return options


def merged(documents: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """One configuration of several, the later ones on top; lists are replaced. `None` where there are none.

    >>> merged([{"system_settings": {"locale": "en"}}, {"system_settings": {"config_update_lock": True}}])
    {'system_settings': {'locale': 'en', 'config_update_lock': True}}
    """
    result: dict[str, Any] = {}
    for document in documents:
        result = _laid_over(result, document)
    return result or None


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: _laid_over(below.get(key), value) for key, value in above.items()}}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m adaptors.sandbox",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--profile", choices=PROFILES, default="2.14", help="the version of Primero (%(default)s)")
    filling = parser.add_mutually_exclusive_group()
    filling.add_argument("--cases", type=_count, default=0, metavar="N", help="so many invented children (none)")
    filling.add_argument("--empty", dest="cases", action="store_const", const=0, help="no cases")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which children (%(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="delay every answer")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write credentials for the runner into a folder")
    parser.add_argument(
        "--snapshot", type=Path, metavar="FILE", help="forms, look-ups, users and version of a country's own Primero"
    )
    parser.add_argument("--port", type=_count, default=0, help="Primero's port, HTTPS (any that is free)")
    parser.add_argument("--dtp-port", type=_count, default=0, metavar="PORT", help="DTP's port, HTTPS (any)")
    parser.add_argument(
        "--days", type=_count, default=90, metavar="N", help="certificates are good for so many days (%(default)s)"
    )
    parser.add_argument("--day", action="store_true", help="tell the story of a day for training, not the demo's")
    alone = parser.add_argument_group("Primero alone, on plain HTTP")
    alone.add_argument("--primero-only", action="store_true", help="no DTP, no TLS")
    alone.add_argument("--http", type=_count, metavar="PORT", help="its port (any that is free)")
    alone.add_argument(
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="SEED.json",
        help="modules, forms, roles and accounts other than the sandbox's own; a second one is laid over the first",
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return int(text)
