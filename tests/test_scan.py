"""`runner scan`: what is found in files and in history, what may be, and that this repository holds nothing else."""

import json
import subprocess
from pathlib import Path

import pytest

from runner.cli import main
from runner.errors import Invalid
from runner.scan import scan

ROOT = Path(__file__).parent.parent
PERSON = '{"name_first": "Canary-Nyaruot", "date_of_birth": "2014-02-28"}\n'
ALLOWANCE = "allowed:\n  - {files: samples/*, kinds: [person], reason: invented}\n"


def git(folder, *words):
    settings = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """An empty repository."""
    git(tmp_path, "init", "--quiet")
    return tmp_path


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def found(folder, **options):
    return [(finding.place, finding.kind) for finding in scan(folder, **options)]


def test_this_repository():
    """K6: nothing under version control here is a secret or a person's, but what scan.yaml says is invented."""
    assert [] == found(ROOT)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="these files have no history")
def test_this_repositorys_history():
    """K6: nor was anything ever."""
    assert [] == found(ROOT, history=True)


def test_a_history_that_has_not_begun(repository):
    """K6: where nothing was committed yet, the history holds nothing."""
    assert [] == found(repository, history=True)


def test_rules_of_the_folder_above(repository):
    """K6: in a folder without rules, those of the nearest folder above count, by the paths as seen from there."""
    write(repository, "scan.yaml", ALLOWANCE)
    write(repository, "samples/deep/a.json", PERSON)
    write(repository, "other/a.json", PERSON)
    assert [] == found(repository / "samples" / "deep")
    assert [("a.json:1", "person")] == found(repository / "other")


def test_rules_of_another_repository(repository):
    """K6: the rules of a folder above the repository don't count."""
    write(repository, "scan.yaml", ALLOWANCE)
    inner = repository / "samples"
    write(repository, "samples/a.json", PERSON)
    git(inner, "init", "--quiet")
    assert [("a.json:1", "person")] == found(inner)


def test_files(repository):
    """K6: a finding tells file, line and kind."""
    write(repository, "a.json", "{}\n")
    write(repository, "deep/b.json", "\n" + PERSON)
    write(repository, "deep/c.yaml", "user: bridge\npassword: open-sesame\n")

    assert [("deep/b.json:2", "person"), ("deep/c.yaml:2", "password")] == found(repository)


def test_what_git_ignores(repository):
    """K6: what is not, and won't be, under version control isn't looked at."""
    write(repository, ".gitignore", "credentials/\n")
    write(repository, "credentials/north.yaml", "password: open-sesame\n")

    assert [] == found(repository)


def test_without_git(tmp_path):
    """K6: in a folder that git doesn't know all files are looked at."""
    write(tmp_path, "credentials/north.yaml", "password: open-sesame\n")

    assert [("credentials/north.yaml:1", "password")] == found(tmp_path)


def test_history(repository):
    """K6: what was deleted, on another branch, or said in a commit is still in the history, and found there."""
    write(repository, "people.json", PERSON)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "first")
    git(repository, "checkout", "-b", "side")
    write(repository, "key.txt", "AKIAIOSFODNN7EXAMPLE\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "For canary@unhcr-mail.net")
    git(repository, "checkout", "-")
    git(repository, "rm", "people.json")
    git(repository, "commit", "-m", "gone")

    assert [] == found(repository)
    places = {(place.partition("@")[0], kind) for place, kind in found(repository, history=True)}
    assert {("people.json", "person"), ("key.txt", "token"), ("commit", "email")} == places


def test_what_is_there_is_told_once(repository):
    """What is in the files and in the history is one finding."""
    write(repository, "people.json", PERSON)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "first")

    assert [("people.json:1", "person")] == found(repository, history=True)


def test_no_history(tmp_path, capsys):
    """A history that isn't there is wrong use, never a clean result."""
    assert 2 == main(["scan", str(tmp_path), "--history"])
    assert "no history" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("export.csv", b"id\n" + b"1\n" * 60_000, "large_file"),
        ("notes.md", b"word " * 250_000, "large_file"),
        ("people.xlsx", b"PK\x03\x04\0\0", "opaque_file"),
        ("photo.jpg", b"\xff\xd8\0", "opaque_file"),
        ("data.sqlite", b"SQLite format 3\0", "opaque_file"),
    ],
)
def test_files_that_may_be_data(tmp_path, name, content, kind):
    """K6: spreadsheets, photos, databases and large files have no place in a repository of code."""
    write(tmp_path, name, content)

    assert [(f"{name}:1", kind)] == found(tmp_path)


def test_what_is_allowed(repository):
    """K6: what scan.yaml allows is allowed for these kinds, in these files, in the history too, and nowhere else."""
    write(repository, "scan.yaml", ALLOWANCE)
    write(repository, "samples/deep/a.json", PERSON)
    write(repository, "samples/b.yaml", "password: open-sesame\n")
    write(repository, "other/a.json", PERSON)

    assert [("other/a.json:1", "person"), ("samples/b.yaml:1", "password")] == found(repository)


def test_numbers_of_people(tmp_path):
    """K6: the forms of numbers by which people are known are the project's own, and match whole numbers only."""
    write(tmp_path, "scan.yaml", "numbers:\n  individual_number: '[A-Z]{3}-\\d{8}'\n")
    write(tmp_path, "a.txt", "GAM-00000901\nXGAM-00000901\nGAM-000009011\nGAM-000009\n")

    assert [("a.txt:1", "individual_number")] == found(tmp_path)


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ("allow: []\n", "line 1"),
        ("numbers:\n  bad: '['\n", "line 2"),
        ("numbers:\n  bad: 12\n", "line 2"),
        ("allowed:\n  - {files: a, kinds: [person]}\n", "line 2"),
        ("allowed:\n  - {files: a, kinds: [person], reason: ''}\n", "line 2"),
        ("allowed:\n  - {files: a, kinds: [persons], reason: x}\n", "line 2"),
        ("allowed:\n  - a\n", "line 2"),
    ],
)
def test_rules_that_are_wrong(tmp_path, rules, place):
    """K6: an allowance without a reason, or of what isn't known, allows nothing: it is refused with its line."""
    write(tmp_path, "scan.yaml", rules)

    with pytest.raises(Invalid, match=rf"scan\.yaml, {place}"):
        scan(tmp_path)


def test_the_command(tmp_path, capsys):
    """K6: `runner scan` prints place and kind, never the value; 4 when something was found, 0 when not."""
    write(tmp_path, "clean.md", "nothing\n")
    assert 0 == main(["scan", str(tmp_path)])
    assert "nothing was found\n" == capsys.readouterr().out

    write(tmp_path, "people.json", PERSON)
    assert 4 == main(["scan", str(tmp_path)])
    text = capsys.readouterr().out
    assert "people.json:1: person (a name beside a date of birth)\n1 found: 1 person\n  fix: " in text

    assert 4 == main(["scan", str(tmp_path), "--json"])
    told = capsys.readouterr().out
    assert {"findings": [{"place": "people.json:1", "kind": "person"}]} == json.loads(told)
    assert "Canary" not in text + told


def test_a_folder_that_is_none(capsys):
    """A path that is no folder is wrong use."""
    assert 2 == main(["scan", "nowhere"])
