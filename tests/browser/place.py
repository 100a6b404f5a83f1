"""A service with a month behind it, on real sockets: `runner serve --console` between stand-ins that listen."""

import base64
import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from adaptors.sandbox.listening import ListeningSandbox
from runner import keys
from runner.console import accounts, sessions, totp
from runner.store import Store
from tests.browser import past

MEMORY = Path("/dev/shm")
LABELS = ("dtp", "rehearsal", "training")  # of the inbox's keys
LONGEST = 60  # seconds that something may take


def awaited(wanted, look):
    """Look until it is what is wanted; what it is in the end."""
    until = time.monotonic() + LONGEST
    while (found := look()) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return found


class Place:
    """The service in a folder that is gone afterwards. `url` is the console's, `inbox` that of the inbox.

    `canaries` are what no browser may receive; `keys` are the inbox's by label.
    """

    def __init__(self):
        self._held = ExitStack()
        temporary = tempfile.TemporaryDirectory(prefix="browser-", dir=MEMORY if MEMORY.is_dir() else None)
        self.folder = Path(self._held.enter_context(temporary))
        project = past.project_in(self.folder)
        sandbox = past.lived(project)
        self.canaries = past.canaries(sandbox)
        listening = self._held.enter_context(ListeningSandbox(sandbox))
        listening.write_credentials(self.folder / "credentials")
        self._secrets = {}
        with self.store() as store:
            self.keys = {label: keys.create(store, label, now=_now()) for label in LABELS}
        made = self._command("console", "add-user", "amal", "--role", "administrator")
        self._remember("amal", made["password"], made["authenticator"])
        self._start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._held.close()

    def store(self):
        """The service's store, beside it, as a command opens it."""
        return Store.open(self.folder / "data", who="test")

    def account(self, name, role):
        """Make an account; its name."""
        with self.store() as store:
            self._remember(name, *accounts.make(store, name, role, now=_now()))
        return name

    def proof(self, name):
        """What an account's holder types into the fields of these names. Each code counts once."""
        password, secret = self._secrets[name]
        return {"name": name, "password": password, "code": totp.code(secret, totp.step_of(_now()))}

    def stale_session(self, name):
        """The secret of a session whose holder proved a quarter of an hour ago who they are."""
        with self.store() as store:
            return sessions.begin(store, name, now=_now() - timedelta(minutes=15))

    def post(self, message, key):
        """Send a message to the inbox, as DTP does; the status of its answer."""
        return httpx.post(self.inbox, json=message, headers={"x-api-key": key}).status_code

    def status(self, unit):
        """What has become of a unit of work."""
        with self.store() as store:
            return store.unit(unit).status

    def _remember(self, name, password, authenticator):
        secret = base64.b32decode(parse_qs(urlsplit(authenticator).query)["secret"][0])
        self._secrets[name] = password, secret

    def _command(self, *words):
        command = [sys.executable, "-m", "runner", *words, "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=LONGEST, check=True)
        return json.loads(done.stdout)

    def _start(self):
        command = [sys.executable, "-m", "runner", "serve", "--console", "--json"]
        log = self._held.enter_context((self.folder / "log").open("wb"))
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True)
        self._held.enter_context(process)
        self._held.callback(_stop, process)
        told = json.loads(process.stdout.readline() or "{}")
        if not told:
            raise AssertionError((self.folder / "log").read_text("utf-8"))
        self.url, self.inbox = told["console"], f"{told['url']}/inbox"


def _stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(LONGEST)
    finally:
        process.kill()


def _now():
    return datetime.now(UTC)
