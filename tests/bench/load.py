"""Posts of 8 KB over many connections, one at a time on each: how many a second, and how long each took."""

import asyncio
import json
import statistics
import time

SIZE = 8_000  # bytes


def body(number):
    """A message that is like no other, and for the job `keep`."""
    message = {"request_type": "Keep", "number": number, "interventions": []}
    filling = SIZE - len(json.dumps(message)) - len(', "text": ""')
    return json.dumps({**message, "text": "x" * filling}).encode()


class Load:
    """What the posts of one round found: `rate` a second, and `p99`, the 99th percentile in seconds."""

    def __init__(self, took, wall):
        self.rate = len(took) / wall
        self.p99 = statistics.quantiles(took, n=100)[98]


def post(port, key, *, first, number, connections):
    """Post so many messages, numbered from `first`; a Load. Raises RuntimeError when one isn't answered with 202."""
    head = "POST /inbox HTTP/1.1\r\nHost: inbox\r\nContent-Type: application/json\r\n"
    head += f"X-API-Key: {key}\r\nContent-Length: {SIZE}\r\n\r\n"
    requests = [head.encode() + body(each) for each in range(first, first + number)]
    return asyncio.run(_post(port, iter(requests), connections))


async def _post(port, requests, connections):
    took, loop = [], asyncio.get_running_loop()
    begun = time.perf_counter()
    ended = [loop.create_future() for _ in range(connections)]
    for each in ended:
        await loop.create_connection(lambda each=each: _Sender(requests, took, each), "127.0.0.1", port)
    await asyncio.gather(*ended)
    return Load(took, time.perf_counter() - begun)


class _Sender(asyncio.Protocol):
    """One connection. An answer is through with the brace that ends its JSON."""

    def __init__(self, requests, took, ended):
        self._requests = requests
        self._took = took
        self._ended = ended

    def connection_made(self, transport):
        self._transport = transport
        self._send()

    def _send(self):
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self._ended.set_result(None)
            return
        self._answer = b""
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data):
        self._answer += data
        if not self._answer.startswith(b"HTTP/1.1 202"):
            self._ended.set_exception(RuntimeError(f"answered with {self._answer[9:12].decode()}"))
            self._transport.close()
        elif self._answer.endswith(b"}"):
            self._took.append(time.perf_counter() - self._begun)
            self._send()
