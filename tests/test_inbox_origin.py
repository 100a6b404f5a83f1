"""Who is let in, by address and by rate."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from runner.errors import InvalidCredential, InvalidProject
from runner.inbox import settings
from runner.inbox.origin import is_allowed
from runner.inbox.rate import Rate
from runner.inbox.settings import Settings
from runner.project import Project


def made(**entries):
    """The settings of a project with this inbox table."""
    return settings.of(Project(Path("project.yaml"), "test", {}, settings={"inbox": entries}))


@pytest.mark.parametrize(
    ("peer", "allowed"),
    [
        ("192.0.2.7", True), ("192.0.3.7", False), ("::ffff:192.0.2.7", True), ("2001:db8::1", True),
        ("testclient", False), (None, False),
    ],
)  # fmt: skip
def test_allow_list(peer, allowed):
    """R-WH7: with an allow-list, nobody else is listened to; a header can't say otherwise."""
    assert allowed == is_allowed(peer, "192.0.2.7", made(allow_from=["192.0.2.0/24", "2001:db8::/32"]))


def test_without_a_list():
    """Without an allow-list and a proxy, whoever has the key is let in."""
    assert is_allowed("198.51.100.1", "", made())


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "allowed"),
    [
        ("10.0.0.1", "192.0.2.7", True),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", True),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1", False),
        ("10.0.0.1", "192.0.2.7, unknown", False),
        ("10.0.0.1", "", False),
        ("192.0.2.7", "192.0.2.7", False),
    ],
)
def test_behind_a_proxy(peer, forwarded_for, allowed):
    """R-WH7: behind a proxy only it is listened to, and only the address that it saw itself counts."""
    assert allowed == is_allowed(peer, forwarded_for, made(behind_proxy=["10.0.0.0/30"], allow_from=["192.0.2.7"]))


def test_settings():
    """What the table doesn't say is the default."""
    found = made(port=0, allow_from=["192.0.2.7"], limits={"depth": 3})
    assert Settings(port=0, allow_from=(ip_network("192.0.2.7"),), limits=settings.Limits(depth=3)) == found


@pytest.mark.parametrize("key", ["allow_from", "behind_proxy"])
@pytest.mark.parametrize("text", ["somewhere", "192.0.2.7/24", "192.0.2", ""])
def test_no_address(key, text):
    """An address that can't be read is refused at the start, not taken for nobody or everybody."""
    with pytest.raises(InvalidProject, match=key):
        made(**{key: [text]})


@pytest.mark.parametrize("left_open", ["inbox.pem", "inbox.key"])
def test_private_key_that_others_read(tmp_path, left_open):
    """R-RT6: a certificate or a private key that others can read stops the service."""
    for name in ("inbox.pem", "inbox.key"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644 if name == left_open else 0o600)
    project = Project(tmp_path / "project.yaml", "test", {})
    project.settings["inbox"] = {"certificate": "inbox.pem", "private_key": "inbox.key"}
    with pytest.raises(InvalidCredential, match="can be read by other users"):
        settings.of(project)
    (tmp_path / left_open).chmod(0o600)
    assert str(tmp_path / "inbox.key") == settings.of(project).private_key


def test_rate():
    """R-WH9: a key that has posted its fill waits as long as it is told, and then may post again."""
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    rate = Rate(60, now=lambda: now[0])
    assert [0] * 60 + [1] == [rate.wait("good") for _ in range(61)]
    now[0] += timedelta(seconds=1)
    assert [0, 1] == [rate.wait("good") for _ in range(2)]
    now[0] -= timedelta(hours=1)
    assert 1 == rate.wait("good")
    now[0] += timedelta(seconds=1)
    assert 0 == rate.wait("good")


def test_less_than_one_a_minute():
    """A rate below one a minute still lets the first message in."""
    rate = Rate(0.5, now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert [0, 120] == [rate.wait("good") for _ in range(2)]
