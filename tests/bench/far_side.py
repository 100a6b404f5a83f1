"""Primero and DTP with a caseload of any size, made up while it is asked for: `python -m tests.bench.far_side`.

Unlike the stand-ins of adaptors/sandbox it knows the requests of 2a only, costs next to nothing, and takes a latency.
It says its port on standard output; `GET /asked` tells how many requests there were since it was asked last.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import httptools

from tests.bench.measure import ENVIRONMENT, ROOT

STAMP = "2026-03-01T10:00:00.000Z"
OWNERS = 25
_CONTACT = {"position": "Case worker", "email": "x@example.org", "phone": "0900 000 000", "full_name": "Erfunden"}


class FarSide:
    """What is answered; `largest` is how many cases it gives at a time."""

    def __init__(self, cases, largest=1_000_000):
        self._cases = cases
        self._largest = largest
        self.asked = 0

    def answer(self, method, target):
        """The document for one request."""
        parts = urlsplit(target)
        if parts.path == "/asked":
            asked, self.asked = self.asked, 0
            return asked
        self.asked += 1
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        match parts.path.removeprefix("/api/v2").split("/")[1:]:
            case ["system_settings"]:
                return {"data": {"primero_version": "2.14.5.1"}}
            case ["users"]:
                return _page([{"id": 1, "user_name": query["user_name"], **_CONTACT}], 1, 1)
            case ["cases"]:
                return self._listed(int(query["per"]), int(query.get("page", 1)))
            case ["cases", case_id, "referrals"]:
                return {"data": [_referral(case_id)]}
            case ["ReceiveIncomingReferral"] if method == "POST":
                return {"success": True}
        raise ValueError(target)

    def _listed(self, per, page):
        per = min(per, self._largest)
        numbers = range((page - 1) * per, min(page * per, self._cases))
        return _page([_case(number) for number in numbers], self._cases, per)


def _page(rows, total, per):
    return {"data": rows, "metadata": {"total": total, "per": per, "page": 1}}


def _id(kind, number):
    return f"{number:08x}-0000-4000-8000-{kind:04x}{number:08x}"


def _case(number):
    return {
        "id": _id(1, number),
        "case_id": _id(2, number),
        "last_updated_at": STAMP,
        "referred_users": ["unhcr_cw"],
        "owned_by": f"worker_{number % OWNERS}",
        "name_first": "Nyaruot",
        "name_middle": "Deng",
        "name_last": "Erfunden",
        "date_of_birth": "2014-02-28",
        "sex": "female",
        "language": ["language2", "language3"],
        "unhcr_individual_no": f"GAM-{number:08}",
        "telephone_current": "0911 222 333",
        "address_current": "Zone C, block 12, the third row behind the school, beside the well",
        "consent_for_services": True,
        "disclosure_other_orgs": True,
        "services_section": [
            {
                "unique_id": _id(3, number),
                "service_type": "alternative_care",
                "service_implementing_agency": "UNHCR",
                "service_response_day_time": "2026-03-05T10:00:00.000Z",
                "service_referral_notes": "Separated in March; lives with an aunt and two siblings.",
                "service_appointment_date": "2026-03-05",
            }
        ],
    }


def _referral(case_id):
    number = int(case_id[:8], 16)
    return {
        "id": _id(4, number),
        "record_id": case_id,
        "status": "in_progress",
        "transitioned_to": "unhcr_cw",
        "service_record_id": _id(3, number),
        "created_at": STAMP,
        "notes": "",
    }


class _Connection(asyncio.Protocol):
    def __init__(self, far_side, latency):
        self._far_side = far_side
        self._latency = latency
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._parser.feed_data(data)

    def on_url(self, url):
        self._url = url.decode()

    def on_message_complete(self):
        body = json.dumps(self._far_side.answer(self._parser.get_method().decode(), self._url)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, head + body)
        else:
            self._transport.write(head + body)


async def _serve(cases, latency):
    far_side = FarSide(cases)
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(far_side, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


@contextmanager
def listening(cases, latency=0.0):
    """A far side in a process of its own; gives its address."""
    command = [sys.executable, "-m", "tests.bench.far_side", "--cases", str(cases), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def asked(url):
    """How many requests a far side was asked since this was called last."""
    with urlopen(f"{url}/asked") as answer:
        return json.load(answer)


def main():
    """Serve until killed."""
    options = argparse.ArgumentParser("python -m tests.bench.far_side", description=__doc__.split(":")[0])
    options.add_argument("--cases", type=int, default=1_000, help="how many cases there are (1000)")
    options.add_argument("--latency", type=float, default=0.0, help="seconds until an answer is sent (0)")
    given = options.parse_args()
    asyncio.run(_serve(given.cases, given.latency))


if __name__ == "__main__":
    main()
