"""What a run by hand starts with: the job that was named, its state, and its credentials."""

from argparse import Namespace
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from runner import credentials, jobscript, project, statefile
from runner.errors import UnreadableFile, WrongUse
from runner.places import Places
from runner.statefile import State
from runner.triggers import matches


@dataclass(frozen=True)
class Start:
    """A job, whether the project knows it, the state that was given for it, and its credentials by name.

    Example: `Start.of(arguments, Places.of(arguments)).job.name` is the name of the job that the command line names.
    """

    job: project.Job
    in_project: bool
    state: State = field(repr=False)
    configuration: State = field(repr=False)

    @classmethod
    def of(cls, arguments: Namespace, places: Places) -> "Start":
        """Take them from the command line, and from the files that it names. Raises WrongUse and UnreadableFile."""
        job, in_project = _find_job(arguments.job, places.project, project_given=bool(arguments.project))
        state = _given_state(arguments, job)
        stated = _stated(job, state.pop("configuration", None), arguments, in_project)
        configuration = _configuration(job, places.credentials, stated, in_project)
        if arguments.show_prints:
            _refuse_real_people(configuration)
        return cls(job, in_project, state, configuration)


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


def _refuse_real_people(configuration: State) -> None:
    """What a job prints may be shown in a rehearsal only (R-LG2)."""
    if not configuration or not all(credentials.leads_nowhere(each) for each in configuration.values()):
        raise WrongUse(
            "--show-prints is for stand-ins on this machine, since what is printed may be a child's",
            fix="Start them: python -m adaptors.sandbox --write DIR, and give --credentials DIR.",
        )
