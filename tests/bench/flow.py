"""2a with 1,000 cases: how close it comes to what the latency alone would take, and what a request costs."""

import os
import sys
from functools import partial

from tests.bench.far_side import OWNERS, asked, listening
from tests.bench.measure import ROOT, Figure, in_turn, ratio, run, runner, seconds

JOB = ROOT / "jobs" / "primero_to_progres.py"
SINCE = "2026-01-01T00:00:00Z"
CASES, IN_FLIGHT, LATENCY = 1_000, 8, 0.05

# What httpx itself takes for as many requests, with as many threads.
BARE = """
import sys
from concurrent.futures import ThreadPoolExecutor
import httpx
url, number = sys.argv[1], int(sys.argv[2])
with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda _: client.get(url).json(), range(number)))
"""


def figures(folder, rounds=5):
    """With the latency against the bound; without any, CPU and time against bare httpx."""
    yield _with_latency(folder, rounds=3)
    yield from _without(folder, rounds)


def credentials(folder, url):
    """A directory of credentials for a far side, whose hosts have no limit of requests a second."""
    directory = folder / f"credentials-{url.rpartition(':')[2]}"
    directory.mkdir(mode=0o700, exist_ok=True)
    primero = f"url: {url}\nuser: integration\npassword: invented\nrate: 1000000\n"
    progres = f"transport: dtp\nreferral_url: {url}/ReceiveIncomingReferral\ndecision_url: {url}/Decision\n"
    for name, text in (("primero", primero), ("progres", f"{progres}subscription_key: invented\nrate: 1000000\n")):
        file = directory / f"{name}.yaml"
        file.touch(mode=0o600)
        file.write_text(text)
    return directory


def perform(folder, url, *options):
    """Run 2a once, with a ledger of its own in which nothing was sent yet; its Cost."""
    data = folder / f"data-{os.urandom(4).hex()}"
    return runner("run", JOB, "--since", SINCE, "--credentials", credentials(folder, url), "--data", data, *options)


def _with_latency(folder, rounds):
    with listening(CASES, LATENCY) as url:
        found = [perform(folder, url).wall for _ in range(rounds)]
        requests = asked(url) // rounds
    bound = requests * LATENCY / IN_FLIGHT
    return Figure(
        f"2a, {CASES:,} cases, 50 ms latency: whole command",
        seconds(found),
        f"{requests:,} requests × 50 ms ÷ {IN_FLIGHT}: {seconds([bound])}",
        ratio(found, [bound] * rounds),
        "≤ 1.2 ×",
    )


def _without(folder, rounds):
    with listening(CASES) as url, listening(OWNERS) as small:
        perform(folder, url)
        requests = asked(url)
        bare = partial(run, sys.executable, "-c", BARE, f"{url}/api/v2/cases/{'0' * 8}-0/referrals")
        found = in_turn(
            rounds,
            ours=partial(perform, folder, url),
            start=partial(perform, folder, small),
            bare=partial(bare, str(requests)),
            bare_start=partial(bare, "0"),
        )
    wall = {name: [cost.wall for cost in costs] for name, costs in found.items()}
    ours = _each(found["ours"], found["start"], requests * (CASES - OWNERS) // CASES)
    bare_each = _each(found["bare"], found["bare_start"], requests)
    other = f"bare httpx, {IN_FLIGHT} threads: "
    yield Figure(
        f"2a, {CASES:,} cases, no latency: whole command",
        seconds(wall["ours"]),
        other + seconds(wall["bare"]),
        ratio(wall["ours"], wall["bare"]),
    )
    yield Figure(
        "CPU per request of 2a (reading, mapping, ledger, sending)",
        seconds(ours),
        other + seconds(bare_each),
        ratio(ours, bare_each),
        "≤ 1 ms",
    )


def _each(long, short, requests):
    """Seconds of CPU for each request, without the start."""
    return [(one.cpu - other.cpu) / requests for one, other in zip(long, short, strict=True)]
