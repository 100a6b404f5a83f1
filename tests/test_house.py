"""The house: two towers, one order of imports, and nothing in it that belongs elsewhere."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOWERS = [path for tower in ("runner", "adaptors") for path in sorted((ROOT / tower).rglob("*.py"))]
JOBS = sorted((ROOT / "jobs").rglob("*.py"))  # of every country
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
# Each module of the engine may import those before it; docs/architecture.md shows the same order.
ENGINE = [
    "errors", "memory", "logs", "keyfile", "yamlfile", "credentials", "sightings", "schema", "triggers", "project",
    "provenance", "jobscript", "dataflow", "statefile", "vault", "keyfolder", "inquiry", "keycommand", "store",
    "changes", "tally", "outcome", "handover", "guard", "execute", "places", "progress", "report", "mapping", "keys",
    "custody", "room", "inbox", "start", "precautions", "listener", "subjects", "work", "traces", "scan", "tls",
    "check", "golive", "alerts", "metrics", "console", "template", "commands", "cli", "__main__",
]  # fmt: skip
SPECIFIC = re.compile(r"primero|progres\b|dtp", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")


def tree(path):
    return ast.parse(path.read_bytes())


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module_name(path) for path in TOWERS}


def imports(path):
    """The full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from full & NAMES or {node.module}


def identity(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TOWERS, ids=identity)
def test_towers_never_meet(path):
    """The engine imports neither adaptors nor jobs; adaptors never import the engine or jobs."""
    foreign = {"runner": {"adaptors", "jobs"}, "adaptors": {"runner", "jobs"}}[path.relative_to(ROOT).parts[0]]
    assert not foreign & {name.split(".")[0] for name in imports(path)}


def test_order_of_the_engine():
    """Every module and package of the engine imports only those that come before it."""
    for path in (ROOT / "runner").rglob("[!_]*.py"):
        own = module_name(path).split(".")[1]
        used = {name.split(".")[1] for name in imports(path) if name.startswith("runner.")}
        assert used - {own} <= set(ENGINE[: ENGINE.index(own)]), identity(path)


def test_the_order_that_is_told():
    """docs/architecture.md shows the engine's modules in this very order, from the last to the first."""
    chain = (ROOT / "docs" / "architecture.md").read_text().split("runner:")[1].split("╎")[0]
    assert ENGINE[-2::-1] == re.findall(r"\w+", chain)


def test_nothing_is_imported_in_a_circle():
    """No module imports, by whatever way, one that imports it."""
    graph = {module_name(path): {name for name in imports(path) if name in NAMES} for path in TOWERS}
    packages = {name for name in graph if any(other.startswith(f"{name}.") for other in graph)}
    # A package's own __init__ names its modules, and they name each other: only the modules count.
    order = {name: used - packages for name, used in graph.items() if name not in packages}
    assert len(order) == len(list(graphlib.TopologicalSorter(order).static_order()))


def test_systems_never_meet():
    """Primero's and proGres' adaptors know nothing of each other."""
    for path in (ROOT / "adaptors").rglob("*.py"):
        parts = path.relative_to(ROOT / "adaptors").with_suffix("").parts
        other = {"primero": "adaptors.progres", "progres": "adaptors.primero"}.get(parts[0])
        assert not other or not any(name.startswith(other) for name in imports(path)), path.name


@pytest.mark.parametrize("path", JOBS, ids=identity)
def test_jobs_import_only_adaptors(path):
    """A job imports adaptors and Python's own modules, nothing else."""
    used = {name.split(".")[0] for name in imports(path)}
    assert used <= {"adaptors", *sys.stdlib_module_names}


@pytest.mark.parametrize("path", [path for path in TOWERS if path.is_relative_to(ROOT / "runner")], ids=identity)
def test_engine_knows_no_system(path):
    """The engine, apart from the demo and the package's name, mentions none of the systems it connects."""
    text = path.read_text("utf-8").replace("primero-progres-bridge", "")
    assert "demo" in path.parts or not SPECIFIC.search(text)


@pytest.mark.parametrize("path", [*TOWERS, *JOBS, *TESTS], ids=identity)
def test_module_says_what_it_is(path):
    """Every module that holds something begins with its docstring."""
    module = tree(path)
    assert not module.body or ast.get_docstring(module)


@pytest.mark.parametrize("path", TESTS, ids=identity)
def test_every_test_states_its_rule(path):
    """Every test begins with the sentence of the rule it holds."""
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    tests = [node for node in functions if node.name.startswith("test_")]
    assert [] == [node.name for node in tests if not ast.get_docstring(node)]


@pytest.mark.parametrize("path", TOWERS, ids=identity)
def test_public_things_are_explained(path):
    """Every public function and class of a tower has a docstring."""
    things = [node for node in tree(path).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert [] == [node.name for node in things if not node.name.startswith("_") and not ast.get_docstring(node)]


def kept_files():
    """The files that are, or will be, under version control."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_machine_in_the_repository():
    """K6: nothing under version control names a path of the machine it was made on."""
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in kept_files()}
    assert [] == [identity(path) for path, text in texts.items() if MACHINE_PATH.search(text)]


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-browser.lock"])
def test_lock_file_names_no_registry(lock):
    """The locked requirements hold versions and hashes, no address."""
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text
    assert not re.search(r"https?://|--index|--find-links", text)


def test_no_secret_in_the_repository():
    """K6: keys, credentials and data are not under version control."""
    names = [identity(path) for path in kept_files()]
    assert [] == [name for name in names if re.match(r"(.*/)?(credentials|data)/|.*\.(pem|key|p12|pfx|sqlite)$", name)]
