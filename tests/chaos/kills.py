"""Many posts while the service is killed again and again: `python -m tests.chaos.kills --posts 10000 --kills 50`.

Most messages are for a job that leaves a mark, once; some are referrals for the real 1a. In the end every message that
was answered 202 must have been processed, once in effect, and no byte of it is left.
"""

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import httpx

from adaptors.client import basic
from runner import keys
from runner.store import Store
from tests.canaries import traces
from tests.chaos.processes import ROOT, Service, far_side_tls, free_port, memory_folder, sandbox
from tests.chaos.sender import Sender
from tests.flows import intervention, outgoing

CANARY = "Quillwort-58213"
SENDERS = 8
REAL_ONE_IN = 25
LONGEST_REST = 120  # seconds until all is done, when nobody kills any more

MARK = '''"""Leaves a mark for each message, once. When a message comes."""

from pathlib import Path

MARKS = Path(__file__).parent / "marks"


def mark(state):
    """Look whether a try that was killed has left its mark, as with a far side that can be asked."""
    ledger, number = state["ledger"], str(state["data"]["number"])
    before = ledger.read("mark", number)
    if before and (before["status"] == "done" or number in MARKS.read_text().split()):
        return state
    ledger.write("mark", number, {"status": "intended", "value": "", "answer": {}})
    with open(MARKS, "a") as file:
        file.write(f"{number}\\n")
    ledger.write("mark", number, {"status": "done", "value": "", "answer": {}})
    return state


operations = [mark]
'''
PROJECT = """\
name: kills
jobs:
  mark: {{script: mark.py, trigger: posted, workers: 4}}
  progres_to_primero:
    {{script: jobs/progres_to_primero.py, trigger: referred, credentials: [primero, progres], timeout: 60, workers: 2}}
  progres_answers: {{script: jobs/progres_answers.py, trigger: waiting, credentials: [progres], timeout: 60}}
triggers:
  posted: {{message: {{request_type: Mark}}}}
  referred:
    message: {{request_type: PrimeroOutgoingReferral}}
    split: $.interventions[*]
    subject: $.interventions[*]['individuals.progres_id']
  waiting: {{outbox: progres}}
retry: {{minutes: [0.005], every: 0.01, jitter: 0.5}}
inbox: {{port: {port}, rate: 1000000000}}
"""


def main(arguments=None):
    """Make the proof; 0 when it holds, 1 with a line for each violation."""
    parser = argparse.ArgumentParser("python -m tests.chaos.kills", description=__doc__.split(":")[0])
    parser.add_argument("--posts", type=int, default=10_000, help="messages (10000)")
    parser.add_argument("--kills", type=int, default=50, help="of the service (50)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    options = parser.parse_args(arguments)
    folder = memory_folder("kills-")
    started = time.monotonic()
    try:
        violations, told = prove(folder, options.posts, options.kills, Random(options.seed))
    finally:
        shutil.rmtree(folder)
    print(f"{told}; {time.monotonic() - started:.0f} s")  # noqa: T201
    for violation in violations[:50]:
        print(f"VIOLATED: {violation}")  # noqa: T201
    return 1 if violations else 0


def message(number):
    """The message of this number: a mark, or now and then a referral of a child of its own."""
    if number % REAL_ONE_IN:
        return {"request_type": "Mark", "number": number, "name": f"{CANARY} {number}"}
    return outgoing(
        intervention(
            individuals__progres_id=f"GAM-K{number:07d}",
            individuals__progres_familyname=CANARY,
            progres_interventionnumber=f"GAM-26-KILLS-{number}",
        )
    )


def prove(folder, posts, kills, chance):
    """All posts, and all kills among them; the violations, and a line about what was done."""
    port = free_port(chance)
    (folder / "mark.py").write_text(MARK)
    (folder / "marks").touch()
    (folder / "jobs").symlink_to(ROOT / "jobs")
    (folder / "project.yaml").write_text(PROJECT.format(port=port))
    with Store.open(folder / "data") as store:
        key = keys.create(store, "unhcr", now=datetime.now(UTC))
    with sandbox(folder) as addresses, Sender(f"http://127.0.0.1:{port}", key) as sender:
        service = Service(folder)
        try:
            service.start()
            answers = posted_and_killed(service, sender, posts, kills, chance)
            settled = rested(service, folder, set(answers.values()))
            code = service.stop()
        finally:
            service.away()
        violations = [] if settled else [f"not all was done within {LONGEST_REST} s"]
        violations += [] if code == 0 else [f"the service ended with {code}: {service.last_words()}"]
        violations += judged(folder, answers) + judged_in_primero(folder, addresses, answers)
    told = f"{len(answers)} posts answered 202, {kills} kills, {sender.repeated} posted again"
    return violations, told


def posted_and_killed(service, sender, posts, kills, chance):
    """Post everything with several threads, and kill the service at moments spread over it; `{number: id}`."""
    answers, every = {}, posts // (kills + 1)

    def post(number):
        answer = sender.post(json.dumps(message(number)).encode())
        assert answer.status_code == 202, f"message {number} was answered {answer.status_code}"
        answers[number] = answer.json()["id"]

    with ThreadPoolExecutor(SENDERS) as pool:
        going = pool.map(post, range(posts))
        try:
            for number in range(1, kills + 1):
                wait_until(lambda: service.check() or len(answers) >= number * every)  # noqa: B023
                time.sleep(chance.uniform(0, 0.2))
                service.kill()
                service.start()
                if chance.random() < 0.2:  # once more, while it starts
                    time.sleep(chance.uniform(0, 0.6))
                    service.kill()
                    service.start()
            list(going)  # raises what went wrong in a thread
        except BaseException:
            sender.give_up()
            raise
    return answers


def wait_until(happened, seconds=60):
    """Wait, but not for ever."""
    until = time.monotonic() + seconds
    while not happened() and time.monotonic() < until:
        time.sleep(0.01)


def rested(service, folder, ids):
    """Whether all was done and erased in time."""
    with Store.open(folder / "data") as store:

        def quiet():
            service.check()
            counts = store.counts()
            busy = counts.units.get("pending", 0) + counts.units.get("running", 0) + counts.outbox
            return busy == 0 and store.unscrubbed() == 0 and sum(counts.units.values()) >= len(ids)

        wait_until(quiet, LONGEST_REST)
        return quiet()


def judged(folder, answers):
    """What is wrong in the data directory, or with the marks."""
    wrong = []
    with Store.open(folder / "data") as store:
        everything = 10 * len(answers) + 1000
        status = {line.id: line.status for line in store.messages(limit=everything)}
        wrong += [f"message {number} is {status.get(id)}" for number, id in answers.items()
                  if status.get(id) != "succeeded"]  # fmt: skip
        runs = Counter(run.unit for run in store.runs(everything) if run.unit and run.outcome == "succeeded")
        units = {unit.id for unit in store.units(limit=everything)}
        wrong += [f"unit {unit} succeeded {runs[unit]} times" for unit in units if runs[unit] != 1]
        wrong += [f"{len(status)} messages are kept, {len(set(answers.values()))} were answered"] * (
            len(status) != len(set(answers.values()))
        )
    marks = Counter((folder / "marks").read_text().split())
    wrong += [f"{marks[str(number)]} marks of {number}" for number in answers
              if number % REAL_ONE_IN and marks[str(number)] != 1]  # fmt: skip
    for place in ("data", "logs", "tmp"):
        wrong += [f"a trace in {place}/{file} ({form})" for file, form in traces(folder / place, CANARY)]
    return wrong


def judged_in_primero(folder, addresses, answers):
    """What is wrong on the far sides: a case and a service for each referral, and an answer."""
    wrong, credentials = [], json.loads((folder / "credentials" / "sandbox.json").read_text())
    with httpx.Client(verify=far_side_tls(folder), timeout=30, trust_env=False) as client:
        posts = client.get(f"{addresses['dtp']}/sandbox/received").json()["received"]
        told = {(post["body"]["progres_interventionnumber"], post["body"]["status"]) for post in posts}
        headers = {"authorization": basic(credentials["administrator"])}
        for number in answers:
            if number % REAL_ONE_IN == 0:
                query = {"unhcr_individual_no": f"GAM-K{number:07d}", "fields": "id,services_section"}
                found = client.get(f"{addresses['primero']}/api/v2/cases", params=query, headers=headers).json()["data"]
                services = [service["progres_interventionnumber"] for case in found
                            for service in case.get("services_section") or []]  # fmt: skip
                wanted = f"GAM-26-KILLS-{number}"
                if (len(found), services) != (1, [wanted]):
                    wrong.append(f"{wanted} has {len(found)} cases and {len(services)} services")
                if (wanted, "Pending Acknowledgement") not in told:
                    wrong.append(f"{wanted} was not answered")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
