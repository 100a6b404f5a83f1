"""README and docs/: complete, current, short, and every command and link in them leads somewhere."""

import ast
import contextlib
import importlib
import importlib.util
import io
import re
import shlex
import sys

import pytest
from pages import DOCS, PAGES, README, ROOT, blocks, name_of, prose_of, text_of

from adaptors.sandbox.options import read_options
from runner import cli
from runner.credentials import PATH_KEYS
from runner.schema import project_schema


def maker(name):
    """The module under docs/ that makes a page."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_operations():
    """The module that makes docs/operations.md."""
    return maker("make_operations")


def test_operations_page_is_current(make_operations):
    """The operations page is what the docstrings say today; `make docs` mends it."""
    assert make_operations.page() == text_of(DOCS / "operations.md")


def test_operations_page_is_complete(make_operations):
    """Every public name of the modules that jobs import has an entry with prose, every operation an example, too."""
    page = text_of(DOCS / "operations.md")
    for name in make_operations.MODULES:
        module = importlib.import_module(name)
        groups = make_operations.groups(module)
        for public in getattr(module, "__all__", ()):
            entry = re.search(rf"^#### {public}\n\n```python\n.+?\n```\n\n(\S.+?)(?=^##|\Z)", page, re.M | re.DOTALL)
            assert entry, f"{name}.{public} is not documented"
            assert public not in groups["Operations"] or ">>> " in entry[1], f"{public} has no example"


def test_commands_page_is_current():
    """Every command and option is documented as it is today; `make docs` mends it."""
    assert maker("make_commands").page() == text_of(DOCS / "commands.md")


def test_every_command_and_option_says_what_it_is_for():
    """No command, argument or option stands on the page of commands without a word on it."""
    page = text_of(DOCS / "commands.md")
    rows, sections = re.findall(r"^\| `.+` \|(.*)\|$", page, re.M), re.findall(r"^## .+\n\n(.*)$", page, re.M)
    assert len(rows) > 100
    assert [] == [told for told in (*rows, *sections) if not told.strip(" .")]


def test_settings_page_is_current():
    """Every setting of the project file is documented as the schema has it today; `make docs` mends it."""
    assert maker("make_settings").page() == text_of(DOCS / "settings.md")


def schemas(held):
    """The names of all that the schema of the project file lets stand in a table, with the shape of each."""
    if isinstance(held, dict):
        yield from held.get("properties", {}).items()
    for inner in held.values() if isinstance(held, dict) else held if isinstance(held, list) else ():
        yield from schemas(inner)


def test_settings_page_is_complete():
    """Every name that the project file may hold stands on the page, at any depth, and says what it is for."""
    page = text_of(DOCS / "settings.md")
    for name, shape in schemas(project_schema()):
        assert shape.get("description"), name
        assert re.search(rf"^## {name}$|^\| `([\w.]+\.)?{name}` \| .+ \| .+ \|$", page, re.M), name


def asked_of(name):
    """The constant keys for which the code of both towers asks something of this name: `x["key"]`, `x.get("key")`."""
    for path in (*ROOT.glob("runner/**/*.py"), *ROOT.glob("adaptors/**/*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Subscript(value=held, slice=ast.Constant(value=str(key))):
                    pass
                case ast.Call(func=ast.Attribute(value=held, attr="get"), args=[ast.Constant(value=str(key)), *_]):
                    pass
                case _:
                    continue
            if getattr(held, "id", getattr(held, "attr", "")).lstrip("_") == name:
                yield key


def test_credentials_are_told():
    """Every key that an example of a credential has, and each that the code asks of one, is told of."""
    told = maker("make_settings").CREDENTIALS
    for path in sorted((ROOT / "credentials.example").iterdir()):
        keys = set(re.findall(r"^(?:# )?([a-z_0-9]+): ", text_of(path), re.MULTILINE))
        assert set() == keys - told[path.name].keys(), path.name
    every = {key for keys in told.values() for key in keys}
    read = {*asked_of("credential"), *asked_of("slot"), *PATH_KEYS}
    assert {"password", "rate", "thumbprint_form", "on_unknown"} < read
    assert set() == read - every


def test_the_environment_is_told():
    """Every part of the environment for which the code asks by name is told of."""
    assert {"PGHOSTADDR"} <= set(asked_of("environ")) <= maker("make_settings").ENVIRONMENT.keys()


def test_log_inventory_is_current():
    """R-LG6: the sheet that partners sign is what the registry of events says today; `make docs` mends it."""
    assert maker("make_log_inventory").page() == text_of(DOCS / "log-inventory.md")


def test_check_tells_an_old_page(make_operations, tmp_path, monkeypatch, capsys):
    """`--check` exits with 1 when an entry is missing, with 0 when the page is current, and writes nothing."""
    page = tmp_path / "operations.md"
    monkeypatch.setattr(sys, "argv", ["make_operations.py", "--check", "--page", str(page)])
    current = make_operations.page()
    old = current.replace("#### each\n", "")
    page.write_text(old, "utf-8")
    assert 1 == make_operations.main()
    assert old == text_of(page)
    assert "make docs" in capsys.readouterr().err
    page.write_text(current, "utf-8")
    assert 0 == make_operations.main()


def commands(page):
    """The commands of ours on a page: lines of its shell blocks, and code within sentences."""
    lines = [line.strip() for block in blocks(page, "sh") for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", prose_of(page))
    shortened = (line.removeprefix(".venv/bin/") for line in lines)
    return [line for line in shortened if re.match(r"(runner|make|python -m adaptors\.sandbox) \S", line)]


def is_command(line):
    """Whether the parser of `runner` or of the sandbox, or the Makefile, knows the command."""
    program, *words = shlex.split(line)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return {word for word in words if "=" not in word} <= set(targets)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            read_options(words[2:]) if program == "python" else cli.parser().parse_args(words)
        except SystemExit as end:
            return end.code in (0, None)
    return True


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page):
    """Every command that a page shows is one that `runner`, the sandbox or the Makefile knows."""
    assert [] == [line for line in commands(page) if not is_command(line)]


@pytest.mark.parametrize(
    "line", ["runner fly", "runner run --dry", "runner run", "make coffee", "python -m adaptors.sandbox --x"]
)
def test_what_is_no_command_is_noticed(line):
    """The check of commands finds an unknown command, option or target, and a job that is missing."""
    assert not is_command(line)


def test_readme_is_short_and_shows_both_commands():
    """The README has at most 120 lines and shows `make demo` and `make test`."""
    assert len(text_of(README).splitlines()) <= 120
    assert {"make demo", "make test"} <= set(commands(README))


def anchors(page):
    """The names of a page's headings, as links to them are written."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Every relative link names a file that is there, and a heading that is in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file) if file else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_is_reached_from_the_readme():
    """The README links every page of docs/."""
    assert [] == [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in text_of(README)]


OPENFN = """
    alterState fn fnIf each combine dataValue sourceValue lastReferenceValue dataPath field fields merge cursor as map
    join jsonValue dateFns get post put patch del request getCases createCase updateCase upsertCase getReferrals
    createReferral createReferrals updateReferral updateReferrals getForms getLookups getLocations
    state.data state.configuration state.references project.yaml openfn
""".split()


def test_pictures():
    """Each picture is shown by a page, with words for who can't see it, and is small."""
    shown = {name: words for page in PAGES for words, name in re.findall(r"!\[(.*)\]\(images/(.+?)\)", text_of(page))}
    pictures = list((DOCS / "images").iterdir())
    assert {each.name for each in pictures} == {name for name, words in shown.items() if words}
    assert [] == [each.name for each in pictures if each.stat().st_size > 60_000]


@pytest.mark.parametrize("word", OPENFN)
def test_openfn_words_are_told(word):
    """from-openfn.md names every word and function of OpenFn that implementers know."""
    rows = [line for line in text_of(DOCS / "from-openfn.md").splitlines() if line.startswith("| ")]
    assert any(re.search(rf"`{re.escape(word)}\b", line.split(" | ")[0]) for line in rows)
