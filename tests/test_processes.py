"""The real service over HTTP, with senders who come at the same moment."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
from flows import intervention, outgoing

from adaptors.client import basic
from runner import keys
from runner.store import Store
from tests.chaos.processes import ROOT, Service, far_side_tls, free_port, sandbox
from tests.chaos.sender import Sender

LONG = 60  # seconds that nothing here takes
CHILD = "GAM-00000901"
WHOLE = '"""Keeps nothing. When a message comes."""\n\n\ndef done(state):\n    return state\n\n\noperations = [done]\n'
WHOLE_PROJECT = """\
name: test
jobs:
  whole: {{script: whole.py, trigger: posted, workers: 4}}
triggers:
  posted: {{message: {{type: whole}}}}
inbox: {{port: {port}}}
"""
REFERRALS_PROJECT = """\
name: test
jobs:
  progres_to_primero:
    {{script: jobs/progres_to_primero.py, trigger: referred, credentials: [primero, progres], workers: 4}}
  progres_answers: {{script: jobs/progres_answers.py, trigger: waiting, credentials: [progres]}}
triggers:
  referred:
    message: {{request_type: PrimeroOutgoingReferral}}
    split: $.interventions[*]
    subject: $.interventions[*]['individuals.progres_id']
  waiting: {{outbox: progres}}
inbox: {{port: {port}}}
"""


@contextmanager
def serving(folder, project):
    """The service of a project, to which somebody posts; what it holds in the end is in `<folder>/data`."""
    port = free_port()
    (folder / "whole.py").write_text(WHOLE)
    (folder / "jobs").symlink_to(ROOT / "jobs")
    (folder / "project.yaml").write_text(project.format(port=port))
    with Store.open(folder / "data") as store:
        key = keys.create(store, "unhcr", now=datetime.now(UTC))
    service = Service(folder)
    try:
        service.start()
        with Sender(f"http://127.0.0.1:{port}", key) as sender:
            yield sender
        wait_until_done(folder)
        assert 0 == service.stop()
    finally:
        service.away()


def wait_until_done(folder):
    """Until nothing waits, or too long."""
    until = time.monotonic() + LONG
    with Store.open(folder / "data") as store:
        while time.monotonic() < until:
            counts = store.counts()
            if counts.units and counts.oldest is None and counts.outbox == 0:
                return
            time.sleep(0.1)
    raise TimeoutError("something waits still")


def at_once(sender, messages):
    """Post them all at the same moment, each from a thread of its own; the answers."""
    ready = threading.Barrier(len(messages))

    def post(message):
        body = json.dumps(message).encode()
        ready.wait(LONG)
        return sender.post(body)

    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(post, messages))


def test_hundred_identical_posts_at_once(tmp_path):
    """R-RP2 H21 A hundred identical posts at once are all answered 202 with one id, and are one run."""
    with serving(tmp_path, WHOLE_PROJECT) as sender:
        answers = at_once(sender, [{"type": "whole", "number": 1}] * 100)
    assert {202} == {answer.status_code for answer in answers}
    assert 1 == len({answer.json()["id"] for answer in answers})
    with Store.open(tmp_path / "data") as store:
        assert ["succeeded"] == [run.outcome for run in store.runs(1000)]
        assert [99] == [message.duplicates for message in store.messages()]


def test_two_messages_for_one_new_child_at_once(tmp_path):
    """H18 Two messages for one new child at once: one case with two services, and two answers."""
    numbers = ["GAM-26-PRTITV-1", "GAM-26-PRTITV-2"]
    with sandbox(tmp_path) as addresses:
        with serving(tmp_path, REFERRALS_PROJECT) as sender:
            answers = at_once(sender, [outgoing(intervention(progres_interventionnumber=name)) for name in numbers])
        assert {202} == {answer.status_code for answer in answers}
        with httpx.Client(verify=far_side_tls(tmp_path), timeout=LONG, trust_env=False) as client:
            (case,) = client.get(
                f"{addresses['primero']}/api/v2/cases",
                params={"unhcr_individual_no": CHILD, "fields": "case_id,services_section"},
                headers={"authorization": basic(addresses["administrator"])},
            ).json()["data"]
            posts = client.get(f"{addresses['dtp']}/sandbox/received").json()["received"]
    assert numbers == sorted(service["progres_interventionnumber"] for service in case["services_section"])
    told = [(post["body"]["progres_interventionnumber"], post["body"]["case_id"]) for post in posts]
    assert [(name, case["case_id"]) for name in numbers] == sorted(told)
