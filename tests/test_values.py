"""Look-ups, dates, ages and plain text (adaptors/values.py)."""

import datetime
import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptors.common import age, data_value, date, derive, join, lookup, text
from adaptors.errors import InvalidData, JobError, MappingError
from adaptors.promises import resolve
from adaptors.runtime import Runtime
from adaptors.values import code_text

SEXES = {"125080000": "female", "125080001": "male"}
SERVICES = {"Alternative Care": "alternative_care", "BID": "bid"}


def today(*day):
    """A state whose clock stands at noon of a day."""
    runtime = Runtime()
    runtime.now = lambda: datetime.datetime(*day, 12, tzinfo=datetime.UTC)
    return {"runtime": runtime}


@pytest.mark.parametrize("value", ["125080001", 125080001, 125080001.0], ids=["text", "number", "decimal"])
def test_codes_as_text_or_number(value):
    """H30: option sets arrive as text or as numbers and are compared as text."""
    assert "male" == lookup(SEXES, value)


@pytest.mark.parametrize("value", ["Alternative Care", "alternative care", "ALTERNATIVE CARE"])
def test_letter_case_is_ignored(value):
    """H12: letter case doesn't decide."""
    assert "alternative_care" == lookup(SERVICES, value)


def test_keys_that_differ_in_letter_case_only():
    """H12: two keys that differ in letter case only stand for themselves; a third spelling is none of them."""
    table = {"ab": 1, "AB": 2, "x": 3}

    assert [1, 2, 3] == [lookup(table, key) for key in ("ab", "AB", "X")]
    with pytest.raises(MappingError):
        lookup(table, "Ab")


@pytest.mark.parametrize("value", [None, ""])
def test_absent_stays_absent(value):
    """What is absent, null or empty stays absent, with a default too."""
    assert None is lookup(SEXES, value)
    assert None is lookup(SEXES, value, default="unknown")


def test_closed_unless_a_default_is_written():
    """H30: an unknown code is an error; where a default is written, None among them, it is that."""
    with pytest.raises(MappingError) as caught:
        lookup(SEXES, "125080009")
    assert ("unknown_code", "refused") == (caught.value.code, caught.value.outcome)
    assert "unknown" == lookup(SEXES, "125080009", default="unknown")
    assert None is lookup(SEXES, "125080009", default=None)
    assert "kept" == resolve(lookup(SEXES, "x", default=data_value("sex")), {"data": {"sex": "kept"}})


def test_lists_element_by_element():
    """H29: in a list each is looked up by itself; empty elements are left out, an unknown one spoils no other."""
    assert ["female", "other", "male"] == lookup(SEXES, ["125080000", "", "?", None, 125080001], default="other")
    with pytest.raises(MappingError):
        lookup(SEXES, ["125080000", "?"])


def test_error_names_table_key_and_job_file():
    """A missing key is told by table, key and job file, with a fix that names the table."""
    with pytest.raises(MappingError, match=r'^SERVICES in test_values\.py has no key "Cash 1_a/b-c\."$') as caught:
        lookup(SERVICES, "Cash 1_a/b-c.")
    assert "SERVICES" in caught.value.fix


@pytest.mark.parametrize("key", ["x" * 41, "Nyaruot\nBeispiel", "ንያሩት", "a@example.org", {"Name": "Abeba"}])
def test_strange_keys_are_not_shown(key):
    """H41: a key that is long or strange may be somebody's data, so only its length is told."""
    with pytest.raises(MappingError) as caught:
        lookup(SERVICES, key)

    assert f"SERVICES in test_values.py has no key of {len(str(key))} characters" == str(caught.value)


def test_field_and_code_of_a_missing_key():
    """In a mapping the error also names the field; the table may have a code of its own."""
    promise = lookup(SERVICES, data_value("interventiontype.progres_description"), code="not_agreed")

    with pytest.raises(MappingError, match=r"^interventiontype\.progres_description: SERVICES in ") as caught:
        resolve(promise, {"data": {"interventiontype.progres_description": "Cash"}})

    assert ("not_agreed", ("interventiontype.progres_description",)) == (caught.value.code, caught.value.fields)


@pytest.mark.parametrize("table", [None, ["a"], {1: "one"}], ids=["none", "list", "numbers"])
def test_table_must_have_text_keys(table):
    """A table whose keys could never be found is refused when the job is loaded."""
    with pytest.raises(JobError, match="text keys"):
        lookup(table, data_value("sex"))


@pytest.mark.parametrize(
    ("value", "day", "moment"),
    [
        ("2014-02-28", "2014-02-28", "2014-02-28T00:00:00Z"),
        (" 2012-02-29T21:00:00Z ", "2012-02-29", "2012-02-29T21:00:00Z"),
        ("2026-05-04T00:00:00.0000000Z", "2026-05-04", "2026-05-04T00:00:00Z"),
        ("2026-05-04 01:30:00+03:00", "2026-05-04", "2026-05-03T22:30:00Z"),
        ("2026-05-04T10:15", "2026-05-04", "2026-05-04T10:15:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01", "0001-01-01T00:00:00Z"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_dates(value, day, moment):
    """H28: the date part as it stands; with time, the moment in UTC, midnight for a bare date."""
    assert day == date(value)
    assert moment == date(value, time=True)


@pytest.mark.parametrize(
    "value",
    [
        *"2014-02-30 2011-02-29 14-02-28 28/02/2014 20140228 2014-2-8 2014-02 ٢٠١٤-٠٢-٢٨ yesterday".split(),
        *"2014-02-28T25:00 2014-02-28T24:00:00Z 2014-02-28Tx 2014-02-28T10:00:00+99:00".split(),
        "0001-01-01T00:00:00+05:00",  # in UTC a day before there are any
        *(20140228, 1.5, True, ["2014-02-28"], {"Name": "2014-02-28"}, "2014-02-28\n2014-03-01"),
    ],
)
def test_no_dates(value):
    """H28: what is no real ISO date is refused, never guessed, and not shown."""
    for time in (False, True):
        with pytest.raises(InvalidData) as caught:
            date(value, time=time)
        assert "not a real date of the form YYYY-MM-DD" == str(caught.value)


@given(st.dates())
def test_every_date_is_kept(day):
    """H28: every day of the calendar comes back as it was given."""
    assert day.isoformat() == date(day.isoformat())
    assert f"{day.isoformat()}T00:00:00Z" == date(day.isoformat(), time=True)


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        ("2012-02-29", (2026, 2, 28), 13),
        ("2012-02-29", (2026, 3, 1), 14),
        ("2012-02-29", (2028, 2, 28), 15),
        ("2012-02-29", (2028, 2, 29), 16),
        ("2014-05-04", (2026, 5, 3), 11),
        ("2014-05-04T00:00:00Z", (2026, 5, 4), 12),
        ("2026-05-04", (2026, 5, 4), 0),
        (None, (2026, 5, 4), None),
        ("", (2026, 5, 4), None),
    ],
)
def test_age_in_completed_years(birth, day, years):
    """H28: age is completed years on the day that the run's clock tells, 29 February included."""
    assert years == resolve(age(data_value("birth")), {**today(*day), "data": {"birth": birth}})


@pytest.mark.parametrize("birth", ["2026-05-05", "2014-13-01", "14"])
def test_age_of_nobody(birth):
    """H28: a birth date in the future, or none at all, is refused, and the field is named."""
    with pytest.raises(InvalidData, match=r"^birth: ") as caught:
        resolve(age(data_value("birth")), {**today(2026, 5, 4), "data": {"birth": birth}})

    assert ("birth",) == caught.value.fields


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("<p>Lives with <b>aunt</b> &amp; uncle</p><p>Nasir</p>", "Lives with aunt & uncle\nNasir"),
        ("one<br/>two<BR>three<br />four", "one\ntwo\nthree\nfour"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ('<span style="color:red">x</span> <a href="#">y</a>', "x y"),
        ("&lt;b&gt; stays, &quot;so&quot;&#33; &#x21; &eacute;", '<b> stays, "so"! ! é'),
        ("AT&T, R&D; &unknownthing; & alone", "AT&T, R&D; &unknownthing; & alone"),
        ("weight < 20 kg, height > 1 m", "weight < 20 kg, height > 1 m"),
        ("<Nyaruot> said <3", "<Nyaruot> said <3"),
        ("a<!-- hidden -->b<STYLE>p{}</Style>c<script>alert(1)</script>d", "abcd"),
        ("a<!-- never closed", "a<!-- never closed"),
        ("İİİİİİ<b>x</b><!-- hidden -->y", "İİİİİİxy"),
        ("  two  blanks \n\n kept  ", "two  blanks \n\n kept"),
        ("line\r\nline\rline", "line\nline\nline"),
        ("a\x00b\x07c\x1bd\x7fe\tf", "abcde\tf"),
        ("a&#0;b&#7;c&#13;d&nbsp;", "a\ufffdbcd"),
        ("ab\ud800cd", "ab?cd"),
        ("أحمد <b>مثال</b> \u200fنصير", "أحمد مثال \u200fنصير"),
        ("ንያሩት 👧🏾", "ንያሩት 👧🏾"),
        (" <p> </p> ", None),
        ("", None),
        (None, None),
        (911, "911"),
        (911.0, "911"),
        (0, "0"),
    ],
)
def test_plain_text(value, plain):
    """Markup, hidden parts and controls go, lines and entities stay as people read them, and so does every script."""
    assert plain == text(value)


@pytest.mark.parametrize("value", [{"Name": "x"}, ["x"], True], ids=["object", "list", "tick"])
def test_no_text(value):
    """An object, a list or a tick is refused where text belongs, in words without its value."""
    with pytest.raises(InvalidData, match=r"^notes: an object, a list or a tick where text belongs$"):
        resolve(text(data_value("notes")), {"data": {"notes": value}})


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("<>/&#;x19 abpr!-\n\r\t\x00\x1f\xa0İé")))
def test_any_text_becomes_plain(value):
    """Whatever comes in, no control and no blank at the ends goes out, and it can be sent as UTF-8."""
    plain = text(value) or ""

    plain.encode("utf-8")
    assert plain == plain.strip()
    assert not set(plain) & {chr(code) for code in (*range(9), *range(11, 32), 127)}


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_escaped_text_comes_back(value):
    """What a careful sender has escaped as HTML comes back as it was."""
    assert value.strip() == (text(html.escape(f"{value}")) or "")


HOSTILE = {
    "tags that never end": ("<a b='", "<a b='" * 10),
    "nothing but <": ("<", "<" * 10),
    "comments that never end": ("<!--", "<!--" * 10),
    "entities that never end": ("&#1", "&#1" * 10),
    "styles that never end": ("<style", "<style" * 10),
    "paragraphs": ("<p>", ""),
    "blanks and lines": (" \n", ""),
}


@pytest.mark.parametrize(("piece", "sample"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text(piece, sample):
    """A million hostile pieces give what ten of them give, only longer; quadratic work would never end."""
    assert sample == (text(piece * 10) or "")
    assert sample * 100_000 == (text(piece * 1_000_000) or "")


def test_ten_megabytes_of_notes():
    """Notes of 10 MB become plain text whole."""
    assert "ab cd&ef " * 1_000_000 + "x" == text("<p>" + "ab cd&amp;ef " * 1_000_000 + "x")


def test_joining():
    """What is empty is left out, also in lists and after markup is gone; nothing at all is absent."""
    assert "Gambella, Itang, 6" == join(", ", "Gambella", None, "", " ", ["Itang", "<br>", None], 6)
    assert None is join(" ", None, "", [], "<p></p>")
    assert "a, b" == resolve(join(", ", data_value("x"), data_value("gone"), "b"), {"data": {"x": "a"}})


def test_values_within_a_function():
    """The same words work on values at hand, in functions of the job script."""

    def notes(reason, sex):
        return join(": ", text(reason), lookup(SEXES, sex))

    assert "alone: male" == resolve(derive(notes, "reason", "sex"), {"data": {"reason": "<b>alone", "sex": 125080001}})


@pytest.mark.parametrize(("value", "code"), [(7, "7"), (7.0, "7"), (7.5, "7.5"), ("7", "7"), (True, "true")])
def test_code_as_text(value, code):
    """Codes are texts, whatever the sender's JSON made of them."""
    assert code == code_text(value)
