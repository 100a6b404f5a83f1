"""An inbox for tests: a project of two jobs, a store and a vault in a folder, a key, and a clock that stands still."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx

from runner import keys
from runner.inbox.app import inbox
from runner.keyfolder import KeyFolder
from runner.logs.log import Log, as_json
from runner.project import Job, Project
from runner.store import Store
from runner.triggers import Trigger
from runner.vault import Vault

BEGUN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
JOBS = {
    "sort": Job(
        "sort",
        Path("sort.py"),
        (Trigger("posted", "message", {"type": "parts"}, split="$.parts[*]", subject="$.parts[*]['child.id']"),),
    ),
    "whole": Job("whole", Path("whole.py"), (Trigger("all", "message", {"type": "whole"}),)),
    "off": Job("off", Path("off.py"), (Trigger("never", "message", {"type": "off"}),), enabled=False),
}


class Inbox:
    """The inbox of a folder. `post` goes through the whole application, without sockets."""

    def __init__(self, folder, *, store=None, peer="127.0.0.1", **settings):
        self.folder = folder
        self.time = BEGUN
        self.told = []
        log = Log(lambda _, line: self.told.append(json.loads(line)), now=lambda: self.time, form=as_json)
        self.store = store or Store.open(folder)
        self.vault = Vault(KeyFolder(folder / "keys"), now=lambda: self.time)
        self.key = keys.create(self.store, "unhcr", now=self.time)
        self.project = Project(folder / "project.yaml", "test", JOBS, settings={"inbox": settings})
        self.app = inbox(self.store, self.vault, self.project, now=lambda: self.time, log=log, random=Random(1))
        self._transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(peer, 4711))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def post(self, message=None, *, content=None, headers=None, path="/inbox", method="POST", key=None):
        """Post one message, with the right key unless told otherwise; `key=""` sends none."""
        return self.run([self.request(message, content=content, headers=headers, path=path, method=method, key=key)])[0]

    def request(self, message=None, *, content=None, headers=None, path="/inbox", method="POST", key=None):
        """The arguments of one request, for `run`."""
        key = self.key if key is None else key
        given = {
            "content-type": "application/json",
            **({"x-api-key": key.encode("latin-1")} if key else {}),
            **(headers or {}),
        }
        body = json.dumps(message or {}).encode() if content is None else content
        return {"method": method, "url": f"http://inbox{path}", "headers": given, "content": body}

    def run(self, requests):
        """Send all requests at once; their answers in order."""

        async def send():
            async with httpx.AsyncClient(transport=self._transport) as client:
                return await asyncio.gather(*(client.request(**request) for request in requests))

        return asyncio.run(send())
