"""Makes the template of all messages of the console (messages.pot), and brings our catalogues up to it.

`make messages` writes them: what a catalogue lacks is then empty in it, and what is no longer said is taken out;
nothing is guessed. `template()` gives the template, and a test holds the file equal to it.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from runner.alerts.meanings import MEANINGS
from runner.alerts.registry import CONDITIONS
from runner.console import accounts, activity, settling
from runner.console.tongues import OURS
from runner.logs.audit import EVENTS

TEMPLATE = OURS / "messages.pot"
PAGES = OURS.parent / "pages"
STATUSES = (  # of units of work, and of what the ledger has
    *("pending", "running", "succeeded", "parked", "dead", "discarded", "expired"),
    *("intended", "done", "waiting", "doubtful", "released", "unknown"),
)
EXTRACTED = (("**.html", "jinja2.ext:babel_extract"),)
OPTIONS = {"**.html": {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}}


def template() -> Catalog:
    """All that the pages say: their own messages, and the fixed sentences and words of registries."""
    found = Catalog(project="runner", charset="utf-8", fuzzy=False)
    for page, _line, message, _comments, _context in extract_from_dir(PAGES, EXTRACTED, OPTIONS):
        found.add(message, locations=[(f"pages/{page}", 0)])
    for source, message in said():
        found.add(message, locations=[(source, 0)], flags=() if "%" not in message else ("python-format",))
    return found


def said() -> Iterator[tuple[str, str]]:
    """What stands in registries and is shown on pages, each with the place where it is found."""
    for condition in CONDITIONS.values():
        yield "conditions", condition.sentence
    for each in MEANINGS.values():
        yield "meanings", each.means
        yield "meanings", each.do
    for words in (
        accounts.ROLES,
        *activity.OUTCOMES.values(),
        EVENTS,
        settling.KINDS.values(),
        STATUSES,
        ("yes", "no"),
    ):
        for word in words:
            yield "words", word.replace("_", " ")


def written(catalogue: Catalog) -> bytes:
    """A catalogue as a file, without what changes from day to day or from version to version."""
    file = BytesIO()
    write_po(
        file, catalogue, width=120, sort_by_file=True, omit_header=True, ignore_obsolete=True, include_lineno=False
    )
    return HEAD.encode() + file.getvalue()


HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'


def brought_up(path: Path, catalogue: Catalog) -> Catalog:
    """Our catalogue of one language, with the messages that there are now."""
    with path.open("rb") as file:
        before = read_po(file, locale=path.stem)
    before.update(catalogue, no_fuzzy_matching=True)
    return before


if __name__ == "__main__":
    everything = template()
    TEMPLATE.write_bytes(written(everything))
    for each in sorted(OURS.glob("*.po")):
        each.write_bytes(written(brought_up(each, everything)))
