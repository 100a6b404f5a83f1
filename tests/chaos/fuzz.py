"""Requests that nobody would write, at the real service: `python -m tests.chaos.fuzz --requests 20000`.

Every answer must be one of ours and repeat nothing; nothing may grow: memory, threads, descriptors, files.
"""

import argparse
import json
import shutil
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from runner import keys
from runner.inbox.answers import REFUSALS
from runner.store import Store
from tests.canaries import traces
from tests.chaos.processes import Service, free_port, memory_folder
from tests.nonsense import CANARY, METHODS, PATHS, body, headers, is_ours

SENDERS = 4
PATIENCE = 20  # seconds for an answer: longer than any that the service gives a sender
NO_HTTP = b"Invalid HTTP request received."
# What may be more in the end than after the first quarter: pools fill up late.
MARGINS = {"megabytes": 40, "threads": 10, "descriptors": 40, "files": 40}
JOB = '"""Keeps nothing. When a message comes."""\n\n\ndef done(state):\n    return state\n\n\noperations = [done]\n'
PROJECT = """\
name: fuzz
jobs:
  sort: {{script: done.py, trigger: parts}}
  whole: {{script: done.py, trigger: whole}}
  off: {{script: done.py, trigger: off, enabled: false}}
triggers:
  parts: {{message: {{type: parts}}, split: "$.parts[*]", subject: "$.parts[*]['child.id']"}}
  whole: {{message: {{type: whole}}}}
  off: {{message: {{type: "off"}}}}
inbox: {{port: {port}, rate: 1000000000, limits: {{seconds: 0.2}}}}
"""
STRANGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"POST /inbox HTTP/9.9\r\n\r\n", b"\0" * 100,
    b"POST /inbox HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /inbox HTTP/1.1\r\nx: " + CANARY.encode() * 5000 + b"\r\n\r\n", b"\r\n" * 50 + b"POST",
]  # fmt: skip


def main(arguments=None):
    """Send them all; 0 when every answer is right and nothing has grown."""
    parser = argparse.ArgumentParser("python -m tests.chaos.fuzz", description=__doc__.partition(": ")[0])
    parser.add_argument("--requests", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (1)")
    options = parser.parse_args(arguments)
    folder = memory_folder("fuzz-")
    begun = time.monotonic()
    try:
        statuses, wrong = prove(folder, options.requests, options.seed)
    finally:
        shutil.rmtree(folder)
    told = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
    print(f"{sum(statuses.values())} requests: {told}; {time.monotonic() - begun:.0f} s")  # noqa: T201
    for each in wrong[:50]:
        print(f"VIOLATED: {each}")  # noqa: T201
    return 1 if wrong else 0


def prove(folder, requests, seed):
    """`(how many answers of each status, violations)`; status 0 is for connections that were hung up."""
    port = free_port()
    (folder / "done.py").write_text(JOB)
    (folder / "project.yaml").write_text(PROJECT.format(port=port))
    with Store.open(folder / "data") as store:
        key = keys.create(store, "unhcr", now=datetime.now(UTC))
    service = Service(folder)
    try:
        service.start()
        wait_for(port)
        quarter = requests // 4
        with ThreadPoolExecutor(SENDERS) as pool:

            def sent(first, number):
                parts = (Random(f"{seed}/{first}/{sender}") for sender in range(SENDERS))
                results = pool.map(lambda draw: talk(port, key, draw, number // SENDERS), parts)
                return [answer for answers in results for answer in answers]

            answers = sent(0, quarter)
            early = size(service.pid, folder)
            answers += sent(1, requests - quarter)
            late = size(service.pid, folder)
        wrong = [complaint for answer in answers if (complaint := complaint_about(*answer))]
        wrong += [f"{early[name]} {name} became {late[name]}" for name, more in MARGINS.items()
                  if late[name] > early[name] + more]  # fmt: skip
        code = service.stop()
        wrong += [f"the service ended with {code}: {service.last_words()}"] * (code != 0)
    finally:
        service.away()
    wrong += [f"a trace in {place}/{file} ({form})" for place in ("data", "logs", "tmp")
              for file, form in traces(folder / place, CANARY)]  # fmt: skip
    wrong += ["a traceback in the log"] * ("Traceback" in (folder / "logs" / "service.txt").read_text())
    return Counter(status for status, _, _ in answers), wrong


def wait_for(port):
    """Until somebody listens."""
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the service doesn't listen")


def size(pid, folder):
    """How much of everything the service has. How many descriptors it has open is told by the size of their folder
    (Linux 6.2): to look into it is root's alone, since the service is closed to others."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        "megabytes": int(status["VmRSS"].split()[0]) // 1024,
        "threads": int(status["Threads"]),
        "descriptors": Path(f"/proc/{pid}/fd").stat().st_size,
        "files": sum(path.is_file() for path in folder.rglob("*")),
    }


def talk(port, key, draw, number):
    """Send so many requests over one connection as long as it lives; `(status, body, whether HEAD)` of each."""
    line = None
    for _ in range(number):
        request, alone, head = drawn(draw, key)
        if alone or line is None:
            line = close(line)
            line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        status, content, goes_on = asked(line, request, head=head)
        yield status, content, head
        if alone or not goes_on:
            line = close(line)
    close(line)


def close(line):
    """None in the place of a connection."""
    if line:
        line.close()


def drawn(draw, key):
    """One request as bytes; whether its length is a lie, so that it needs a connection of its own; whether HEAD."""
    if draw.random() < 0.01:
        return draw.choice(STRANGE), True, False
    method, content, given = draw.choice(METHODS), body(draw), headers(draw)
    shown = draw.choice([key] * 20 + ["", "\xe9", CANARY]).encode("latin-1")
    alone = "content-length" in given
    given = {"host": "inbox", "content-length": str(len(content)), "x-api-key": shown, **given}
    lines = [f"{method} {draw.choice(PATHS)} HTTP/1.1".encode()]
    lines += [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
              for name, value in given.items()]  # fmt: skip
    return b"\r\n".join([*lines, b"", content]), alone, method == "HEAD"


def asked(line, request, *, head):
    """`(status, body, whether the connection goes on)`; status 0 when it was hung up without an answer."""
    answer = b""
    try:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR) if request in STRANGE else None
        while b"\r\n\r\n" not in answer:
            more = line.recv(65536)
            if not more:
                return 0, answer, False
            answer += more
        top, _, content = answer.partition(b"\r\n\r\n")
        first, *fields = top.decode("latin-1").lower().split("\r\n")
        named = dict(field.split(": ", 1) for field in fields)
        while not head and len(content) < int(named.get("content-length", 0)):
            content += line.recv(65536) or b"\0" * 10_000
    except ConnectionError:
        return 0, answer, False
    if CANARY.encode() in top:
        content = CANARY.encode()  # to be complained about
    return int(first.split()[1]), content, named.get("connection") != "close"


def complaint_about(status, content, head):
    """What is wrong with an answer; None when nothing is."""
    if CANARY.encode() in content:
        return f"an answer {status} repeats what was sent"
    if status == 0 or (status == 400 and content == NO_HTTP):
        return None
    if status not in {200, 202, *REFUSALS.values()} - {500, 503}:
        return f"{status} {content[:80]!r}"
    if not head and not is_ours(status, json.loads(content)):
        return f"no answer of ours: {status} {content[:80]!r}"
    return None


if __name__ == "__main__":
    sys.exit(main())
