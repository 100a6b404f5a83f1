"""The search for texts in files, against the tests' own list of forms."""

import base64
import gzip
import os

import pytest
from canaries import forms as independent_forms
from canaries import traces as independent_traces

from runner.traces import forms, search

CHILD = "Zoë Mockomot/Ärger+7"
AROUND = (b"", b"x", b"xy", b"xyz")


def found_in(folder, *texts):
    """The forms in which any of the texts is found."""
    return {trace.form for trace in search([folder], texts).traces}


# Of base64 the tests know fewer letters than are sure, so that they are planted whole, below.
@pytest.mark.parametrize("name", [name for name, _ in independent_forms(CHILD) if "base64" not in name])
def test_every_form_is_found(tmp_path, name):
    """R-ER1 A text is found in each form that the tests know, wherever in a file it stands."""
    (tmp_path / "file").write_bytes(os.urandom(1000) + dict(independent_forms(CHILD))[name] + os.urandom(1000))

    assert found_in(tmp_path, CHILD)


@pytest.mark.parametrize("name", [name for name in forms(CHILD) if "as in a form" not in name])
def test_the_tests_find_as_much(tmp_path, name):
    """R-ER1 The tests' own search finds what this one does, but for spaces that are written as +."""
    (tmp_path / "file").write_bytes(b"xyz" + forms(CHILD)[name] + b"xyz")

    assert independent_traces(tmp_path, CHILD)


@pytest.mark.parametrize("before", AROUND)
@pytest.mark.parametrize("after", AROUND)
def test_base64_at_every_alignment(tmp_path, before, after):
    """R-ER1 Whatever stands around a text when it is encoded in base64, it is found."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        (tmp_path / "file").write_bytes(encode(before + CHILD.encode() + after))
        assert found_in(tmp_path, CHILD)


def test_gzip_is_looked_into(tmp_path):
    """R-ER1 What is packed by gzip is found too, also behind something else; what only looks packed does no harm."""
    (tmp_path / "file").write_bytes(b"\x1f\x8b\x08 not packed" + gzip.compress(CHILD.encode("utf-16-le")))

    assert {"UTF-16, little end first"} == found_in(tmp_path, CHILD)


def test_what_is_told(tmp_path):
    """Files and bytes are counted, and of what was found the file, the text's number, the form and the bytes."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"MOCKOMOT and Mockomot, Mockomot")
    (tmp_path / "clean").write_bytes(b"nobody")

    result = search([tmp_path], ["Nobody's", "Mockomot", "Mockomot"])

    assert (2, 37, 2) == (result.files, result.size, result.texts)
    assert [(1, "UTF-8", 16), (1, "UTF-8, capitals", 8)] == [
        (trace.number, trace.form, trace.size) for trace in result.traces
    ]
    assert {tmp_path / "below" / "file"} == {trace.file for trace in result.traces}
    assert 24 == result.found
    assert "ockomot" not in repr(result)


def test_nothing_is_found_by_chance(tmp_path):
    """In a megabyte of noise no text of five letters is found."""
    (tmp_path / "file").write_bytes(os.urandom(1_000_000))

    assert 0 == search([tmp_path], ["Obang", "مريمء"]).found


def test_a_text_that_is_too_short_is_refused(tmp_path):
    """What would be found everywhere isn't looked for, and the error doesn't tell it."""
    with pytest.raises(ValueError, match="fewer than 5 letters") as refused:
        search([tmp_path], ["Mockomot", "Deng"])
    assert "Deng" not in str(refused.value)
