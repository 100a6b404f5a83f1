"""Somebody's browser before the console: what it does, all that it received, and whatever was wrong with that."""

import base64
import json
import shutil
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from playwright.sync_api import expect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run",
    "--disable-sync",
]  # fmt: skip
PATIENCE = 20_000  # milliseconds that a browser waits for what must come
# Told as an error of the page, so that it is noticed as any other.
REPORT = """document.addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`))"""

_number = count()


def program():
    """Where Chromium is on this machine; None where it isn't."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launched(playwright):
    """Chromium, not yet looking at anything."""
    expect.set_options(timeout=PATIENCE)
    return playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)


@dataclass(frozen=True)
class Received:
    """One answer as the browser received it; `size` is in bytes as they came over the socket, headers included."""

    url: str
    status: int
    headers: str
    body: bytes
    size: int


class Visitor:
    """A browser of its own, without cookies unless a `state` is given. `page` is its only window.

    `wrong` are the errors that its pages told, the policy's reports among them, and requests to anybody else; what a
    page asked for and was refused is none of them. `close` gives all that was received.
    """

    def __init__(self, chromium, place, folder, **options):
        self._kept = folder / f"{next(_number)}.har"
        self._place = place
        self.context = chromium.new_context(
            base_url=place.url, record_har_path=self._kept, record_har_content="embed", **options
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(REPORT)
        self.wrong = []
        self._received = None
        self.context.on("console", self._told)
        self.context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        self.context.on("request", self._asked)
        self.page = self.context.new_page()

    def open(self, path):
        """Go to a page; its status."""
        return self.page.goto(path).status

    def enter(self, name):
        """Sign in."""
        self.open("/enter")
        self.prove(name)
        expect(self.page.locator("nav")).to_be_visible()

    def keep_on(self, name):
        """Go on with a session in which somebody proved a while ago who they are."""
        cookie = {"name": "console", "value": self._place.stale_session(name), "url": self._place.url}
        self.context.add_cookies([cookie])

    def prove(self, name):
        """Fill in the form that asks who it is, and send it."""
        for field, text in self._place.proof(name).items():
            if (found := self.page.locator(f"#{field}")).count():
                found.fill(text)
        self.page.locator("main form button").click()

    def close(self):
        """End the browser, if that wasn't done; all that it received."""
        if self._received is None:
            self.context.close()
            entries = json.loads(self._kept.read_text("utf-8"))["log"]["entries"]
            self._received = [_received(entry) for entry in entries]
        return self._received

    def _told(self, message):
        # That an answer's status was 403 or 404 is no fault of the page.
        if message.type == "error" and "the server responded with a status" not in message.text:
            self.wrong.append(message.text)

    def _asked(self, request):
        if urlsplit(request.url)[:2] != urlsplit(self._place.url)[:2]:
            self.wrong.append(f"asked somebody else: {request.url}")


def _received(entry):
    answer = entry["response"]
    content = answer["content"]
    text = content.get("text", "")
    body = base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()
    headers = "\n".join(f"{each['name']}: {each['value']}" for each in answer["headers"])
    return Received(entry["request"]["url"], answer["status"], headers, body, answer["_transferSize"])
