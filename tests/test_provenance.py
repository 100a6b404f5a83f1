"""What a run was made of: commit, and a hash over everything that decides what it does."""

import subprocess

import pytest

from runner import project, provenance
from runner.provenance import CHANGED

JOB = '"""Sorts."""\n\nimport json\n\noperations = [json.dumps]\n'
PROJECT = "name: test\njobs:\n  sort: {script: sort.py}\n"


@pytest.fixture
def folder(tmp_path):
    """A project folder."""
    (tmp_path / "sort.py").write_text(JOB)
    (tmp_path / "project.yaml").write_text(PROJECT)
    return tmp_path


def git(folder, *words):
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def made_of(folder):
    return provenance.provenance(project.load(folder / "project.yaml"))


def test_commit(folder):
    """R-AU3 The commit is told, and that files differ from it: changed or new ones; without git there is none."""
    assert made_of(folder).version is None
    git(folder, "init", "-q")
    assert made_of(folder).version is None
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    head = git(folder, "rev-parse", "HEAD")
    assert head == made_of(folder).version
    (folder / "sort.py").write_text(JOB + "# edited\n")
    assert head + CHANGED == made_of(folder).version
    git(folder, "commit", "-q", "-a", "-m", "second")
    (folder / "other.py").write_text(JOB)
    assert git(folder, "rev-parse", "HEAD") + CHANGED == made_of(folder).version


def test_environment_leads_git_nowhere(folder, monkeypatch, tmp_path_factory):
    """Nothing in the environment makes git look at another repository."""
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    (other / "x").write_text("x")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert made_of(folder).version is None


def test_no_git_at_all(folder, monkeypatch):
    """Where git isn't installed, the service starts all the same."""
    monkeypatch.setenv("PATH", str(folder))
    assert made_of(folder).version is None
    assert made_of(folder).configuration


@pytest.mark.parametrize(
    ("name", "text"),
    [("project.yaml", PROJECT + "# edited\n"), ("sort.py", JOB + "# edited\n")],
)
def test_configuration(folder, name, text):
    """R-AU3 The hash is the same for the same files, and another for any change in project file or job script."""
    before = made_of(folder).configuration
    assert before == made_of(folder).configuration
    (folder / name).write_text(text)
    assert before != made_of(folder).configuration


def test_packages(folder, monkeypatch):
    """The hash tells another version of a package that a job imports, and isn't hindered by one that isn't there."""
    monkeypatch.syspath_prepend(folder)
    package = folder / "somewhere_else"
    package.mkdir()
    (package / "__init__.py").write_text("ONE = 1\n")
    (folder / "sort.py").write_text(JOB + "import somewhere_else, not_installed\n")
    before = made_of(folder).configuration
    (package / "__init__.py").write_text("ONE = 2\n")
    provenance._package.cache_clear()
    assert before != made_of(folder).configuration
