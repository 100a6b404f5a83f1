"""`runner run`: one job, once, now."""

from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

from runner import execute, jobscript, precautions, progress, project, provenance, report, statefile
from runner.commands.times import moment
from runner.errors import WrongUse
from runner.golive import permission
from runner.logs.silence import aloud, silence
from runner.outcome import Run
from runner.places import Places
from runner.start import Start
from runner.statefile import State
from runner.store import Store


def run(arguments: Namespace) -> int:
    """Run the job that the command line names, report on it, and give the exit code."""
    result = perform(arguments)
    _tell(result, arguments)
    return result.exit_code


def perform(arguments: Namespace) -> Run:
    """Run the job that the command line names."""
    _refuse_contradictions(arguments)
    places = Places.of(arguments)
    start = Start.of(arguments, places)
    job = start.job
    script = jobscript.load(job.script, job.name)
    steps = execute.choose(script, arguments.only, arguments.start, arguments.end)
    with (
        nullcontext() if arguments.memory else places.store() as store,
        precautions.turn(store, job),
        precautions.subjects(store, places, job, start.state.get("data")),
    ):
        if arguments.move_cursor and store:
            precautions.refuse_doubtful_cursor(store, job)
        made_of = provenance.provenance(project.load(places.project)) if start.in_project else provenance.UNKNOWN
        permission.refuse_held(store, places, made_of)
        if store:
            precautions.record(store, job, made_of, arguments)
        _set_cursor(start.state, job.name, arguments.since, store)
        state = execute.initial_state(
            start.state, start.configuration, store=store, delivers_to=job.delivers_to,
            scheduled=job.name if job.is_scheduled else None, dry_run=arguments.dry_run,
        )  # fmt: skip
        with progress.shown(state["outcomes"], len(steps)) as watch:
            timeout = arguments.timeout or job.timeout
            hush = aloud if arguments.show_prints else silence
            result = execute.execute(script, state, steps=steps, timeout=timeout, watch=watch, hush=hush)
        if arguments.move_cursor and store and result.cursor:
            store.move_cursor(job.name, result.cursor)
    return result


def _refuse_contradictions(arguments: Namespace) -> None:
    partly = arguments.only or arguments.start or arguments.end
    if arguments.only and (arguments.start or arguments.end):
        raise WrongUse("--only goes with neither --start nor --end", fix="Use one of them.")
    if arguments.move_cursor and (partly or arguments.dry_run or arguments.memory):
        raise WrongUse(
            "--move-cursor is for whole runs that send and remember",
            fix="Leave it out, or leave out --dry-run, --memory, --only, --start and --end.",
        )
    if arguments.output:
        statefile.check_writable(Path(arguments.output))


def _set_cursor(given: State, job: str, since: str | None, store: Store | None) -> None:
    if since:
        given["cursor"] = moment(since, "--since")
    elif "cursor" not in given and store and (kept := store.cursor(job)):
        given["cursor"] = kept


def _tell(result: Run, arguments: Namespace) -> None:
    left_out = statefile.write(Path(arguments.output), result.state) if arguments.output else []
    if arguments.json:
        report.print_document(report.run_document(result))
    else:
        report.print_lines(report.run_lines(result))
    if result.printed:
        report.print_note(f"the job printed {result.printed} line(s); dropped, since they may hold data")
    if left_out:
        report.print_note(f"not written to {arguments.output}, since it isn't plain data: {', '.join(left_out)}")
    if result.error:
        report.print_error(result.error)
