"""What a seed draws: children, what is posted and done about them, what breaks, and when."""

from dataclasses import dataclass, field
from random import Random

TOKEN = "Quillwort7731"  # in every personal text: found in a file, it is a breach
MISTAKEN = "Mistaken Partner"  # an agency at which the job script of this world stumbles

SERVICE_TYPES = ("Alternative Care", "BID", "BIA", "Family Tracing and Reunification")
LANGUAGES = ("Nuer", "Anyuak", "Dinka, Southwestern", "Swahili, Congo", "Klingon", None)
REQUIRED = (
    "interventiontype.progres_description", "individuals.progres_registrationgroupid",
    "individuals.progres_givenname", "individuals.progres_familyname", "individuals.progres_dateofbirth",
    "individuals.progres_sex",
)  # fmt: skip

FLAWS = ("missing", "bad_date", "future_date", "bad_sex", "not_agreed", "odd_language", "mistaken")
SORTS = ("plain",) * 3 + ("override", "no_consent", "other_user", "whole_case", "not_agreed", "other_agency")

# What people and agencies do, and how often beside each other.
DEEDS = {
    "post": 9, "repeat": 4, "unmatched": 1, "refer": 7, "refer_again": 1, "revoke": 1, "withdraw_consent": 1,
    "give_consent": 1, "decide": 9, "touch": 3, "edit_notes": 2, "answer_referral": 5, "retry": 2,
}  # fmt: skip
# What happens to machines. The numbers after a name are hours, at least and at most.
MISHAPS = {
    "kill": 4, "off": 2, "primero_away": 3, "dtp_away": 3, "both_away": 1, "our_clock": 1, "clock_ahead": 2,
    "their_clock": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Child:
    """An invented child; everything that is known of it bears its tag."""

    tag: str
    number: str
    known: bool  # whether it has a case before anything happens
    birth: str
    sex: str

    @property
    def family_name(self):
        return f"{TOKEN} {self.tag}"


@dataclass(frozen=True)
class Intervention:
    """One intervention of a message. `flaw` is what is wrong with it, `named` which case it names."""

    number: str
    child: int
    service_type: str
    language: str | None
    notes: str
    flaw: str | None = None
    missing: str | None = None
    named: str | None = None  # None, "own", "other", "unknown"


@dataclass(frozen=True)
class Deed:
    """Something that happens `minute` minutes after the start. `details` depend on `kind`."""

    minute: float
    kind: str
    details: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Risks:
    """How likely something goes wrong at one crossing of a seam; `deaths` is how often the service may die at all."""

    death: float
    http: float
    store: float
    reading: float
    vault: float
    key: float
    odd: float
    busy: float
    interleave: float
    deaths: int


@dataclass(frozen=True)
class Scenario:
    """All that a seed decides beforehand."""

    seed: int
    children: tuple[Child, ...]
    deeds: tuple[Deed, ...]
    risks: Risks
    skew: float  # minutes by which Primero's clock is ahead of ours
    last_retry: bool  # whether an administrator tries again, in the end, what was parked
    parks: bool  # whether DTP must not be sent again what may have arrived (`on_unknown: park`)


def draw(seed):
    """The scenario of a seed; always the same one.

    >>> draw(7) == draw(7)
    True
    """
    chance = Random(f"scenario {seed}")
    children = tuple(_child(seed, index, chance) for index in range(chance.randint(2, 5)))
    length = 60 * chance.choice((1, 2, 3, 5, 8, 12))
    deeds = [_deed(kind, index, length, children, chance) for index, kind in enumerate(_kinds(chance))]
    deeds += [deed for kind in _mishaps(chance) for deed in _mishap(kind, length, chance)]
    return Scenario(
        seed=seed,
        children=children,
        deeds=tuple(sorted(deeds, key=lambda deed: deed.minute)),
        risks=_risks(chance),
        skew=chance.choice((0, 0, 0, 3, -3, 61, -61, 300, -300, 0.2)),
        last_retry=chance.random() < 0.5,
        parks=chance.random() < 0.3,
    )


def _child(seed, index, chance):
    return Child(
        tag=f"Kind{index}",
        number=f"GAM-{seed % 100000:05d}{index:03d}",
        known=chance.random() < 0.3,
        birth=f"20{10 + index}-0{chance.randint(1, 9)}-1{index}",
        sex=chance.choice(("125080000", "125080001", "125080002", "125080003")),
    )


def _kinds(chance):
    number = chance.choice((2, 4, 8, 12, 20))
    # The first deeds give the others something to be about.
    return [chance.choice(("post", "post", "refer")), *chance.choices(list(DEEDS), list(DEEDS.values()), k=number)]


def _mishaps(chance):
    number = chance.choice((0, 0, 1, 1, 2, 4))
    return chance.choices(list(MISHAPS), list(MISHAPS.values()), k=number)


def _risks(chance):
    calm = chance.random() < 0.15

    def risk(*sizes):
        return 0 if calm else chance.choice(sizes)

    return Risks(
        death=risk(0, 0, 0.01, 0.03, 0.08),
        http=risk(0, 0, 0.02, 0.08, 0.25),
        store=risk(0, 0, 0, 0.01, 0.05),
        reading=risk(0, 0, 0, 0.002, 0.01),
        vault=risk(0, 0, 0.02),
        key=risk(0, 0, 0, 0.02),
        odd=risk(0, 0, 0.02, 0.1, 0.25),
        busy=risk(0, 0.3),
        interleave=risk(0, 0, 0.02),
        deaths=chance.choice((1, 2, 4, 12)),
    )


def _deed(kind, index, length, children, chance):
    # Some come in the same minute: what is posted at once is in line at once.
    minute = chance.choice((0, length // 3, length // 2, chance.randint(0, length)))
    minute += 0.01 * index
    if kind == "post":
        count = chance.choice((1, 1, 1, 2, 3, 4))
        told = [_intervention(f"{index:02d}{part}", children, chance) for part in range(count)]
        return Deed(minute, kind, {"interventions": told})
    if kind == "refer":
        wanted = [chance.choice(SORTS) for _ in range(chance.choice((1, 1, 2, 3)))]
        return Deed(minute, kind, {"sorts": wanted, "child": chance.randrange(len(children)), "index": index})
    return Deed(minute, kind, {"pick": chance.random(), "other": chance.random()})


def _intervention(name, children, chance):
    flaw = chance.choice((None,) * 9 + FLAWS)
    child = chance.randrange(len(children))
    return Intervention(
        # A number that comes again is UNHCR's second try with other words.
        number=f"ITV-{name}" if chance.random() < 0.8 else f"ITV-again-{child}",
        child=child,
        service_type=chance.choice(SERVICE_TYPES),
        language=chance.choice(LANGUAGES),
        notes=chance.choice(("html", "json", "plain", "date", "none")),
        flaw=flaw,
        missing=chance.choice(REQUIRED) if flaw == "missing" else None,
        named=chance.choice((None, None, None, "own", "own", "other", "unknown")),
    )


def _mishap(kind, length, chance):
    minute = chance.uniform(0, length)
    hours = chance.choice((0.02, 0.3, 1, 3, 10))
    if chance.random() < 0.08:
        hours = chance.choice((26, 71, 80, 80, 80, 80, 200, 24 * 21, 24 * 70))
    if kind == "clock_ahead":
        # It runs ahead for a while, and is set right.
        ahead, lasting = chance.choice((0.5, 3, 20)), chance.choice((0, 0.1, 0.5)) * length
        return [Deed(minute + after, "our_clock", {"hours": hours}) for after, hours in ((0, ahead), (lasting, -ahead))]
    if kind.endswith("clock"):
        hours = chance.choice((-5, -1, -0.1, 0.1, 1, 5))
    return [Deed(minute, kind, {"hours": hours})]
