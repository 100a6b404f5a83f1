"""What one seed draws: the children, the messages about them, and what goes wrong when.

From one seed the plan is the same; real time makes the rest differ.
"""

from dataclasses import dataclass, field, replace
from random import Random

from adaptors.sandbox.people import people
from tests.flows import intervention, outgoing

FAMILY, PHONE, NOTES = "Quillwort-58213", "+251 91 155 57 731", "Whispered to Okello-7731"
CANARIES = (FAMILY, PHONE, NOTES)
SECONDS = 8.0  # of trouble
SERVICE_TYPES = ("Alternative Care", "BID", "BIA", "Family Tracing and Reunification")
# What is wrong with an intervention, and how the reason begins that UNHCR must be given.
WRONGS = {
    "without sex": ({"individuals__progres_sex": ...}, "Missing required fields"),
    "bad date": ({"individuals__progres_dateofbirth": "2014-02-30"}, "Invalid data"),
    "unknown sex": ({"individuals__progres_sex": "7"}, "Invalid data"),
    "not agreed": ({"interventiontype__progres_description": "Cash Assistance"}, "Service type not among"),
}
UNAGREED_TIME = "Primero could not be reached"
SCHEDULED = ("primero_decisions_to_progres", "primero_to_progres")
# How to hurt a stand-in, with the switches of adaptors/sandbox/faults.py. A time-out holds the service for half a
# minute; it is drawn before a kill only.
HURTS = {
    "500 before": {"kind": "fail_before", "count": 3},
    "500 after": {"kind": "fail_after", "count": 3},
    "500 after writes": {"kind": "fail_after", "count": 2, "method": "POST"},
    "500 after patches": {"kind": "fail_after", "count": 2, "method": "PATCH"},
    "reset": {"kind": "reset", "count": 3},
    "reset after writes": {"kind": "reset", "count": 2, "method": "POST"},
    "429": {"kind": "too_many", "count": 3},
    "HTML": {"kind": "bad_gateway", "count": 3},
    "away": {"kind": "bad_gateway", "count": None},
    "slow": {"kind": "latency", "count": 20, "seconds": 0.2},
    "lock": {"kind": "lock", "count": 3},
}
# How DTP refuses what passed its gateway. The last, and a lock, name a time that is too long for the real clock.
REFUSALS = ("error_inside", "success_false", "echo", "quota_spent")
LASTING = ("lock", "quota_spent")
TIME_OUT = {"kind": "time_out", "count": 1}
ENDS_OF_DATABASE = ("immediate", "immediate", "fast", "kill")


@dataclass(frozen=True)
class Child:
    """A child that UNHCR refers: new, or one whose case Primero has from the start."""

    number: str
    given: str
    family: str


@dataclass(frozen=True)
class Asked:
    """One intervention: for whom, its number, and the beginning of the refusal it must get (empty: none)."""

    child: Child
    number: str
    service_type: str
    refusal: str = ""
    fields: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What happens at a moment (seconds after the beginning); `detail` is what world.py makes of it."""

    at: float
    kind: str
    detail: dict = field(default_factory=dict)

    def __str__(self):
        told = {name: value for name, value in self.detail.items() if name != "message"}
        return f"{self.at:5.2f} {self.kind} {told or ''}"


@dataclass(frozen=True)
class Plan:
    """Everything that a seed draws. `speed` 1 is the real clock, with short pauses in the project file; more is the
    project's own schedule under a clock that runs so much faster, and begins `before_midnight` (hours) on it."""

    seed: int
    speed: int
    before_midnight: float
    hours: float
    cases: int
    asked: list
    steps: list
    keys_with_program: bool = False

    @property
    def refuses(self):
        """Whether DTP refuses anything."""
        return any(step.kind == "DTP refuses" for step in self.steps)

    def lines(self):
        """The plan, to be read."""
        keys = ", keys with a program" if self.keys_with_program else ""
        yield f"seed {self.seed}: speed {self.speed}, {self.cases} cases, agreed time {self.hours} h{keys}"
        yield from (f"{one.number}: {one.child.number} {one.service_type}; {one.refusal or 'good'}"
                    for one in self.asked)  # fmt: skip
        yield from map(str, self.steps)


def draw(seed, *, real_clock=False):
    """The plan of a seed; with `real_clock` none has a faster one.

    >>> draw(3) == draw(3)
    True
    """
    chance = Random(f"chaos {seed}")
    fast = chance.random() < 0.5 and not real_clock
    cases = chance.randrange(6, 21)
    children = _children(chance, seed, cases)
    asked = []
    steps = [
        *_messages(chance, seed, children, asked),
        *_twins(chance, seed, asked),
        *_people(chance, fast),
        *_ends(chance),
        *_hurts(chance, fast),
        *_refusals(chance, fast),
        *_by_hand(chance, fast),
        *(Step(chance.uniform(1, SECONDS), "search") for _ in range(2)),
    ]
    return Plan(
        seed=seed,
        speed=1800 if fast else 1,
        before_midnight=chance.uniform(0, 4),
        hours=72 if fast or chance.random() < 0.7 else 0.001,
        cases=cases,
        asked=asked,
        steps=sorted(steps, key=lambda step: step.at),
    )


def draw_over_database(seed):
    """The plan of a seed over a database, to which things happen as well: it is ended, killed and started, or cuts
    somebody off. In some, a program holds the keys. All under the real clock, since the database has no other.

    >>> draw_over_database(3) == draw_over_database(3)
    True
    """
    plan, chance = draw(seed, real_clock=True), Random(f"chaos database {seed}")
    steps = []
    for _ in range(chance.randrange(1, 4)):
        detail = {"pause": chance.choice((0, chance.uniform(0, 2))), "mode": chance.choice(ENDS_OF_DATABASE)}
        steps.append(Step(chance.uniform(0.5, SECONDS), "database restarts", detail))
    for _ in range(chance.randrange(1, 6)):
        steps.append(Step(chance.uniform(0.5, SECONDS), "database cuts off", {"pick": chance.random()}))
    all_steps = sorted([*plan.steps, *steps], key=lambda step: step.at)
    return replace(plan, steps=all_steps, keys_with_program=chance.random() < 0.5)


def _children(chance, seed, cases):
    """Some that nobody in Primero knows, and some of those whose cases are there."""
    new = [Child(f"GAM-C{seed:05d}-{number}", chance.choice(("Nyaruot", "Obang", "Ariet")), FAMILY)
           for number in range(chance.randrange(3, 8))]  # fmt: skip
    known = [Child(person.unhcr_individual_no, person.name_first, person.name_last) for person in people(cases, seed)]
    return new + chance.sample(known, 2)


def _message(chance, seed, children, asked, *, wrong):
    """A message of one to three interventions, each with a number of its own; some are wrong."""
    parts = []
    for child in chance.choices(children, k=chance.choice((1, 1, 1, 2, 3))):
        number = f"GAM-26-CHAOS-{seed}-{len(asked)}"
        service_type = chance.choice(SERVICE_TYPES)
        changes, refusal = WRONGS[chance.choice(sorted(WRONGS))] if chance.random() < wrong else ({}, "")
        fields = {
            "individuals__progres_id": child.number,
            "individuals__progres_givenname": child.given,
            "individuals__progres_familyname": child.family,
            "individuals__progres_primaryphonenumber": PHONE,
            "progres_interventionnumber": number,
            "interventiontype__progres_description": service_type,
            "progres_reasonforreferral": f"{NOTES} about {number}",
        }
        asked.append(Asked(child, number, service_type, refusal, fields))
        parts.append(intervention(**{**fields, **changes}))
    return outgoing(*parts)


def _messages(chance, seed, children, asked):
    for _ in range(chance.randrange(12, 25)):
        message = _message(chance, seed, children, asked, wrong=0.2)
        for _ in range(chance.choice((1, 1, 1, 2, 10))):  # at once, or almost
            yield Step(chance.uniform(0, 0.8) * SECONDS, "post", {"message": message})
    for _ in range(chance.randrange(3)):
        yield Step(chance.uniform(0, SECONDS), "post", {"message": {"request_type": "Nobody", "name": FAMILY}})
    for sort in chance.choices(("wrong key", "no JSON", "NaN", "twice the same key"), k=3):
        yield Step(chance.uniform(0, SECONDS), "nonsense", {"sort": sort})


def _twins(chance, seed, asked):
    """Messages for one new child, all at once; and one message many times at once."""
    twin = [Child(f"GAM-C{seed:05d}-T", "Twin", FAMILY)]
    at = chance.uniform(0.5, 4)
    for message in [_message(chance, seed, twin, asked, wrong=0) for _ in range(chance.randrange(2, 4))]:
        yield from [Step(at, "post", {"message": message})] * chance.choice((1, 5))


def _people(chance, fast):
    """Caseworkers decide, edit and refer; UNHCR decides about what it received."""
    for _ in range(chance.randrange(4, 12)):
        detail = {"pick": chance.random(), "status": chance.choice(("accepted", "accepted", "rejected"))}
        yield Step(chance.uniform(1.5, SECONDS), "caseworker decides", detail)
    for _ in range(chance.randrange(3)):
        yield Step(chance.uniform(1.5, SECONDS), "caseworker edits", {"pick": chance.random()})
    for number in range(chance.randrange(4)):
        yield Step(chance.uniform(0.5, SECONDS - 1), "caseworker refers", {"number": number})
    for _ in range(chance.randrange(2, 8)):
        detail = {"pick": chance.random(), "code": chance.choice(("125080000", "125080001")),
                  "times": chance.choice((1, 1, 3)), "contradicted": chance.random() < 0.2}  # fmt: skip
        yield Step(chance.uniform(2.5 if fast else 3.5, SECONDS), "UNHCR decides", detail)
    yield Step(chance.uniform(1, SECONDS), "UNHCR decides about nothing")


def _ends(chance):
    """The service is killed, killed twice, killed while it starts, stopped, or started twice."""
    for _ in range(chance.randrange(3, 6)):
        kind = chance.choice(("kill", "kill", "kill twice", "stop", "time out, then kill"))
        detail = {"pause": chance.choice((0, chance.uniform(0, 0.7))), "again": chance.uniform(0, 0.7)}
        yield Step(chance.uniform(0.3, SECONDS), kind, detail)
    yield Step(chance.uniform(0.5, SECONDS), "second service")
    for _ in range(chance.choice((0, 0, 1))):
        yield Step(chance.uniform(0.5, SECONDS - 2), "disk full", {"seconds": chance.uniform(0.5, 2)})


def _hurts(chance, fast):
    for _ in range(chance.randrange(2, 6)):
        how = chance.choice([name for name in sorted(HURTS) if fast or name not in LASTING])
        detail = {"whom": chance.choice(("primero", "dtp")), "how": how, "seconds": chance.uniform(0.3, 2)}
        yield Step(chance.uniform(0, SECONDS - 2), "hurt", detail)


def _refusals(chance, fast):
    """DTP refuses a few posts, until a person lets them go again."""
    for _ in range(chance.choice((0, 0, 1, 2))):
        way = chance.choice([way for way in REFUSALS if fast or way not in LASTING])
        yield Step(chance.uniform(1, SECONDS - 1), "DTP refuses", {"way": way, "count": chance.randrange(1, 4)})


def _by_hand(chance, fast):
    """What an administrator types beside the service."""
    runs = [("run", job, "--move-cursor") for job in SCHEDULED]
    looks = [("status",), ("inbox", "list"), ("runs", "list"), ("parked",), ("run", "progres_answers"),
             ("retry", "--all", "--code", "unreachable"), ("retry", "--all", "--code", "server_error")]  # fmt: skip
    for words in chance.choices(looks, k=chance.randrange(2, 6)):
        yield Step(chance.uniform(0.5, SECONDS), "by hand", {"words": words})
    # Under the real clock nothing else lets the scheduled jobs begin.
    for number in range(1 if fast else 6):
        at = chance.uniform(0.5, SECONDS) if fast else SECONDS * (number + 1) / 7
        yield Step(at, "by hand", {"words": chance.choice(runs)})
        if not fast:
            yield Step(at + 0.3, "by hand", {"words": chance.choice(runs)})
