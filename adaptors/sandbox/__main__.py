"""Starts the sandbox: `python -m adaptors.sandbox -h` tells how."""

from __future__ import annotations

import argparse
import sys

from adaptors.sandbox.control import controls_of, primero_with_control
from adaptors.sandbox.day import Day
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.faults import Fault
from adaptors.sandbox.inprocess import Sandbox
from adaptors.sandbox.listening import ListeningSandbox, until_told_to_stop
from adaptors.sandbox.options import read_options
from adaptors.sandbox.serve import Listener


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit status: 0, or 1 when a port or the folder can't be had."""
    options = read_options(arguments)
    sandbox = Sandbox(
        profile=options.profile,
        cases=options.cases,
        seed=options.seed,
        config=options.config,
        thumbprint_header=THUMBPRINT_HEADER,
    )
    if options.latency:
        for faults in (sandbox.faults, sandbox.dtp.faults):
            faults.add(Fault("latency", count=None, seconds=options.latency))
    try:
        _serve_primero(sandbox, options) if options.primero_only else _serve_both(sandbox, options)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"The sandbox can't start: {error}\n")
        return 1
    return 0


def _serve_primero(sandbox: Sandbox, options: argparse.Namespace) -> None:
    with Listener(primero_with_control(sandbox), port=options.http or 0) as listener:
        until_told_to_stop({"primero": listener.url})


def _serve_both(sandbox: Sandbox, options: argparse.Namespace) -> None:
    told = controls_of(Day(sandbox)) if options.day else None
    ports = {"primero_port": options.port, "dtp_port": options.dtp_port}
    with ListeningSandbox(sandbox, told=told, days=options.days, **ports) as listening:
        if options.write:
            listening.write_credentials(options.write)
        until_told_to_stop({**listening.addresses, "credentials": options.write and str(options.write)})


if __name__ == "__main__":
    sys.exit(main())
