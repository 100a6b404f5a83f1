"""One service and one Chromium for all tests of the console in a browser, and a visitor for each."""

import pytest
from playwright.sync_api import sync_playwright

from runner.traces import forms
from tests.browser import pages, visitor
from tests.browser.place import Place


@pytest.fixture(scope="session")
def place():
    """A service with a month behind it."""
    with Place() as place:
        yield place


@pytest.fixture(scope="session")
def chromium():
    """The browser. It is never fetched: the system's own is used."""
    if visitor.program() is None:
        pytest.exit("There is no Chromium here: apt-get install chromium", returncode=2)
    with sync_playwright() as playwright, visitor.launched(playwright) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def state(chromium, place, tmp_path_factory):
    """What the browser of an administrator keeps who has signed in, and stays."""
    amal = visitor.Visitor(chromium, place, tmp_path_factory.mktemp("amal"))
    amal.enter("amal")
    kept = amal.context.storage_state()
    amal.close()
    return kept


@pytest.fixture(scope="session")
def walked(chromium, place, state):
    """The addresses of all pages, and of what is taken along, by their ways."""
    with chromium.new_context(base_url=place.url, storage_state=state) as context:
        return pages.walked(context.request)


@pytest.fixture
def visit(chromium, place, tmp_path):
    """Begins a visit; whatever the browsers of a test received is searched when it ends, and nothing may be wrong."""
    begun = []

    def begin(**options):
        begun.append(visitor.Visitor(chromium, place, tmp_path, **options))
        return begun[-1]

    yield begin
    received = [each for one in begun for each in one.close()]
    assert [] == [sentence for one in begun for sentence in one.wrong]
    assert [] == list(betrayals(place, received))


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request):
    """Whether browsers run scripts."""
    return request.param


@pytest.fixture
def amal(visit, state):
    """The visit of an administrator who has signed in."""
    return visit(storage_state=state)


def betrayals(place, received):
    """The addresses and forms in which a child's data came."""
    wanted = [(name, form) for canary in place.canaries for name, form in forms(canary).items()]
    for each in received:
        text = b"\n".join([each.url.encode(), each.headers.encode(), each.body])
        yield from ((each.url, name) for name, form in wanted if form in text)
