"""Plain requests, for implementers who connect a third system; and the client, for those who write an adaptor.

A credential gives `url`, and where needed `user` and `password`, `token`, `ca_file`, `certificate` and `private_key`
or `pkcs12` and `pkcs12_password`, `addresses` (private ones that the host may have), `rate` (requests a second, 40) and
`connections` (at once, 8). Reads are repeated, three times within 30 seconds; writes are not, since the worker knows
what was done before.
"""

from collections.abc import Sequence
from typing import Any

from adaptors.client import Client, basic, client_of, reveal
from adaptors.exchange import READS, Answer
from adaptors.operations import Operation, rehearsed
from adaptors.outgoing import Outgoing
from adaptors.promises import State, given, reads_of

__all__ = ["Answer", "Client", "client_of", "delete", "get", "patch", "post", "put", "request", "reveal"]


def request(
    method: str, path: Any, *, credential: str, query: Any = None, body: Any = None, fields: Sequence[str] = ()
) -> Operation:
    """Send a request to a third system; `data` becomes the answer's JSON, `response` its status.

    `path`, `query` (a dict) and `body` may be values, promises or functions of state. Where query or body is not
    written out as a dict, `fields` must name what may leave; anything else is JobError. In a dry run writes are noted
    as names of fields and not sent.

    >>> request("GET", "/forms", credential="kobo").__name__
    'get'
    """
    method = method.upper()
    content, search = Outgoing(body, fields=fields), Outgoing(query, fields=fields)

    def run(state: State) -> State:
        payload, where = content.body(state), str(given(path, state))
        if method not in READS and rehearsed(state, credential, f"{method.lower()} {where}", payload):
            return state
        client = client_of(state, credential, lambda found, runtime: _plain_client(credential, found, runtime))
        answer = client.send(method, where, query=search.body(state), body=payload)
        return {**state, "data": answer.body, "response": {"status": answer.status}}

    reads = reads_of(path) | content.reads | search.reads
    sends = search.fields | content.fields
    return Operation(method.lower(), run, reads=reads, system=credential, sends=sends, only_finds=method in READS)


def get(path: Any, *, credential: str, query: Any = None, fields: Sequence[str] = ()) -> Operation:
    """Read from a third system. Example: `get("/api/forms", credential="kobo", query={"limit": 100})`.

    >>> get("/forms", credential="kobo").__name__
    'get'
    """
    return request("GET", path, credential=credential, query=query, fields=fields)


def post(path: Any, body: Any, *, credential: str, query: Any = None, fields: Sequence[str] = ()) -> Operation:
    """Post JSON to a third system.

    >>> post("/forms", {"name": "x"}, credential="kobo").__name__
    'post'
    """
    return request("POST", path, credential=credential, query=query, body=body, fields=fields)


def put(path: Any, body: Any, *, credential: str, query: Any = None, fields: Sequence[str] = ()) -> Operation:
    """Put JSON to a third system.

    >>> put("/forms/1", {"name": "x"}, credential="kobo").__name__
    'put'
    """
    return request("PUT", path, credential=credential, query=query, body=body, fields=fields)


def patch(path: Any, body: Any, *, credential: str, query: Any = None, fields: Sequence[str] = ()) -> Operation:
    """Patch a record of a third system.

    >>> patch("/forms/1", {"name": "x"}, credential="kobo").__name__
    'patch'
    """
    return request("PATCH", path, credential=credential, query=query, body=body, fields=fields)


def delete(path: Any, *, credential: str, query: Any = None, fields: Sequence[str] = ()) -> Operation:
    """Delete a record of a third system.

    >>> delete("/forms/1", credential="kobo").__name__
    'delete'
    """
    return request("DELETE", path, credential=credential, query=query, fields=fields)


def _plain_client(name: str, credential: dict[str, Any], runtime: Any) -> Client:
    headers = {}
    if credential.get("token"):
        headers["authorization"] = f"Bearer {reveal(credential['token'])}"
    elif credential.get("user"):
        headers["authorization"] = basic(credential)
    return Client(name, credential, runtime, headers=headers)
