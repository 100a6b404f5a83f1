"""Each page of the console that links lead to, found by following them, so that a new page is looked at by itself."""

import re
from collections import deque
from html.parser import HTMLParser

from runner.console.ways import WAYS

BEGINNINGS = ("/", "/confirm")  # the second is only led to when something is to be changed
ASKED = [way.path for way in WAYS if way.method == "GET"]


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a" and (address := dict(attrs).get("href", "")).startswith("/"):
            self.found.append(address.partition("#")[0])


def way_of(address):
    """The path of the way that an address goes; None where there is none.

    >>> way_of("/settle/unreachable?x=1")
    '/settle/{code}'
    """
    path = address.partition("?")[0]
    return next((way for way in ASKED if re.fullmatch(re.sub(r"{\w+}", "[^/]+", way), path)), None)


def walked(request):
    """One address for each way that links lead to, by the way: those of pages, and those of what is taken along.

    `request` are the requests of somebody who may look at everything.
    """
    pages, taken, waiting = {}, {}, deque(BEGINNINGS)
    while waiting:
        address = waiting.popleft()
        way = way_of(address)
        if way in pages or way in taken:
            continue
        answer = request.get(address)
        assert 200 == answer.status, address
        if answer.headers["content-type"].startswith("text/html"):
            pages[way] = address
            waiting.extend(Links(answer.text()).found)
        else:
            taken[way] = address
    return pages, taken
