"""Operations for the helpline, a call desk that nobody runs: the smallest adaptor.

The credential is `helpline`: `url`, `token`, and where needed `ca_file`, `rate`, `connections`.
"""

from typing import Any
from urllib.parse import quote

from adaptors.agreed import keep
from adaptors.http import Client, client_of, reveal
from adaptors.operations import Operation, rehearsed
from adaptors.outgoing import Outgoing
from adaptors.promises import State, given, reads_of

__all__ = ["get_calls", "send_note"]

FIELDS = ("id", "summary")  # of a call; whatever else the helpline tells is dropped


def get_calls(*, since: Any) -> Operation:
    """Read the calls that came in since a day; `data` becomes the list. Each has `id` and `summary`.

    >>> get_calls(since="2026-03-01").__name__
    'get_calls'
    """

    def run(state: State) -> State:
        answer = _helpline(state).send("GET", "/calls", query={"since": given(since, state)})
        return {**state, "data": [keep(call, FIELDS) for call in answer.body]}

    return Operation("get_calls", run, reads=reads_of(since), system="helpline", asks=FIELDS)


def send_note(call_id: Any, mapping: dict[str, Any]) -> Operation:
    """Write the note on a call. A repeat replaces it by the same.

    >>> send_note("c-1", {"text": "seen"}).__name__
    'send_note'
    """
    agreed = Outgoing(mapping)

    def run(state: State) -> State:
        note = agreed.body(state)
        if rehearsed(state, "helpline", "send note", note):
            return state
        _helpline(state).send("PUT", f"/calls/{quote(given(call_id, state), safe='')}/note", body=note)
        return state

    return Operation("send_note", run, reads=reads_of([call_id, mapping]), system="helpline", sends=agreed.fields)


def _helpline(state: State) -> Client:
    return client_of(state, "helpline", _connected)  # type: ignore[no-any-return]


def _connected(credential: dict[str, Any], runtime: Any) -> Client:
    token = reveal(credential["token"])
    return Client("helpline", credential, runtime, headers={"authorization": f"Bearer {token}"})
