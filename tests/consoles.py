"""A console for tests: a project of one job, a store, accounts, a browser, and a clock that stands still."""

import asyncio
import base64
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from runner.alerts.conditions import conditions
from runner.alerts.sight import Sight
from runner.console import accounts, totp
from runner.console.app import console
from runner.console.assets import ASSETS
from runner.console.plan import Plan
from runner.console.tongues import languages
from runner.console.visit import Service
from runner.inbox.intake import Intake
from runner.inbox.settings import Settings
from runner.keyfolder import KeyFolder
from runner.project import Job, Project
from runner.store import ItemRecord, Key, Parked, Store
from runner.triggers import Trigger
from runner.vault import Vault
from tests.kept import ERROR, HOUR, NOON, claim, post, run, unit

JOBS = (Job("sort", Path("sort.py"), (Trigger("night", "cron", "30 2 * * *"),)),)
HOST = "127.0.0.1:8081"
UNIT = "0123456789abcdef0123456789abcdef"
RUN = "fedcba9876543210fedcba9876543210"
UNHCR = "GAM-26-00901"
CANARY = "Nyaruot Beispiel"
SCRIPT = "<script>alert(1)</script>"
PAGES = ["/", "/activity", "/activity?of=items", "/activity.csv", f"/runs/{RUN}", "/settle", "/settle/unreachable",
         "/settle/no_service", "/keys", "/setup", "/setup/mapping", "/setup/log", "/setup/log.csv", "/people",
         "/confirm", "/account"]  # fmt: skip


class Console:
    """The console of a folder. `get` and `post` go through the whole application, without sockets, as one browser."""

    def __init__(self, folder, *, at=None, peer="127.0.0.1", plan=None, ends=dict, **settings):
        self.folder = folder
        self.time = NOON
        self._at = at
        self.store = Store.open(folder, at=at, who="service")
        self.vault = Vault(KeyFolder(folder / "keys"), now=lambda: self.time)
        self.vault.ensure_today()
        self.cookies = {}
        self.secrets = {}
        self.jobs = JOBS
        self.setting = Settings("console", **settings)
        known = languages(self.setting.languages)
        service = Service(
            "test", self.store, self._seen, self._acting, self.vault.keyed, lambda: self.time, self._route,
            plan=plan or Plan(), ends=ends, languages=known,
        )  # fmt: skip
        self._transport = httpx.ASGITransport(
            console(service, self.setting), raise_app_exceptions=False, client=(peer, 4711)
        )

    def _seen(self):
        sight = Sight(self.store, self.jobs, self.time)
        return sight, conditions(sight)

    @contextmanager
    def _acting(self, who):
        with Store.open(self.folder, at=self._at, who=who) as store:
            yield store

    def _route(self, store, message):
        return self.intake(store).take_again(message)

    def intake(self, store=None):
        """What takes messages in for the jobs that there are, and routes them anew."""
        project = Project(self.folder / "project.yaml", "test", {job.name: job for job in self.jobs})
        return Intake(store or self.store, self.vault, project, Settings(), now=lambda: self.time)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def account(self, name, role):
        """Make an account, and remember its secrets."""
        password, address = accounts.make(self.store, name, role, now=self.time)
        self.secrets[name] = password, base64.b32decode(parse_qs(urlsplit(address).query)["secret"][0])

    def proof(self, name, **other):
        """What somebody types who knows both secrets of an account."""
        password, secret = self.secrets[name]
        return {"name": name, "password": password, "code": totp.code(secret, totp.step_of(self.time)), **other}

    def enter(self, name="amal", role=None):
        """Sign in, where a role is given with a new account; each time half a minute later, since codes count once."""
        if role:
            self.account(name, role)
        self.time += timedelta(seconds=30)
        return self.post("/enter", self.proof(name))

    def get(self, path, **headers):
        """Ask for a page."""
        return self.send("GET", path, headers)

    def post(self, path, fields=(), **headers):
        """Send a form, as a page of ours would; a header that is None is left out."""
        plain = {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin",
                 "content-type": "application/x-www-form-urlencoded"}  # fmt: skip
        return self.send("POST", path, {**plain, **headers}, urlencode(fields).encode())

    def act(self, path, **fields):
        """Send a form with the token that pages bear."""
        return self.post(path, {"token": self.token(), **fields})

    def token(self):
        """The token of the forms."""
        return re.search(r'name="token" value="(\w+)"', self.get("/").text)[1]

    def send(self, method, path, headers, content=b""):
        """One request, with the cookies that there are."""
        given = {"host": HOST, **{name.replace("_", "-"): value for name, value in headers.items() if value}}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

        async def send():
            async with httpx.AsyncClient(transport=self._transport) as client:
                return await client.request(method, f"http://{HOST}{path}", headers=given, content=content)

        answer = asyncio.run(send())
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer


def fill(console):
    """Something to settle, in which a name, a number and a script are wherever they could get; the console."""
    store = console.store
    post(store, "m1", unit(UNIT))
    error = {**ERROR, "fix": f"Ask about {UNHCR}.", "item": {"individual": UNHCR, "name": CANARY}}
    item = ItemRecord(0, "failed", {"individual": UNHCR}, "unreachable", CANARY, f"Ask about {UNHCR}.")
    failed = replace(run(RUN, unit_id=UNIT, outcome="failed", code="unreachable"), items=(item,))
    store.give_up(claim(store), failed, error=error, expires=NOON + 9 * HOUR, now=NOON)
    parked = Parked("sort", UNHCR, {"individual": UNHCR, "who": SCRIPT}, "no_service", CANARY, f"About {UNHCR}")
    store.settle_scheduled("sort", run("r2", "parked"), parked=[parked], now=NOON)
    store.add_key(Key("k1", "unhcr", b"salt", b"digest", NOON))
    return console


def weight(page):
    """The bytes of a page with the style sheets and scripts that it names, as they are sent to browsers."""
    needed = re.findall(r'(?:href|src)="(/[\w.]+\.(?:css|js))\?\w+"', page)
    assert {"/simple.min.css", "/console.css"} <= set(needed)
    return len(page.encode()) + sum(len(ASSETS[each].packed) for each in needed)
