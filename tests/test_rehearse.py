"""`runner rehearse`: a country's own jobs in the real service, between stand-ins that really listen."""

import json
import re
import subprocess
import sys

import pytest
from invented import ROOT, country, edited

LONG = 400  # seconds; the schedule fires at the full minute

PAGE = (ROOT / "docs" / "rehearse.md").read_text("utf-8")


def rehearse(folder, *arguments):
    """The command, as a user gives it in the country's folder; the modules are the repository's."""
    command = [sys.executable, "-m", "runner", "rehearse", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONG, check=False)


def contents(folder):
    """All files below a folder, but for what Python keeps."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}


def test_a_country_is_rehearsed(tmp_path):
    """An invented country ends with 0 and no finding; its own folder is left as it was, credentials unread."""
    country(tmp_path)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "primero.yaml").write_text("url: [no credential, nor YAML", "utf-8")
    before = contents(tmp_path)
    done = rehearse(tmp_path, "--json")
    told = json.loads(done.stdout)

    assert [0, ""] == [done.returncode, done.stderr]
    assert [] == [finding for job in told["jobs"] for finding in job["findings"]]
    assert ["1a", "1b", "2a", "1a", "2b"] == [job["exchange"] for job in told["jobs"]]
    assert {"reached", "withheld", "left alone", "not needed"} == {
        row["status"] for job in told["jobs"] for table in job["tables"] for row in table["rows"]
    }
    assert before == contents(tmp_path)


def test_the_page_shows_what_a_spoilt_country_prints(tmp_path):
    """docs/rehearse.md shows the real output of a country with three mistakes: exit code 4, a line for each."""
    country(tmp_path)
    edited(tmp_path / "jobs" / "progres_to_primero.py", '"nirg_b"', '"nirg_z"')
    edited(tmp_path / "jobs" / "progres_to_primero.py", '    "intake_source": "unhcr",\n', "")
    edited(tmp_path / "jobs" / "primero_to_progres.py", '    "tracing": "Tracing Service",\n', "")
    done = rehearse(tmp_path, "--keep", "kept")

    assert [4, ""] == [done.returncode, done.stderr]
    assert re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1] == done.stdout
    assert (tmp_path / "kept" / "bridge" / "project.yaml").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--snapshot", "nowhere.json"], 2, "there is no snapshot nowhere.json"),
        (["--keep", "jobs"], 2, "jobs is there already"),
        (["--project", "nowhere.yaml"], 2, "there is no snapshot"),
    ],
)
def test_what_is_needed_is_said(tmp_path, arguments, code, said):
    """Without a snapshot, or with a folder that is there already, nothing begins."""
    country(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    where = tmp_path / "elsewhere" if "nowhere.yaml" in arguments else tmp_path
    done = rehearse(where, *arguments)

    assert [code, True] == [done.returncode, said in done.stderr]


def test_a_job_script_that_fails_to_load(tmp_path):
    """What is wrong in a script is told in the runner's own words, before anything starts."""
    country(tmp_path)
    edited(tmp_path / "jobs" / "primero_to_progres.py", "operations = [", "operations = [3,")
    done = rehearse(tmp_path)

    assert 3 == done.returncode
    assert "primero_to_progres.py: operation 1 is a int" in done.stderr
