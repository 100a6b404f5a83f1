"""The `alerts` table of the project file: who is told, when, and what can't be meant."""

from datetime import time
from pathlib import Path

import pytest

from runner import project
from runner.alerts import settings
from runner.errors import InvalidProject

PROJECT = """\
name: test
jobs:
  sort: {script: sort.py}
alerts:
  timezone: Africa/Addis_Ababa
  pages: https://bridge.example.org/look
  recipients:
    office:
      mail: mail_office
      jobs: [sort]
      at_once: error
      digest: {at: 07:30, on: monday, least: warning}
      quiet: {from: 20:00, until: 06:00, unless: error}
    monitoring: {webhook: hook, at_once: info}
"""


def read(tmp_path, text=PROJECT):
    """The settings of a project file."""
    (tmp_path / "sort.py").write_text('"""Sorts."""\n\noperations = [dict]\n')
    (tmp_path / "project.yaml").write_text(text)
    return settings.of(project.load(Path(tmp_path / "project.yaml")))


@pytest.mark.parametrize(
    ("console", "address"),
    [("", ""), ("console: {url: 'https://bridge.example.org:8443/'}", "https://bridge.example.org:8443")],
)
def test_the_console(tmp_path, console, address):
    """The console's address comes from its own table, and nobody guesses it where it isn't there."""
    assert address == read(tmp_path, PROJECT + console).console


@pytest.mark.parametrize(
    "url", ["bridge.example.org", "https://bridge.example.org/?case=1", "https://amal@example.org"]
)
def test_what_is_no_address(tmp_path, url):
    """An address with a name, a search or no scheme in it is refused."""
    with pytest.raises(InvalidProject, match="url"):
        read(tmp_path, f"{PROJECT}console: {{url: '{url}'}}")


def test_all_that_can_be_said(tmp_path):
    """Each recipient has a way, jobs, severities, a digest and quiet hours, in one time zone."""
    told = read(tmp_path)
    office, monitoring = told.recipients
    assert ("mail", "mail_office", {"sort"}, "error") == (office.way, office.credential, office.jobs, office.at_once)
    assert ("30 7 * * 1", "Africa/Addis_Ababa") == (office.digest.trigger.value, office.digest.trigger.timezone)
    assert ("warning", time(20), time(6), "error") == (
        office.digest.least, office.quiet.begins, office.quiet.ends, office.quiet.unless,
    )  # fmt: skip
    assert ("webhook", "hook", frozenset(), "info", None, None) == (
        monitoring.way, monitoring.credential, monitoring.jobs, monitoring.at_once, monitoring.digest, monitoring.quiet,
    )  # fmt: skip
    assert "https://bridge.example.org/look" == told.pages


def test_nobody():
    """Without the table nobody is told."""
    assert () == settings.of(project.Project(Path("project.yaml"), "x", {})).recipients


@pytest.mark.parametrize(
    ("said", "instead", "told"),
    [
        ("at_once: error", "at_once: urgent", "at_once"),
        ("at: 07:30", "at: 7:30", "at"),
        ("on: monday", "on: someday", "on"),
        ("from: 20:00", "from: 24:00", "from"),
        ("until: 06:00, ", "", "until is missing"),
        ("jobs: [sort]", "jobs: [other]", "office names jobs that there aren't"),
        ("Africa/Addis_Ababa", "Africa/Nowhere", "timezone"),
        ("timezone: Africa/Addis_Ababa", "timezone: ../../etc/passwd", "timezone"),
        ("{webhook: hook, at_once: info}", "{webhook: hook}", "monitoring is never told anything"),
        ("{webhook: hook, at_once: info}", "{webhook: hook, at_once: never}", "monitoring is never told anything"),
        ("webhook: hook,", "webhook: hook, mail: other,", "exactly one of mail, webhook"),
        ("webhook: hook,", "", "exactly one of mail, webhook"),
        ("    monitoring:", "    7 of us:", "form that isn't allowed"),
        ("pages: https://bridge.example.org/look", "pages: https://bridge.example.org/?case=1", "pages"),
        ("  pages:", "  page:", "unknown key page"),
    ],
)
def test_what_cannot_be_meant(tmp_path, said, instead, told):
    """A setting that can't be meant is refused when the file is read or the service starts, and says which."""
    assert said in PROJECT
    with pytest.raises(InvalidProject) as caught:
        read(tmp_path, PROJECT.replace(said, instead))
    assert told in f"{caught.value}"
    assert caught.value.fix
