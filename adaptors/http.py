"""Plain requests, for implementers who connect a third system; and the client, for those who write an adaptor.

A credential gives `url`, and where needed `user` and `password`, `token`, `ca_file`, `certificate` and `private_key`
or `pkcs12` and `pkcs12_password`, `rate` (requests a second, 40) and `connections` (at once, 8). Reads are repeated,
three times within 30 seconds; writes are not, since the worker knows what was done before.
"""

from typing import Any

from adaptors.client import READS, Answer, Client, basic, client_of, reveal
from adaptors.operations import Operation, rehearsed
from adaptors.promises import State, check_mapping, given, reads_of

__all__ = ["Answer", "Client", "client_of", "delete", "get", "patch", "post", "put", "request", "reveal"]


def request(method: str, path: Any, *, credential: str, query: Any = None, body: Any = None) -> Operation:
    """Send a request to a third system; `data` becomes the answer's JSON, `response` its status.

    `path`, `query` (a dict) and `body` may be values, promises or functions of state. In a dry run writes are noted
    as names of fields and not sent.

    >>> request("GET", "/forms", credential="kobo").__name__
    'get'
    """
    method = method.upper()
    if isinstance(body, dict):
        check_mapping(body)

    def run(state: State) -> State:
        payload, where = given(body, state), str(given(path, state))
        if method not in READS and rehearsed(state, credential, f"{method.lower()} {where}", payload):
            return state
        client = client_of(state, credential, lambda found, runtime: _plain_client(credential, found, runtime))
        answer = client.send(method, where, query=given(query, state), body=payload)
        return {**state, "data": answer.body, "response": {"status": answer.status}}

    return Operation(method.lower(), run, reads=reads_of(body))


def get(path: Any, *, credential: str, query: Any = None) -> Operation:
    """Read from a third system. Example: `get("/api/forms", credential="kobo", query={"limit": 100})`.

    >>> get("/forms", credential="kobo").__name__
    'get'
    """
    return request("GET", path, credential=credential, query=query)


def post(path: Any, body: Any, *, credential: str, query: Any = None) -> Operation:
    """Post JSON to a third system.

    >>> post("/forms", {"name": "x"}, credential="kobo").__name__
    'post'
    """
    return request("POST", path, credential=credential, query=query, body=body)


def put(path: Any, body: Any, *, credential: str, query: Any = None) -> Operation:
    """Put JSON to a third system.

    >>> put("/forms/1", {"name": "x"}, credential="kobo").__name__
    'put'
    """
    return request("PUT", path, credential=credential, query=query, body=body)


def patch(path: Any, body: Any, *, credential: str, query: Any = None) -> Operation:
    """Patch a record of a third system.

    >>> patch("/forms/1", {"name": "x"}, credential="kobo").__name__
    'patch'
    """
    return request("PATCH", path, credential=credential, query=query, body=body)


def delete(path: Any, *, credential: str, query: Any = None) -> Operation:
    """Delete a record of a third system.

    >>> delete("/forms/1", credential="kobo").__name__
    'delete'
    """
    return request("DELETE", path, credential=credential, query=query)


def _plain_client(name: str, credential: dict[str, Any], runtime: Any) -> Client:
    headers = {}
    if credential.get("token"):
        headers["authorization"] = f"Bearer {reveal(credential['token'])}"
    elif credential.get("user"):
        headers["authorization"] = basic(credential)
    return Client(name, credential, runtime, headers=headers)
