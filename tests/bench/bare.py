"""What the inbox is held against: a bare Starlette route with one committed insert, `python -m tests.bench.bare FILE`.

It has the same server as ours, and does nothing else: no key, no limits, no fingerprint, no encryption.
"""

import socket
import sqlite3
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


def application(file):
    """The route, with a table of its own."""
    db = sqlite3.connect(file, isolation_level=None)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        db.execute(f"PRAGMA {setting}")
    db.execute("CREATE TABLE inbox (number INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    async def post(request):
        db.execute("INSERT INTO inbox (body) VALUES (?)", (await request.body(),))
        return JSONResponse({"kept": True}, 202)

    return Starlette(routes=[Route("/inbox", post, methods=["POST"])])


def main():
    """Serve until killed; says its port."""
    config = uvicorn.Config(
        application(sys.argv[1]), port=0, http="httptools", loop="asyncio", ws="none", lifespan="off", access_log=False,
        log_config=None, server_header=False,
    )  # fmt: skip
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as ours has it
    print(listening.getsockname()[1], flush=True)  # noqa: T201
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
