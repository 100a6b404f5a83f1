"""What the tests of the wire share: a transport that records all that leaves, and a Primero that tells too much."""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import httpx

PRIMERO, DTP = "primero.sandbox.test", "dtp.sandbox.test"


@dataclass
class Sent:
    """One request as it left."""

    host: str
    method: str
    path: str
    query: list
    body: object
    headers: dict

    def leaves(self):
        """`(field, value)` of all that is in it: `?name` of the query, `:name` of the headers, `/` for the path."""
        yield from ((f"?{name}", value) for name, value in self.query)
        yield "/", self.path
        yield from ((f":{name}", value) for name, value in self.headers.items())
        yield from leaves_of(self.body.get("data", self.body) if isinstance(self.body, dict) else self.body)


def leaves_of(body, path=""):
    """`(field, value)` of a document; entries of lists have the list's name."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield from leaves_of(value, f"{path}.{key}" if path else key)
    elif isinstance(body, list):
        for value in body:
            yield from leaves_of(value, path)
    elif body is not None:
        yield path, body


@dataclass
class Wire(httpx.BaseTransport):
    """Carries requests on and keeps them. With `babbles`, Primero ignores `fields=`, and every object that it answers
    with gets these fields, too."""

    inner: httpx.BaseTransport
    babbles: dict = field(default_factory=dict)
    sent: list = field(default_factory=list)

    def handle_request(self, request):
        body = json.loads(request.read()) if request.read() else None
        url = request.url
        query = parse_qsl(url.query.decode(), keep_blank_values=True)
        self.sent.append(Sent(url.host, request.method, unquote(url.path), query, body, dict(request.headers)))
        if not self.babbles or url.host != PRIMERO:
            return self.inner.handle_request(request)
        asked = httpx.Request(
            request.method, url.copy_remove_param("fields"), headers=request.headers, content=request.content
        )
        response = self.inner.handle_request(asked)
        content = response.read()
        told = json.dumps(self._babbling(json.loads(content))).encode() if content else b""
        return httpx.Response(response.status_code, headers={"content-type": "application/json"}, content=told)

    def _babbling(self, document):
        if isinstance(document, dict):
            return {**self.babbles, **{name: self._babbling(value) for name, value in document.items()}}
        return [self._babbling(value) for value in document] if isinstance(document, list) else document

    def places(self, text):
        """`(host, field)` of every place at which a text left, in whatever letter case."""
        return {
            (sent.host, name)
            for sent in self.sent
            for name, value in sent.leaves()
            if text.casefold() in str(value).casefold() or text.casefold() in str(name).casefold()
        }

    def posted(self, host):
        """The requests to a host that write."""
        return [sent for sent in self.sent if sent.host == host and sent.method != "GET"]
