"""Workers on one PostgreSQL database, killed and frozen under load: `python -m tests.chaos.fleet --seconds 600`.

One process takes in, three work; every few seconds one of the three is killed by SIGKILL and started again, and now and
then one is frozen past its lease and woken. Real referrals go through the real 1a to the stand-ins. In the end each
stands in Primero once and was answered, and each minute's slot of a scheduled job was run once.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import count
from random import Random

import httpx

from adaptors.client import basic
from runner import keys
from runner.store import Store
from tests.chaos.processes import ROOT, Service, far_side_tls, free_port, memory_folder, sandbox
from tests.chaos.sender import Sender
from tests.flows import intervention, outgoing
from tests.servers import running_server

WORKERS = 3
FROZEN = 12.0  # seconds: twice the lease
LONGEST_REST = 120  # seconds until all is done, when nobody is killed any more
PROJECT = """\
name: fleet
store: {address}
jobs:
  progres_to_primero:
    {{script: jobs/progres_to_primero.py, trigger: referred, credentials: [primero, progres], timeout: 60, workers: 3}}
  progres_answers: {{script: jobs/progres_answers.py, trigger: waiting, credentials: [progres], timeout: 60}}
  clock: {{script: clock.py, trigger: often}}
triggers:
  referred:
    message: {{request_type: PrimeroOutgoingReferral}}
    split: $.interventions[*]
    subject: $.interventions[*]['individuals.progres_id']
  waiting: {{outbox: progres}}
  often: {{cron: "* * * * *"}}
inbox: {{port: {port}}}
"""
CLOCK = '"""Keeps nothing. Every minute."""\n\n\ndef done(state):\n    return state\n\n\noperations = [done]\n'


def number_of(index):
    """The number of one intervention."""
    return f"GAM-26-PRTITV-{index:07}"


def live(seconds, *, seed=1, pause=0.25):
    """Let it all happen; what was found, and the figures."""
    folder, chance = memory_folder("fleet-"), Random(seed)
    with running_server() as address, sandbox(folder) as far:
        port = free_port(chance)
        (folder / "jobs").symlink_to(ROOT / "jobs")
        (folder / "clock.py").write_text(CLOCK)
        (folder / "project.yaml").write_text(PROJECT.format(address=json.dumps(address), port=port))
        with Store.open(folder / "data", at=address) as store:
            key = keys.create(store, "unhcr", now=datetime.now(UTC))
        words = ("--log-format", "json")
        inbox = Service(folder, words=("--inbox", *words), name="inbox")
        workers = [Service(folder, words=("--worker", *words), name=f"worker{number}") for number in range(WORKERS)]
        try:
            for service in (inbox, *workers):
                service.start()
                service.wait_until_ready()
            with Sender(f"http://127.0.0.1:{port}", key) as sender:
                posted, kills = _rage(workers, sender, chance, seconds, pause)
            rested = _rest(folder, address)
            for service in (inbox, *workers):
                service.stop()
            return _judged(folder, address, far, posted, rested) | _recovered(folder, kills)
        finally:
            for service in (inbox, *workers):
                service.away()


def _rage(workers, sender, chance, seconds, pause):
    """Post, kill and freeze for so long; how many were posted, and who was killed when."""
    over, posted, kills = threading.Event(), [], []

    def post():
        for index in count(1):
            if over.is_set():
                return
            child = f"GAM-{index // 2:08}"  # two in a row are about one child
            one = intervention(progres_interventionnumber=number_of(index), individuals__progres_id=child)
            if sender.post(json.dumps(outgoing(one)).encode()).status_code == 202:
                posted.append(index)
            over.wait(pause)

    thread = threading.Thread(target=post)
    thread.start()
    end, turn = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(chance.uniform(2, 5))
        victim, turn = chance.choice(workers), turn + 1
        kills.append((time.time(), victim._name, victim.last_words() and victim._log().read_text("utf-8")))
        if turn % 6 == 0:
            victim.freeze()
            time.sleep(FROZEN)
            victim.wake()
        else:
            victim.kill()
            victim.start()
            victim.wait_until_ready()
    over.set()
    thread.join()
    return posted, kills


def _rest(folder, address):
    """Until nothing waits, or too long; the seconds."""
    begun = time.monotonic()
    with Store.open(folder / "data", at=address) as store:
        while time.monotonic() < begun + LONGEST_REST:
            counts = store.counts()
            if counts.oldest is None and counts.outbox == 0:
                break
            time.sleep(0.2)
    return time.monotonic() - begun


def _judged(folder, address, far, posted, rested):
    """What is wrong, and what was counted."""
    services, told = Counter(), Counter()
    with httpx.Client(verify=far_side_tls(folder), timeout=60, trust_env=False) as client:
        headers = {"authorization": basic(far["administrator"])}
        children = sorted({index // 2 for index in posted})
        for child in children:
            query = {"unhcr_individual_no": f"GAM-{child:08}", "fields": "case_id,services_section"}
            cases = client.get(f"{far['primero']}/api/v2/cases", params=query, headers=headers).json()["data"]
            for case in cases:
                services.update(each["progres_interventionnumber"] for each in case["services_section"])
            services[f"cases of child {child}"] = len(cases)
        for post in client.get(f"{far['dtp']}/sandbox/received").json()["received"]:
            told[post["body"]["progres_interventionnumber"]] += post["body"]["status"] == "Pending Acknowledgement"
    with Store.open(folder / "data", at=address) as store:
        slots = [slot for (slot,) in store.read("SELECT slot FROM slots WHERE job = 'clock' ORDER BY slot")]
        clock_runs = len(store.runs(10_000, job="clock"))
        waits = store.read("SELECT count(*) FROM units WHERE status NOT IN ('succeeded')")[0][0]
    numbers = [number_of(index) for index in posted]
    wrong = [f"{number}: {services[number]} services" for number in numbers if services[number] != 1]
    wrong += [f"child {child}: {services[f'cases of child {child}']} cases" for child in children
              if services[f"cases of child {child}"] != 1]  # fmt: skip
    wrong += [f"{number}: not answered" for number in numbers if not told[number]]
    wrong += [f"{waits} units didn't succeed"] if waits else []
    wrong += [f"{clock_runs} runs for {len(slots)} slots"] if clock_runs != len(slots) else []
    again = sum(number_told - 1 for number_told in told.values() if number_told > 1)
    return {"wrong": wrong, "posted": len(posted), "told again": again, "slots": len(slots), "rest": round(rested, 1)}


def _recovered(folder, kills):
    """How long it took until what a killed or frozen worker was at was begun by another, from the logs."""
    begun = {}
    for file in (folder / "logs").glob("worker*.txt"):
        for event in _events(file.read_text("utf-8")):
            if event["event"] == "run_started" and event.get("unit"):
                begun.setdefault(event["unit"], []).append((_moment(event), file.stem))
    waits = []
    for moment, _, log in kills:
        at = {}
        for event in _events(log):
            if event["event"] == "run_started" and event.get("unit"):
                at[event["run"]] = event["unit"]
            elif event["event"] == "run_ended":
                at.pop(event["run"], None)
        for unit in at.values():
            later = [when - moment for when, _ in begun.get(unit, ()) if when > moment]
            waits += [min(later)] if later else []
    return {
        "kills and freezes": len(kills),
        "recovered": len(waits),
        "longest until begun again": max(waits, default=0.0),
    }


def _events(log):
    for line in log.splitlines():
        if line.startswith("{") and '"event"' in line:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # the last line of one that was killed


def _moment(event):
    return datetime.fromisoformat(event["time"]).timestamp()


def main():
    """Run it, and say what came of it."""
    asked = argparse.ArgumentParser(prog="python -m tests.chaos.fleet")
    asked.add_argument("--seconds", type=float, default=600)
    asked.add_argument("--seed", type=int, default=1)
    arguments = asked.parse_args()
    found = live(arguments.seconds, seed=arguments.seed)
    wrong = found.pop("wrong")
    sys.stdout.write("".join(f"{told:>8} {name}\n" for name, told in found.items()))
    sys.stdout.write("".join(f"WRONG {each}\n" for each in wrong[:20]) or "all is well\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
