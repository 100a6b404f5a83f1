"""The project file: what is read, what is refused with line and column, and what is warned about."""

import pytest

from runner import project
from runner.errors import InvalidProject, UnreadableFile

GOOD = """\
name: Gambella
agreement: DSA-1
jobs:
  referrals:
    script: referrals.py
    trigger: posted
    credentials: {north: north_narrow}
    timeout: 60
  answers:
    script: referrals.py
    trigger: [waiting, given-up]
    credentials: [south]
    enabled: false
triggers:
  posted:
    message: {type: referral}
    split: $.items[*]
  waiting: {outbox: south}
  given-up: {failure: referrals}
"""


def load(folder, text):
    (folder / "referrals.py").touch()
    (folder / "project.yaml").write_text(text)
    return project.load(folder / "project.yaml")


def test_what_is_read(tmp_path):
    """Jobs know their script, triggers and credentials; a list of credentials means files of the same names."""
    found = load(tmp_path, GOOD)
    referrals, answers = found.jobs["referrals"], found.jobs["answers"]
    assert ("Gambella", "DSA-1", ()) == (found.name, found.agreement, found.warnings)
    assert (tmp_path / "referrals.py", {"north": "north_narrow"}, 60, True) == (
        referrals.script,
        referrals.credentials,
        referrals.timeout,
        referrals.enabled,
    )
    assert ({"south": "south"}, False, "south") == (answers.credentials, answers.enabled, answers.delivers_to)
    assert ["posted"] == [trigger.name for trigger in referrals.triggers]
    assert "$.items[*]" == referrals.triggers[0].split


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("name: Gambella\n", "", "line 1, column 1: name is missing"),
        ("timeout: 60", "timeot: 60", "line 8, column 5: unknown key timeot"),
        ("    script: referrals.py\n    trigger: posted", "    enabled: true", "line 4, column 3: script is missing"),
        ("referrals.py\n    trigger: p", "gone.py\n    trigger: p", "line 5, column 5: there is no script gone.py"),
        ("trigger: posted", "trigger: poste", "line 6, column 5: there is no trigger poste"),
        ("timeout: 60", "timeout: soon", "line 8, column 5: timeout must be a number"),
        ("{failure: referrals}", "{failure: refer}", "line 19, column 14: there is no job refer"),
        ("{outbox: south}", "{outbox: south, cron: '@daily'}", "line 18, column 3: waiting needs exactly one of"),
        ("{outbox: south}", "{cron: '0 0 0 * * *'}", "line 18, column 13: cron can't be read"),
        ("{outbox: south}", "{cron: '0 0 31 2 *'}", "line 18, column 13: cron can't be read"),
        ("{outbox: south}", "{cron: '@hourly', timezone: Gambella}", "line 18, column 30: timezone can't be read"),
        ("  answers:", "  referrals:", "line 9, column 3: referrals is written twice"),
        ("{outbox: south}", "{message: {smtp_password: abc}}", "line 18, column 23: smtp_password holds a secret"),
        ("agreement: DSA-1", "agreement: https://me:abc@example.org", "line 2, column 1: an address with a password"),
        ("agreement: DSA-1", "agreement: https://a.example/?token=0123456789", "line 2, column 1: an address with a t"),
        ("agreement: DSA-1", "purpose: ghp_0123456789012345678901234567890123456", "line 2, column 1: a token stands"),
        ("agreement: DSA-1", "inbox: {allow_from: ['https://me:abc@example.org']}", "line 2, column 22: an address"),
        ("agreement: DSA-1", "retry: {hour: 3}", "line 2, column 9: unknown key hour"),
        ("agreement: DSA-1", "retry: {minutes: []}", "line 2, column 9: minutes breaks the rule"),
        ("agreement: DSA-1", "retention: {payload_days: 0}", "line 2, column 13: payload_days breaks the rule"),
        ("enabled: false", "enabled: no", "line 13, column 5: enabled must be true or false"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, old, new, complaint):
    """R-RT5: what is wrong is refused with line and column; the message never shows a value that may be a secret."""
    assert old in GOOD
    with pytest.raises(ValueError, match=complaint) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert "abc" not in f"{caught.value} {caught.value.fix}"
    assert 3 == caught.value.exit_code


def test_secret_by_reference(tmp_path):
    """R-RT5: a reference to a secret may stand in the project file, since it holds none."""
    assert load(tmp_path, GOOD.replace("{outbox: south}", "{message: {smtp_password: '${SMTP}'}}"))


def test_all_mistakes_at_once(tmp_path):
    """A file is mended in one go: the error carries the others."""
    with pytest.raises(InvalidProject) as caught:
        load(tmp_path, GOOD.replace("trigger: posted", "triger: posted").replace("enabled: false", "enabled: 3"))
    assert 1 == len(caught.value.others)


@pytest.mark.parametrize(
    ("extra", "warning"),
    [
        ("  never: {cron: '@daily'}\n", "project.yaml, line 20, column 3: no job uses the trigger never"),
        ("", None),
    ],
)
def test_trigger_that_nobody_uses(tmp_path, extra, warning):
    """A trigger that nobody uses is warned about, with its place."""
    assert ((warning,) if warning else ()) == load(tmp_path, GOOD + extra).warnings


@pytest.mark.parametrize(
    ("filters", "overlap"),
    [
        ("{type: referral, urgent: true}", True),
        ("{}", True),
        ("{type: decision}", False),
        ("{type: {a: 1}}", False),
        ("{other: x}", True),
    ],
)
def test_overlapping_filters(tmp_path, filters, overlap):
    """Two filters that one message could match are warned about."""
    text = GOOD.replace("trigger: [waiting, given-up]", "trigger: [waiting, given-up, also]")
    warnings = load(tmp_path, text + f"  also: {{message: {filters}}}\n").warnings
    assert overlap == any("both posted and also" in warning for warning in warnings)


def test_missing_project_file(tmp_path):
    """Without a project file the error says where one was looked for."""
    with pytest.raises(UnreadableFile, match=r"project\.yaml"):
        project.load(tmp_path / "project.yaml")


@pytest.mark.parametrize("text", ["", "just text", "- a", "jobs: []\nname: x", "name: x\njobs: {one: }"])
def test_wrong_shape(tmp_path, text):
    """A file of quite another shape is refused, not stumbled over."""
    with pytest.raises(InvalidProject):
        load(tmp_path, text)
