"""What may be said after the commands that ask the service about something, or tell it to."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from typing import Any

from runner.logs.audit import CHECKLIST, EVENTS

_STATUSES = ("pending", "parked", "dead", "quarantined", "refused", "succeeded", "expired", "discarded")


def add(commands: Any, add_places: Callable[[ArgumentParser], None]) -> None:
    """Add these commands to the parsers of a command line; `add_places` adds what all commands have."""

    def parser(of: Any, name: str, help: str) -> ArgumentParser:
        added: ArgumentParser = of.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.",
                                              allow_abbrev=False)  # fmt: skip
        add_places(added)
        return added

    def actions(name: str, help: str) -> Any:
        group = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", allow_abbrev=False)
        return group.add_subparsers(dest="action", metavar="ACTION", required=True)

    parser(commands, "status", "show what waits, what is due, and what needs a look (then exit with 4)")
    alerts = actions("alerts", "who is told of what needs a look")
    parser(alerts, "list", "show what needs a look now, the gravest first (then exit with 4)")
    tested = parser(alerts, "test", "send a test to each recipient, and say what came back (exit with 4 if one failed)")
    tested.add_argument("recipient", metavar="NAME", nargs="?", help="this one only")
    _add_console(actions("console", "who may sign in to the console"), parser)
    inbox = actions("inbox", "the messages that were posted, without what is in them")
    listed = parser(inbox, "list", "show the last messages")
    listed.add_argument("--status", choices=_STATUSES, help="only those with this status")
    _add_limit(listed)
    shown = parser(inbox, "show", "show what became of one message")
    shown.add_argument("id", metavar="ID", help="of a message, or of one of its units of work")
    runs = actions("runs", "what was run")
    listed = parser(runs, "list", "show the last runs")
    listed.add_argument("--job", metavar="JOB", help="only those of this job")
    _add_limit(listed)
    parser(runs, "show", "show one run with its items").add_argument("id", metavar="ID", help="of the run")
    known = parser(commands, "find", "show what became of a referral: what waits, what was done, and what was sent")
    known.add_argument("id", metavar="ID", help="its number, or that of its case or child, in any of the systems")
    parser(commands, "parked", "show what a person must settle (then exit with 4)")
    _add_release(parser(commands, "retry", "try again what is parked or dead, and route anew what no job waited for"))
    discard = parser(commands, "discard", "erase what is parked or dead, or what no job waits for")
    discard.add_argument("id", metavar="ID", help="of a unit of work, a message, or a parked record")
    discard.add_argument("--reason", metavar="TEXT", required=True, help="why, in words without data")
    logs = actions("logs", "what the service tells of itself")
    inventory = parser(logs, "inventory", "show every event and field that the log can hold")
    inventory.add_argument("--csv", action="store_true", help="as a table for a spreadsheet")
    keyed = parser(logs, "keyed", "show how an id appears in the log, so that it can be looked for")
    keyed.add_argument("id", metavar="ID", help="the id, as a system or a person names it")
    certificates = actions("cert", "the certificates that we show to far sides and to senders")
    shown = parser(certificates, "show", "show what they say, and the thumbprints to hand over")
    shown.add_argument("--colons", action="store_true", help="write thumbprints with colons")
    parser(certificates, "check", "tell what is wrong with them, or soon will be (then exit with 4)")
    _add_request(parser(certificates, "request", "make a new private key, and a request for its certificate"))
    scan = parser(commands, "scan", "look for secrets and data of people in the project's files (then exit with 4)")
    scan.add_argument("path", metavar="PATH", nargs="?", help="the folder; that of the project file if not given")
    scan.add_argument("--history", action="store_true", help="look into everything that git has ever kept, too")
    log = actions("audit", "the log of who did what")
    _add_audit_show(parser(log, "show", "show its entries, the oldest first"))
    verified = parser(log, "verify", "tell whether it is as it was written (else exit with 4)")
    verified.add_argument("--checkpoint", metavar="FILE", action="append", help="compare it with this checkpoint, too")
    signed = parser(log, "checkpoint", "sign how many entries there are, and the hash of the last")
    signed.add_argument("target", metavar="FILE", nargs="?", help="a new file or a folder; else it is printed")
    erased = parser(commands, "erase", "erase what is known of a person; what was sent isn't sent again")
    erased.add_argument(
        "--subject", metavar="ID", action="append", required=True,
        help="an id of the person, their case or a referral, in any of the systems; may be given several times",
    )  # fmt: skip
    copied = parser(commands, "backup", "write what jobs need to go on into a file, without payloads")
    copied.add_argument("file", metavar="FILE", help="a new file; keep it as safe as the data directory")
    restored = parser(commands, "restore", "make a new data directory from a backup")
    restored.add_argument("file", metavar="FILE", help="that backup has made")
    _add_init(commands)
    _add_check(commands, parser)
    _add_mapping(actions("mapping", "the specification of the exchanges, made from the job scripts"), parser)
    stores = actions("store", "the data directory")
    purged = parser(stores, "purge", "delete what is older than retention says")
    purged.add_argument("--dry-run", action="store_true", help="count only")
    migrated = parser(stores, "migrate", "move everything from the data directory's file into PostgreSQL")
    migrated.add_argument("--to", metavar="ADDRESS", required=True, help="postgresql://USER@HOST/DATABASE, no password")
    _add_golive(parser(commands, "golive", "go through the go-live checklist, until it is passed (then exit with 0)"))
    schedules = actions("schedule", "when the scheduled jobs begin, and whether they do")
    parser(schedules, "list", "show the schedules in words, and which are switched off")
    for name, help in (("on", "let a schedule start its job again"), ("off", "let a schedule start its job no more")):
        _add_switch(parser(schedules, name, help))
    cursors = actions("cursor", "how far the scheduled jobs have read")
    parser(cursors, "show", "show the cursor of each scheduled job")
    moved = parser(cursors, "set", "let a job read from another time on")
    moved.add_argument("job", metavar="JOB", help="the job's name")
    moved.add_argument("time", metavar="TIME", help="such as 2026-03-01T00:00:00Z")


def _add_check(commands: Any, parser: Callable[[Any, str, str], ArgumentParser]) -> None:
    checked = parser(commands, "check", "hold the project against credentials and live systems (then exit with 4)")
    checked.add_argument("--offline", action="store_true", help="against the snapshot, without network or credentials")
    checked.add_argument("--snapshot", metavar="FILE", help="with --offline: which (snapshot.json beside the project)")
    asked = parser(commands, "snapshot", "write down what the live systems tell of their forms, for version control")
    asked.add_argument("-o", "--output", metavar="FILE", help="the file (snapshot.json beside the project)")


def _add_console(group: Any, parser: Callable[[Any, str, str], ArgumentParser]) -> None:
    made = parser(group, "add-user", "make an account, or make it anew, and show its password and second factor once")
    made.add_argument("name", metavar="NAME", help="whose it is, in small letters; the audit log names them by it")
    made.add_argument(
        "--role", required=True, choices=("viewer", "operator", "administrator"),
        help="viewer: look; operator: also retry and discard; administrator: everything",
    )  # fmt: skip
    ended = parser(group, "end-user", "end an account and its sessions, at once")
    ended.add_argument("name", metavar="NAME", help="whose it is")
    parser(group, "list", "show the accounts")


def _add_init(commands: Any) -> None:
    made = commands.add_parser(
        "init", help="make the folder of a new country, and check it (exit with 4 while something is to be filled in)",
        description="Make the folder jobs/COUNTRY: project file, jobs and credentials.", allow_abbrev=False,
    )  # fmt: skip
    made.add_argument("country", metavar="COUNTRY", help="the folder's name, and the project's")
    made.add_argument("--answers", metavar="FILE", help="a YAML file of answers; jobs/questions.yaml is what is asked")
    made.add_argument(
        "--answer", metavar="NAME=VALUE", action="append", default=[], help="one answer; may be given several times"
    )
    made.add_argument("--project", metavar="FILE", help="the project file to begin from (project.yaml)")
    made.add_argument("--json", action="store_true", help="print one JSON document")


def _add_mapping(group: Any, parser: Callable[[Any, str, str], ArgumentParser]) -> None:
    shown = parser(group, "show", "show what goes where, by which rule and value table")
    exported = parser(group, "export", "write it into a file that people read and sign")
    exported.add_argument("file", metavar="FILE", help="that ends in .xlsx, .csv, .md or .html")
    for each in (shown, exported):
        each.add_argument("--job", metavar="JOB", help="only this job")
        each.add_argument("--snapshot", metavar="FILE", help="take the fields' labels and forms from it")
    compared = parser(group, "diff", "show what differs between two versions (then exit with 4)")
    compared.add_argument(
        "old", metavar="OLD", nargs="?",
        help="a workbook, a job script, a project file, REV:PATH or REV; else what the project file calls signed",
    )  # fmt: skip
    compared.add_argument("new", metavar="NEW", nargs="?", help="the same; the project as it is, if not given")
    compared.add_argument("-o", "--output", metavar="FILE", help="write a workbook (.xlsx) with the changes in colour")
    returned = parser(group, "import", "show what an edited workbook asks for, as a diff; nothing is written")
    returned.add_argument("file", metavar="FILE", help="the workbook (.xlsx), edited by people")
    returned.add_argument("-o", "--output", metavar="FILE", help="write the diff into a file as well, for git apply")


def _add_request(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the files, NAME.key and NAME.csr, among the credentials")
    parser.add_argument("--common-name", metavar="TEXT", required=True, help="whose certificate it will be")
    parser.add_argument("--organisation", metavar="TEXT", help="of which organisation")
    parser.add_argument("--rsa", action="store_true", help="make an RSA key of 3072 bits, not one on the curve P-256")
    parser.add_argument(
        "--host", metavar="NAME", action="append", default=[], help="for the inbox: a name that senders reach it by"
    )


def _add_golive(parser: ArgumentParser) -> None:
    parser.add_argument(
        "action", metavar="ACTION", nargs="?", choices=("rehearse", "sign", "override", "record"),
        help="rehearse: as runner rehearse; sign: a row; override: let jobs run; record: of processing; else all rows",
    )  # fmt: skip
    parser.add_argument("row", metavar="ROW", nargs="?", choices=CHECKLIST, help="with sign: K1 to K9")
    parser.add_argument("--name", metavar="NAME", help="with sign: the officer who confirms it; it is kept for good")
    parser.add_argument(
        "--on", metavar="DAY", type=date.fromisoformat, help="with sign: when, such as 2026-03-01; today"
    )
    parser.add_argument("--reason", metavar="TEXT", help="with override: why, in words without data; kept for good")


def _add_audit_show(parser: ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="only what was done since, such as 2026-03-01T00:00:00Z")
    parser.add_argument("--event", choices=sorted(EVENTS), metavar="EVENT", help="only this event")
    parser.add_argument("--csv", action="store_true", help="as a table for a spreadsheet; that is an entry as well")


def _add_switch(switched: ArgumentParser) -> None:
    switched.add_argument("job", metavar="JOB", help="the job's name")
    switched.add_argument("--reason", metavar="TEXT", required=True, help="why, in words without data; kept for good")


def _add_limit(parser: ArgumentParser) -> None:
    parser.add_argument("--limit", metavar="NUMBER", type=int, default=50, help="how many (50)")


def _add_release(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="of a unit of work, a record, or a quarantined message")
    parser.add_argument("--all", action="store_true", help="all that have the code")
    parser.add_argument("--code", metavar="CODE", help="with --all: why they are parked or dead, or: quarantined")
