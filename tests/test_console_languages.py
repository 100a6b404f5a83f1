"""The console's languages: nothing is left in English, nobody's catalogue breaks a page, and who reads what."""

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from runner.console import tongues
from runner.errors import InvalidProject
from tests.consoles import PAGES, UNHCR, Console, fill

PROGRAM = Path(__file__).parent.parent / "docs" / "make_messages.py"
OURS = sorted(path.stem for path in tongues.OURS.glob("*.po"))
WORD = "⟦{}⟧"
WITHOUT_WORDS = ("code", "bdi", "script", "style")
EVERY = [*(path for path in PAGES if ".csv" not in path), "/audit", "/enter", "/nothing"]
VOID = ("meta", "link", "input", "br", "path")


@pytest.fixture(scope="module")
def messages():
    """What makes the catalogues."""
    spec = importlib.util.spec_from_file_location("make_messages", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put(folder, name, translations, flags=()):
    """A catalogue in a country's folder."""
    folder.mkdir(exist_ok=True)
    catalogue = Catalog()
    for message, translation in translations.items():
        catalogue.add(message, translation, flags=flags)
    with (folder / name).open("wb") as file:
        write_po(file, catalogue)
    return folder


class Texts(HTMLParser):
    """The texts of a page that are read in its language, whole elements and what stands for them."""

    def __init__(self):
        super().__init__()
        self.inside, self.found = [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.found += [given[name] for name in ("aria-label", "title") if name in given and tag != "html"]
        if tag not in VOID:
            other = tag in WITHOUT_WORDS or ("lang" in given and tag != "html")
            self.inside.append(other or (bool(self.inside) and self.inside[-1]))

    def handle_startendtag(self, tag, attributes):
        """One that holds nothing."""

    def handle_endtag(self, tag):
        self.inside.pop()

    def handle_data(self, data):
        if self.inside and not self.inside[-1]:
            self.found.append(data)


def texts(html):
    read = Texts()
    read.feed(html)
    return read.found


def test_the_template(messages):
    """messages.pot has all that the pages say, and nothing else: run make messages."""
    assert messages.TEMPLATE.read_bytes() == messages.written(messages.template())


@pytest.mark.parametrize("code", OURS)
def test_whole(code, messages):
    """Our catalogues lack no message, and have none that is no longer said: run make messages, and translate."""
    said = {message.id for message in messages.template() if message.id}
    assert said == set(tongues.languages()[code].messages)
    path = tongues.OURS / f"{code}.po"
    assert path.read_bytes() == messages.written(messages.brought_up(path, messages.template()))


def test_ours():
    """There are English, French, and Arabic from right to left, each by its own name."""
    known = tongues.languages()
    assert {"en": ("English", "ltr"), "fr": ("français", "ltr"), "ar": ("العربية", "rtl")} == {
        code: (language.name, language.direction) for code, language in known.items()
    }


def test_nothing_is_left_in_english(tmp_path, messages):
    """Every text of every page is in a catalogue, so that another language leaves none in English."""
    marked = {each.id: _marked(each.id) for each in messages.template() if each.id}
    with Console(tmp_path / "data", languages=put(tmp_path / "more", "sw.po", marked)) as console:
        fill(console)
        console.enter("amal", role="administrator")
        console.cookies["language"] = "sw"
        left = {path: _left(console.get(path).text) for path in EVERY}
        left["/find"] = _left(console.act("/find", id=UNHCR).text)
    assert {} == {path: found for path, found in left.items() if found}


def _marked(message):
    return WORD.format(message)


def _left(html):
    """What has letters and stands in no catalogue, nor is a name or code."""
    names = re.compile(r"\b(test|sort|amal|unreachable|no service|unhcr|\d+ \w+ \d+ \d\d:\d\d UTC)\b")
    rests = [names.sub("", _outside(text)).strip() for text in texts(html)]
    return {rest for rest in rests if any(sign.isalpha() for sign in rest)}


def _outside(text):
    """What is left of a text without what stands between the marks, also within one another."""
    depth, rest = 0, ""
    for sign in text:
        depth += (sign == "⟦") - (sign == "⟧")
        rest += sign if depth == 0 and sign not in "⟦⟧" else ""
    return rest


@pytest.mark.parametrize("code", OURS)
def test_every_page(code, tmp_path):
    """Every page tells its language and direction, for the browser and for who hears it read."""
    language = tongues.languages()[code]
    with Console(tmp_path / "data") as console:
        fill(console)
        console.enter("amal", role="administrator")
        console.cookies["language"] = code
        for path in EVERY:
            assert f'<html lang="{code}" dir="{language.direction}">' in console.get(path).text


def test_who_reads_what():
    """Who has chosen a language gets it; others get what their browser wants first, else English."""
    known = tongues.languages()
    asked = [("fr", "ar"), ("", "ar-SD, fr;q=0.9"), ("", "de, fr;q=0.2, ar;q=0.5"), ("", "fr;q=0, *;q=0.5"), ("xx", "")]
    assert ["fr", "ar", "ar", "en", "en"] == [tongues.chosen(known, *each).code for each in asked]


@pytest.mark.parametrize("told", ["fr" * 5000, "fr;q=", ",;=,", "../fr", "fr\x00", "<script>", "fr;q=1e9", "٣;q=٣"])
def test_nonsense_is_english(told):
    """What isn't a browser's wish for a language is English, whatever it is."""
    assert "en" == tongues.chosen(tongues.languages(), told, told).code


def test_choosing(tmp_path):
    """A language is chosen without an account, for a year, by a cookie that no script reads; nonsense changes none."""
    with Console(tmp_path / "data") as console:
        given = console.post("/language", {"language": "ar"}).headers["set-cookie"].lower()
        assert given.startswith("language=ar;")
        assert {"httponly", "samesite=strict", "path=/"} < {part.strip() for part in given.split(";")}
        assert '<html lang="ar" dir="rtl">' in console.get("/enter").text
        assert "set-cookie" not in console.post("/language", {"language": "../../etc"}).headers
        assert '<html lang="ar"' in console.get("/nothing").text
        assert 403 == console.post("/language", {"language": "fr"}, origin="https://elsewhere.example").status_code


def test_words_of_ours(tmp_path):
    """What needs a look, what a code means, times and words of ours are told in the page's language."""
    with Console(tmp_path / "data") as console:
        fill(console)
        console.enter("amal", role="viewer")
        console.cookies["language"] = "fr"
        overview, settle, runs = (console.get(path).text for path in ("/", "/settle", "/activity"))
    assert "sort\u00a0: 1 abandonnés (unreachable)" in overview
    assert "Aucune connexion avec l&#39;autre côté." in settle
    assert "1 mars 2026 12:00 UTC" in runs


def test_a_countrys_own(tmp_path):
    """A country adds a language and mends a message of ours; what its catalogue lacks or has as fuzzy is ours."""
    folder = put(tmp_path / "more", "fr.po", {"Overview": "Tableau de bord"})
    put(folder, "sw.po", {"Overview": "Muhtasari"})
    put(folder, "ar.po", {"Overview": "Guessed"}, flags=("fuzzy",))
    known = tongues.languages(folder)
    assert ["Tableau de bord", "À régler"] == [known["fr"].text(text) for text in ("Overview", "To settle")]
    assert "نظرة عامة" == known["ar"].text("Overview")
    assert ["Muhtasari", "To settle"] == [known["sw"].text(text) for text in ("Overview", "To settle")]


@pytest.mark.parametrize("translation", ["Run", "Run %(other)s", "Run %(id)s {id}", "%(id)s 100 %"])
def test_a_translation_that_does_not_fit(tmp_path, translation):
    """A catalogue whose messages a page can't be filled with is refused when the service begins."""
    folder = put(tmp_path / "more", "sw.po", {"Run %(id)s": translation})
    with pytest.raises(InvalidProject, match=r"sw\.po: message 1 has other places to fill in") as caught:
        tongues.languages(folder)
    assert "%(name)s" in caught.value.fix


def test_ids_do_not_turn_words():
    """Where one reads from right to left, what is put into a message stands by itself, and turns no word around it."""
    assert "\u2068%(id)s\u2069" in tongues.languages()["ar"].text("Run %(id)s")


def test_a_translation_is_text(tmp_path):
    """What a catalogue writes is shown as text, and can neither become markup nor leave its attribute."""
    folder = put(tmp_path / "more", "sw.po", {"Pages": 'a" onclick="b', "Sign in": "<script>alert(1)</script>"})
    with Console(tmp_path / "data", languages=folder) as console:
        console.cookies["language"] = "sw"
        entry = console.get("/enter").text
        console.enter("amal", role="viewer")
        page = console.get("/").text
    assert "&lt;script&gt;" in entry
    assert "<script>alert" not in entry
    assert 'aria-label="a&#34; onclick=&#34;b"' in page


@pytest.mark.parametrize(("name", "content"), [("klingon.po", b""), ("sw.po", b"msgid"), ("sw.po", b'msgid "a\xff"\n')])
def test_a_catalogue_that_can_not_be_read(tmp_path, name, content):
    """A file that is named after no language, or is no catalogue, is refused by its name."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidProject, match=name):
        tongues.languages(tmp_path)


def test_no_folder(tmp_path):
    """A folder that isn't there is told, not left out."""
    with pytest.raises(InvalidProject, match="no folder"):
        tongues.languages(tmp_path / "more")
