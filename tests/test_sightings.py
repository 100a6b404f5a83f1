"""What secrets and data of people look like: planted ones are found, and ordinary text is left in peace."""

import re

import pytest

from runner import sightings
from runner.errors import InvalidJob
from runner.jobscript import load
from runner.sightings import Sighting, people, secret_in, secrets

KEY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"-----BEGIN PRIVATE KEY-----\n{KEY}", "private_key"),
        (f"-----BEGIN RSA PRIVATE KEY-----\\n{KEY}", "private_key"),
        (f"-----BEGIN ENCRYPTED PRIVATE KEY-----\r\n{KEY}", "private_key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "token"),
        ("AKIAIOSFODNN7EXAMPLE", "token"),
        ("ghp_" + "a1" * 18, "token"),
        ("glpat-" + "a1" * 10, "token"),
        ("xoxb-123456789012-abcdef", "token"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwx", "token"),
        ("subscription key: 0123456789abcdef0123456789abcdef", "token"),
        ("https://hooks.slack.com/services/T000/B000/XXXX", "token"),
        ("postgresql://bridge:sesame@db.example.org/x", "address_with_password"),
        ("https://:sesame@example.org", "address_with_password"),
        ("https://a.example.org/hook?x=1&access_token=0123456789", "address_with_token"),
        ("https://b.example.org/c?sv=1&sig=abcdefghij%2Bk", "address_with_token"),
        ('password = "open-sesame"', "password"),
        ("{'subscription_key': 'abcdefgh'}", "password"),
        ('smtp_password="open-sesame"', "password"),
        ('{"client_secret": "abcdefgh"}', "password"),
    ],
)
def test_secrets_are_found(text, kind):
    """R-RT5: a planted secret is found by its form, or by its name, wherever it stands."""
    found = list(secrets(f"first line\n  {text}\n"))

    assert kind in {sighting.kind for sighting in found}
    assert {2} == {sighting.line for sighting in found}


@pytest.mark.parametrize(
    "text",
    [
        "password: open-sesame",
        "  access_key: abcdefgh # comment",
        "export DTP_TOKEN=abcdefgh",
        "api_key: 'abcdefgh'",
    ],
)
def test_secrets_without_quotes(text):
    """R-RT5: in YAML and the like a password needs no quotes to be one."""
    assert ["password"] == [sighting.kind for sighting in secrets(text, bare=True)]
    assert "'" in text or [] == list(secrets(text))


@pytest.mark.parametrize(
    "text",
    [
        "password: ${PRIMERO_PASSWORD}",
        "password: file:password.txt",
        "password: …",
        "password: <yours>",
        "password: ''",
        "secret: true",
        'key="intervention"',
        "the password of the account is sent separately",
        "https://user@example.org:8443/x",
        "https://${USER}:${PASSWORD}@example.org",
        "https://a.example.org/?q=token",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\n" + KEY,
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "next_private_key: client-next.key   # docs/rotation.md",
    ],
)
def test_what_is_no_secret(text):
    """R-RT5: references, placeholders, hashes, certificates and prose are no secrets."""
    assert [] == list(secrets(text, bare=True))
    assert secret_in(text) is None


def test_where_it_stands():
    """A sighting tells line and column, counted from 1, and nothing else."""
    assert [Sighting("address_with_password", 2, 6)] == list(secrets("a\nurl: x://a:b@c\n"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to nyaruot@unhcr-mail.net please", "email"),
        ("call +251 911 234 567", "phone"),
        ("call +251911234567.", "phone"),
        ('{"name_first": "Nyaruot", "sex": "female", "date_of_birth": "2014-02-28"}', "person"),
        (
            '"x.progres_givenname": "Nyaruot",\n"x.progres_dateofbirth": "2014-02-28T00:00:00Z"',
            "person",
        ),
        ("dob: 28.02.2014\nlast name: Beispiel\n", "person"),
        ("case;First name;Last name;Date of birth\n1;Nyaruot;Beispiel;2014-02-28\n", "person"),
        ("name_first,date_of_birth\nNyaruot,2014-02-28\n", "person"),
        ("individual GAM-00000901 was", "individual_number"),
    ],
)
def test_people_are_found(text, kind):
    """K6: addresses, numbers, and names beside birth dates are found, in JSON, YAML, tables and prose."""
    assert kind in {sighting.kind for sighting in people(text, {"individual_number": re.compile(r"[A-Z]{3}-\d{8}")})}


@pytest.mark.parametrize(
    "text",
    [
        "protection@example.org, a@sub.example.org, b@host.test, c@localhost",
        "2026-03-01T10:00:00+03:00",
        "1 + 234567890",
        "+1234",
        '"name_first": data_value("x"), "date_of_birth": date(data_value("y"))',
        "| `name_first` | the first name |\n| `date_of_birth` | YYYY-MM-DD |",
        "date_of_birth: 2014-02-28\n" + "x" * 3000 + "\nname_first: Nyaruot",
        "name_first,date_of_birth\n",
    ],
)
def test_what_is_nobody(text):
    """K6: reserved addresses, times, and mere names of fields are nobody's data."""
    assert [] == list(people(text, {}))


def test_a_call_is_no_secret():
    """R-RT5: in a program only what is written out in quotes is a password."""
    assert [] == list(secrets("password = reveal(credential)"))


def test_no_text_takes_for_ever():
    """Every repetition in the forms has a bound, so that a hostile file takes no longer than its length."""
    forms = [value for value in vars(sightings).values() if isinstance(value, re.Pattern)]
    forms += sightings._EVERYWHERE.values()
    assert len(forms) > 10
    without_classes = [re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", form.pattern) for form in forms]
    assert [] == [form for form in without_classes if re.search("[*+]", form)]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('KEY = {"subscription_key": "abcdefgh"}', "line 3, column 9"),
        ('URL = "https://bridge:sesame@example.org"', "line 3, column 8"),
        ("# eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "line 3, column 3"),
    ],
)
def test_a_job_with_a_secret(tmp_path, line, place):
    """R-RT5: a job script with a literal secret is refused with line and column, before any of it runs."""
    script = tmp_path / "send.py"
    script.write_text(f'"""Sends."""\n\n{line}\nraise RuntimeError\n')

    with pytest.raises(InvalidJob, match=f"send.py, {place}: an? ") as caught:
        load(script)

    assert not re.search("sesame|abcdefgh|eyJ", f"{caught.value} {caught.value.fix}")
