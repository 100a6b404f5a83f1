"""Thousands of requests that nobody would write, at the inbox; `make fuzz` sends many more to the real service."""

import random

import pytest
from inboxes import Inbox
from nonsense import CANARY, METHODS, PATHS, body, headers, is_ours

from runner.inbox.answers import REFUSALS

REQUESTS = 2500


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_posted(tmp_path, seed):
    """R-WH8 R-WH10 H46: whatever is posted, the answer is one of ours, echoes nothing, and is no fault of ours."""
    draw = random.Random(seed)
    with Inbox(tmp_path, rate=10**9) as inbox:
        key = [inbox.key] * 20 + ["", "\xe9", CANARY]
        requests = [
            inbox.request(
                content=body(draw),
                headers=headers(draw),
                path=draw.choice(PATHS),
                method=draw.choice(METHODS),
                key=draw.choice(key),
            )
            for _ in range(REQUESTS // 5)
        ]
        answers = inbox.run(requests)
        assert "unforeseen" not in {line["event"] for line in inbox.told}
    statuses = {answer.status_code for answer in answers}
    assert {202, 400, 401, 415} <= statuses <= {200, 202, *REFUSALS.values()} - {500, 503}
    for answer in answers:
        assert CANARY not in f"{answer.headers} {answer.text}"
        if answer.request.method != "HEAD":
            assert is_ours(answer.status_code, answer.json()), answer.text
