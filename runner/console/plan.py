"""The plan: what project file and job scripts say that the service does, read once, when the console begins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner import dataflow, jobscript
from runner.errors import RunnerError
from runner.mapping.specification import Exchange, exchange
from runner.project import Job, Project

_WAITING, _INBOX = "waiting", "inbox"


@dataclass(frozen=True)
class Flow:
    """What one job carries. `takes` are the places that it takes from, each a kind and a name: `inbox`, a `system` that
    it reads, a `job` before it, or the answers `waiting` for a system; `gives` are the systems that it writes into.

    `exchange` is None where the script can't be loaded; then nobody can say what it carries.
    """

    job: str
    takes: tuple[tuple[str, str], ...] = ()
    gives: tuple[str, ...] = ()
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Plan:
    """`facts` are those of the project, `flows` its jobs by name; `configuration` is the hash of what runs, and
    `shown_ids` the ids that the log shows as they are."""

    facts: tuple[tuple[str, str | None], ...] = ()
    flows: Mapping[str, Flow] = field(default_factory=dict)
    configuration: str | None = None
    shown_ids: tuple[str, ...] = ()

    @property
    def exchanges(self) -> list[Exchange]:
        """The specification of each job whose script can be loaded."""
        return [flow.exchange for flow in self.flows.values() if flow.exchange]


def of(project: Project, configuration: str | None) -> Plan:
    """The plan of a project.

    >>> from pathlib import Path
    >>> of(Project(Path("project.yaml"), "north", {}), None).facts[0]
    ('Project', 'north')
    """
    facts = (("Project", project.name), ("Purpose", project.purpose), ("Agreement", project.agreement))
    flows = {job.name: _flow(job) for job in project.jobs.values()}
    shown = project.settings.get("log", {}).get("shown_ids", ())
    return Plan(facts, flows, configuration, tuple(shown))


def _flow(job: Job) -> Flow:
    try:
        script = jobscript.load(job.script, job.name)
    except RunnerError:
        return Flow(job.name)
    reads, writes = dataflow.systems(script)
    takes = (*dict.fromkeys(_started_by(job)), *(("system", name) for name in reads))
    return Flow(job.name, takes, writes, exchange(script))


def _started_by(job: Job) -> Iterator[tuple[str, str]]:
    for trigger in job.triggers:
        match trigger.kind:
            case "message":
                yield _INBOX, ""
            case "outbox":
                yield _WAITING, trigger.value
            case "success" | "failure":
                yield "job", trigger.value
