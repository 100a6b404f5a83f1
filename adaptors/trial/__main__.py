"""Starts a trial: the sandbox, with synthetic children for a project's own jobs to come."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from adaptors.sandbox.control import Controls
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.inprocess import Sandbox
from adaptors.sandbox.listening import ListeningSandbox, until_told_to_stop
from adaptors.sandbox.snapshot import Snapshot
from adaptors.trial.trial import Trial


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; 0, or 1 where a file can't be read, or a job script not be loaded."""
    options = _parser().parse_args(arguments)
    try:
        snapshot = Snapshot.read(options.snapshot)
        sandbox = Sandbox(profile=snapshot.profile, config=snapshot.configuration, thumbprint_header=THUMBPRINT_HEADER)
        trial = Trial(sandbox, json.loads(options.jobs.read_text("utf-8")))
    except Exception as error:
        sys.stderr.write(f"The trial can't start: {type(error).__name__}: {error}\n")
        return 1
    with ListeningSandbox(sandbox, told=_controls(trial)) as listening:
        listening.write_credentials(options.write)
        until_told_to_stop(listening.addresses)
    return 0


def _controls(trial: Trial) -> Controls:
    """`GET /sandbox/story` tells the steps, `POST /sandbox/story/NAME` lets one begin, `…/verdict` ends all."""
    steps = {("POST", f"/sandbox/story/{step['name']}"): partial(_begin, trial, step["name"]) for step in trial.steps}
    return {
        ("GET", "/sandbox/story"): lambda _: trial.steps,
        ("POST", "/sandbox/story/verdict"): trial.verdict,
        **steps,
    }


def _begin(trial: Trial, step: str, _: object) -> object:
    return trial.before(step)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m adaptors.trial", description=__doc__)
    parser.add_argument("--snapshot", type=Path, required=True, help="the forms, look-ups and users of a Primero")
    parser.add_argument("--jobs", type=Path, required=True, help='{"job": {"script": PATH, "message": FILTER}, …}')
    parser.add_argument("--write", type=Path, required=True, help="a folder for the credentials of the runner")
    return parser


if __name__ == "__main__":
    sys.exit(main())
