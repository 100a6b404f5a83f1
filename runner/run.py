"""`runner run`: one job, once, now."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from runner import credentials, execute, golive, jobscript, progress, project, provenance, report, statefile
from runner.errors import UnreadableFile, WrongUse
from runner.inbox.routing import route
from runner.outcome import Run
from runner.places import Places
from runner.silence import aloud, silence
from runner.statefile import State
from runner.store import Store
from runner.triggers import matches
from runner.vault import Vault


def run(arguments: Namespace) -> int:
    """Run the job that the command line names, report on it, and give the exit code."""
    result = perform(arguments)
    _tell(result, arguments)
    return result.exit_code


def perform(arguments: Namespace) -> Run:
    """Run the job that the command line names."""
    _refuse_contradictions(arguments)
    places = Places.of(arguments)
    job, in_project = _find_job(arguments.job, places.project, project_given=bool(arguments.project))
    given = _given_state(arguments, job)
    stated = _stated(job, given.pop("configuration", None), arguments, in_project)
    configuration = _configuration(job, places.credentials, stated, in_project)
    if arguments.show_prints:
        _refuse_real_people(configuration)
    script = jobscript.load(job.script, job.name)
    steps = execute.choose(script, arguments.only, arguments.start, arguments.end)
    with (
        nullcontext() if arguments.memory else Store.open(places.data) as store,
        _turn(store, job),
        _subjects(store, places, job, given.get("data")),
    ):
        scheduled = job.name if job.is_scheduled else None
        if arguments.move_cursor and store and scheduled and store.in_doubt(scheduled):
            raise WrongUse(
                "a backup was restored, and what this job reads now can't be vouched for",
                fix="Let the service run it once, which parks that, or leave out --move-cursor.",
            )
        made_of = provenance.provenance(project.load(places.project)) if in_project else provenance.UNKNOWN
        golive.refuse_held(store, places, made_of)
        if store:
            _audit(store, job, made_of, arguments)
        _set_cursor(given, job.name, arguments.since, store)
        state = execute.initial_state(
            given, configuration, store=store, delivers_to=job.delivers_to, scheduled=scheduled,
            dry_run=arguments.dry_run,
        )  # fmt: skip
        with progress.shown(state["outcomes"], len(steps)) as watch:
            timeout = arguments.timeout or job.timeout
            hush = aloud if arguments.show_prints else silence
            result = execute.execute(script, state, steps=steps, timeout=timeout, watch=watch, hush=hush)
        if arguments.move_cursor and store and result.cursor:
            store.move_cursor(job.name, result.cursor)
    return result


def _audit(store: Store, job: project.Job, made_of: provenance.Provenance, arguments: Namespace) -> None:
    """A person runs a job: that is written down before it begins (R-AU3)."""
    store.record(
        "run_by_hand",
        now=datetime.now(UTC),
        job=job.name,
        code="dry_run" if arguments.dry_run else None,
        commit=made_of.version,
        configuration=made_of.configuration,
    )
    if arguments.output:
        store.record("state_exported", now=datetime.now(UTC), job=job.name)


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


def _refuse_real_people(configuration: State) -> None:
    """What a job prints may be shown in a rehearsal only (R-LG2)."""
    if not configuration or not all(credentials.leads_nowhere(each) for each in configuration.values()):
        raise WrongUse(
            "--show-prints is for stand-ins on this machine, since what is printed may be a child's",
            fix="Start them: python -m adaptors.sandbox --write DIR, and give --credentials DIR.",
        )


def _find_job(wanted: str, project_path: Path, *, project_given: bool) -> tuple[project.Job, bool]:
    """The job of that name or script, and whether the project knows it; a script needs no project."""
    by_path = wanted.endswith(".py") or "/" in wanted
    if by_path and not Path(wanted).is_file():
        raise UnreadableFile(f"there is no script {wanted}", fix="runner list shows the jobs of the project.")
    known = project.load(project_path).jobs if project_given or not by_path or project_path.exists() else {}
    if wanted in known:
        return known[wanted], True
    if not by_path:
        near = get_close_matches(wanted, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
        raise WrongUse(f"there is no job {wanted}", fix=hint)
    script = Path(wanted)
    same = next((job for job in known.values() if job.script.resolve() == script.resolve()), None)
    if same:
        return same, True
    return project.Job(script.stem, script, credentials={name: name for name in jobscript.systems(script)}), False


def _given_state(arguments: Namespace, job: project.Job) -> State:
    given = statefile.read(Path(arguments.state)) if arguments.state else {}
    if arguments.message:
        given["data"] = statefile.read(Path(arguments.message))
        filters = [trigger for trigger in job.triggers if trigger.kind == "message"]
        if filters and not any(matches(trigger, given["data"]) for trigger in filters):
            raise WrongUse(
                f"this message is not for {job.name}, which starts with {' or '.join(map(str, filters))}",
                fix="runner list shows which job a message is for.",
            )
    return given


def _stated(job: project.Job, given: Any, arguments: Namespace, in_project: bool) -> State:
    """The credentials that a state file gives, by name. OpenFn's give one, flat: it stands in for the job's first."""
    if not given:
        return {}
    named = dict.fromkeys(list(job.credentials)[:1], given)
    if isinstance(given, dict) and all(isinstance(values, dict) for values in given.values()):
        named = {name: values for name, values in given.items() if not in_project or name in job.credentials}
    folder = Path(arguments.state).parent
    return {name: credentials.resolve(values, folder) for name, values in named.items()}


def _configuration(job: project.Job, folder: Path, stated: State, in_project: bool) -> State:
    """One credential for each name that the job uses: what the state file gives, else from its own file.

    A script outside the project may do without the files: what it lacks, its operations will say.
    """
    configuration = dict(stated)
    for name, file in job.credentials.items():
        if name not in stated and (in_project or (folder / f"{file}.yaml").exists()):
            configuration[name] = credentials.load(folder, file)
    return configuration


@contextmanager
def _subjects(store: Store | None, places: Places, job: project.Job, message: Any) -> Iterator[None]:
    """Hold those whom a message is about, so that a service does nothing for them meanwhile (H18)."""
    parts = route(message, [replace(job, enabled=True)]) if isinstance(message, dict) else ()
    subjects = {part.subject for part in parts if part.subject}
    with ExitStack() as held:
        if store and subjects:
            vault = Vault(places.data / "keys", now=lambda: datetime.now(UTC))
            for name in sorted(map(vault.keyed, subjects)):
                held.enter_context(store.lock(f"subject/{name}"))
        yield


def _turn(store: Store | None, job: project.Job) -> AbstractContextManager[None]:
    """A scheduled job, or one that delivers, doesn't run beside itself: not beside a service either."""
    return store.lock(f"job/{job.name}") if store else nullcontext()


def _set_cursor(given: State, job: str, since: str | None, store: Store | None) -> None:
    if since:
        given["cursor"] = moment(since, "--since")
    elif "cursor" not in given and store and (kept := store.cursor(job)):
        given["cursor"] = kept


def moment(text: str, what: str) -> str:
    """A time that somebody gave, as a cursor is written. Raises WrongUse.

    >>> moment("2026-03-01T03:00:00+03:00", "--since")
    '2026-03-01T00:00:00Z'
    """
    fix = "Write it like 2026-03-01T00:00:00Z or 2026-03-01T03:00:00+03:00."
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"{what} is no time", fix=fix) from None
    if given.tzinfo is None:
        raise WrongUse(f"{what} has no time zone", fix=fix)
    return given.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
