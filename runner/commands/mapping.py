"""`runner mapping`: the specification that people sign, made from the job scripts, and compared with what came back."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner import project, report
from runner.errors import UnreadableFile, WrongUse
from runner.mapping import differences, tables, texts, versions, workbook
from runner.mapping.labels import Labels
from runner.mapping.pages import overview, pages
from runner.mapping.returned import TAKEN, Remark, Returned
from runner.mapping.returned import read as read_returned
from runner.mapping.specification import Exchange
from runner.mapping.tables import Entries
from runner.places import Places

_NEEDS_A_LOOK = 4


def run(arguments: Namespace) -> int:
    """Do one of the actions. `diff` exits with 4 when something differs, `import` when a person must look."""
    actions = {"show": _show, "export": _export, "diff": _diff, "import": _import}
    return actions[arguments.action](arguments, Places.of(arguments).project)


def _show(arguments: Namespace, project_file: Path) -> int:
    found = _chosen(arguments, project_file)
    report.print_either(arguments.json, {"exchanges": [each.document for each in found]}, texts.lines(found))
    return 0


def _export(arguments: Namespace, project_file: Path) -> int:
    target, of = Path(arguments.file), project.load(project_file)
    found = _chosen(arguments, project_file)
    facts = (("Project", of.name), ("Purpose", of.purpose), ("Agreement", of.agreement))
    shown, title = [overview(facts, found), *pages(found)], f"Mapping specification: {of.name}"
    if target.suffix == ".xlsx":
        content = workbook.written(shown)
    elif target.suffix == ".csv":
        content = texts.as_csv(found).encode("utf-8-sig")  # Excel takes CSV without its mark for another encoding
    elif target.suffix == ".md":
        content = texts.as_markdown(shown, title).encode()
    elif target.suffix == ".html":
        content = texts.as_html(shown, title).encode()
    else:
        raise WrongUse(f"{target} has no known ending", fix="Let it end in .xlsx, .csv, .md or .html.")
    _write(target, content)
    document = {"file": str(target), "exchanges": len(found), "rows": sum(len(each.rows) for each in found)}
    report.print_either(arguments.json, document, [f"{target}: {len(found)} exchanges, {document['rows']} rows"])
    return 0


def _diff(arguments: Namespace, project_file: Path) -> int:
    first = arguments.old or versions.signed(project.load(project_file))
    if first is None:
        nothing: dict[str, list[Any]] = {"changes": [], "remarks": []}
        report.print_either(arguments.json, nothing, ["nothing to compare with"])
        report.print_note("nothing was signed yet: the project file has no entry signed")
        return 0
    sides = [versions.named(name, project_file) for name in (first, arguments.new or str(project_file))]
    old, new = versions.comparable(sides[0].exchanges, sides[1].exchanges)
    changes = differences.changes(old, new)
    remarks = [remark for side in sides for remark in side.remarks]
    if arguments.output:
        _write(Path(arguments.output), workbook.written(differences.pages(old, new)))
    document = {"changes": [vars(change) for change in changes], "remarks": [vars(remark) for remark in remarks]}
    report.print_either(arguments.json, document, _change_lines(changes))
    for remark in remarks:
        report.print_note(str(remark))
    return _NEEDS_A_LOOK if changes or remarks else 0


def _change_lines(changes: list[differences.Change]) -> Iterator[str]:
    before = None
    for change in changes:
        if before != (before := change.job):
            yield change.job
        yield f"  {differences.sentence(change)}"
    if not changes:
        yield "nothing differs"


def _import(arguments: Namespace, project_file: Path) -> int:
    jobs = project.load(project_file).jobs
    now = {each.job: each for each in versions.of_project(project_file)}
    came = read_returned(Path(arguments.file))
    remarks = [*came.remarks, *_unknown(came, now), *_rows_edited(came, now)]
    diffs = [
        line
        for exchange in came.exchanges
        if exchange.job in now
        for line in _edits(jobs[exchange.job].script, project_file.parent, exchange, came)
    ]
    if arguments.output:
        _write(Path(arguments.output), "".join(f"{line}\n" for line in diffs).encode())
    if arguments.json:
        report.print_document({"diff": diffs, "remarks": [vars(remark) for remark in remarks]})
    else:
        report.print_lines(diffs)
        for remark in remarks:
            report.print_note(_told(remark))
        if not diffs:
            report.print_note("no change to make")
    return _NEEDS_A_LOOK if remarks else 0


def _edits(script: Path, folder: Path, exchange: Exchange, came: Returned) -> list[str]:
    """The change to make in one job script, as the lines of a diff."""
    before = tables.source(script)
    wanted: dict[str, Entries] = {}
    for table, held in tables.tables(before).items():
        if table in exchange.tables:
            doubtful = came.doubtful(exchange.job, table)
            edited = {key: value for key, value in exchange.tables[table].items() if key not in doubtful}
            kept = {key: value for key, value in held.entries.items() if key in doubtful}
            wanted[table] = edited | kept
    return tables.difference(before, tables.changed(before, wanted), str(script.relative_to(folder)))


def _unknown(came: Returned, now: dict[str, Exchange]) -> Iterator[Remark]:
    """Exchanges and tables of which only one side knows."""
    for exchange in came.exchanges:
        if exchange.job not in now:
            yield Remark("-", 0, "the project has no such job", exchange.job)
            continue
        held = now[exchange.job].tables
        told = {remark.table for remark in came.remarks if remark.job == exchange.job}
        for table in sorted(set(exchange.tables) - set(held)):
            yield Remark("-", 0, "the job script has no such table", exchange.job, table)
        for table in sorted(set(held) - set(exchange.tables) - told):
            yield Remark("-", 0, "it is not in the workbook, so the table was left as it is", exchange.job, table)


def _rows_edited(came: Returned, now: dict[str, Exchange]) -> Iterator[Remark]:
    """What people changed in the rows of a mapping: code, which only an implementer changes."""
    both = [each for each in came.exchanges if each.job in now and each.rows]
    for change in differences.changes([now[each.job] for each in both], both):
        if not change.table:
            what = f"{differences.sentence(change)}; change the mapping by hand"
            yield Remark("-", 0, what, change.job, key=change.place)


def _told(remark: Remark) -> str:
    then = "" if not remark.row else "; taken as text" if remark.what == TAKEN else "; left as it is in the job script"
    return f"{remark}{then}"


def _chosen(arguments: Namespace, project_file: Path) -> list[Exchange]:
    labels = Labels.read(Path(arguments.snapshot)) if arguments.snapshot else None
    found = versions.of_project(project_file, labels)
    wanted: Any = arguments.job
    if wanted and wanted not in {each.job for each in found}:
        raise WrongUse(f"there is no job {wanted}", fix=f"Known jobs: {', '.join(each.job for each in found)}.")
    return [each for each in found if wanted in (None, each.job)]


def _write(target: Path, content: bytes) -> None:
    try:
        target.write_bytes(content)
    except OSError as error:
        raise UnreadableFile(f"{target} can't be written: {error.strerror}", fix="Name another file.") from None
