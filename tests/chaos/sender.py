"""Somebody who posts as DTP does: whatever happens to a connection, until the message is answered."""

import ssl
import threading
import time

import httpx

_PATIENCE = 90.0  # seconds until a message that nobody answers is a fault
_PAUSE = 0.1  # seconds; a sender in a hurry, whatever Retry-After says
_COME_AGAIN = (429, 503)


class Unanswered(Exception):
    """A message got no answer in all the time that a sender waits."""


class Sender:
    """Posts to the inbox at an address, from as many threads as like. `authority` is the PEM file of its TLS.

    `repeated` counts what had to be posted again. After `give_up` nobody waits for an answer any more. It is closed
    when its block ends.
    """

    def __init__(self, url, key, *, authority=None):
        self._url = url
        self._key = key
        self._tls = ssl.create_default_context(cafile=authority and str(authority))
        self._own = threading.local()
        self._over = threading.Event()
        self._clients = []
        self.repeated = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.give_up()
        for client in self._clients:
            client.close()

    def post(self, content, *, key=None):
        """The answer to a message (bytes of JSON), which is posted again as long as none of substance comes."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and not self._over.is_set():
            answer = self._once(content, key or self._key)
            if answer is not None and answer.status_code not in _COME_AGAIN:
                return answer
            self.repeated += 1
            self._over.wait(_PAUSE)
        raise Unanswered(f"a message of {len(content)} bytes wasn't answered within {_PATIENCE} s")

    def give_up(self):
        """Let all threads end."""
        self._over.set()

    def _once(self, content, key):
        headers = {"x-api-key": key, "content-type": "application/json"}
        try:
            return self._client().post(f"{self._url}/inbox", content=content, headers=headers)
        except httpx.TransportError:
            return None

    def _client(self):
        if not hasattr(self._own, "client"):
            self._own.client = httpx.Client(verify=self._tls, timeout=15, trust_env=False)
            self._clients.append(self._own.client)
        return self._own.client
