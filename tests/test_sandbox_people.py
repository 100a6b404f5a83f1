"""The invented children, their cases, and the configuration that these live in."""

import runpy
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from adaptors.sandbox import Sandbox
from adaptors.sandbox.caseload import caseload
from adaptors.sandbox.inprocess import gambella
from adaptors.sandbox.particulars import SHORTEST
from adaptors.sandbox.people import _ORIGINS, people

JOBS = Path(__file__).parent.parent / "jobs"
TODAY = date(2026, 11, 1)


def options(lookup):
    """The values that a look-up of the sandbox's configuration has."""
    return next(set(each["option_ids"]) for each in gambella()["lookups"] if each["unique_id"] == lookup)


def scripts(text):
    """The scripts of a text's letters, such as ARABIC."""
    return {unicodedata.name(letter).split()[0] for letter in text if letter.isalpha()}


def test_a_seed_always_gives_the_same_people():
    """The same seed and number give the same people; another seed gives others; more people begin with the same."""
    assert list(people(50, seed=7)) == list(people(50, seed=7))
    assert list(people(50, seed=7)) == list(islice(people(80, seed=7), 50))
    assert list(people(50, seed=7)) != list(people(50, seed=8))


def test_names_come_from_the_region_and_in_its_scripts():
    """Ethiopian, South Sudanese and Sudanese children are there, with names in Latin, Ethiopic and Arabic letters."""
    everybody = list(people(200, seed=1))

    assert {"Ethiopian", "Nuer", "Anyuak", "Dinka", "Sudanese"} == {person.origin for person in everybody}
    written = [scripts(person.name_first + person.name_last) for person in everybody]
    assert {"LATIN", "ETHIOPIC", "ARABIC"} == set().union(*written)


def test_numbers_of_unhcr_are_unique():
    """Of many thousand people no two bear one individual number, and families share their group's."""
    everybody = list(people(12_000, seed=3))

    assert 12_000 == len({person.unhcr_individual_no for person in everybody})
    assert 4_000 == len({person.unhcr_id_no for person in everybody})


def test_age_is_in_completed_years():
    """A child is a year older on the birthday, not before."""
    (child,) = people(1, seed=1)
    birthday = child.date_of_birth.replace(year=child.date_of_birth.year + 5)

    assert [4, 5] == [child.age_on(birthday - timedelta(days=1)), child.age_on(birthday)]


def test_the_configuration_holds_every_value_of_the_jobs_tables():
    """What the jobs translate from and to is an option in the sandbox's Primero, so that 2.15 accepts it."""
    out, into = (runpy.run_path(str(JOBS / f"{name}.py")) for name in ("primero_to_progres", "progres_to_primero"))

    assert {*out["LANGUAGES"], *into["LANGUAGES"].values(), into["OTHER_LANGUAGE"]} <= options("lookup-language")
    assert {*out["SERVICE_TYPES"], *out["AGREED_SERVICE_TYPES"]} <= options("lookup-service-type")
    assert {*out["SEXES"], "female", "male"} == options("lookup-gender")
    assert {"pending", "accepted", "rejected"} == options("lookup-unhcr-referral-status")


def test_people_have_only_values_that_primero_lists():
    """A child's sex and languages are options of the configuration."""
    everybody = list(people(300, seed=2))

    assert {person.sex for person in everybody} <= options("lookup-gender")
    assert {language for person in everybody for language in person.language} <= options("lookup-language")


def test_any_twenty_cases_hold_every_kind():
    """Twenty cases suffice to show what the jobs must tell apart."""
    kinds = Counter(plan.kind for plan in caseload(20, seed=5, today=TODAY))

    assert {"quiet", "referred", "not_agreed", "no_consent", "whole_case", "pending", "decided"} == set(kinds)
    assert kinds == Counter(plan.kind for plan in islice(caseload(33, seed=5, today=TODAY), 13, None))


@pytest.mark.parametrize("profile", ["2.10", "2.14", "2.15"])
def test_primero_takes_the_whole_caseload(profile):
    """Each version of Primero takes every case and referral, unknown keys and unlisted values refused or not."""
    plans = list(caseload(60, seed=5, today=TODAY))

    primero = Sandbox(profile=profile, cases=60, seed=5, clock=lambda: datetime(2026, 11, 1, tzinfo=UTC)).primero

    assert len(plans) == len(primero.cases)
    assert sum(len(plan.referrals) for plan in plans) == len(primero.referrals)
    for plan in plans:
        planned, held = plan.case | plan.afterwards, primero.cases[plan.case["id"]].data
        services = zip(planned.pop("services_section", []), held.get("services_section", []), strict=True)
        assert all(service.items() <= kept.items() for service, kept in services)
        assert {**planned, "id": None} == {name: held.get(name) for name in planned} | {"id": None}


def test_consent_is_withdrawn_after_the_referral():
    """A referral without consent is in progress, not overridden, and its case says that consent is gone."""
    planned = [plan.case["id"] for plan in caseload(20, seed=1, today=TODAY) if plan.kind == "no_consent"]

    primero = Sandbox(cases=20, seed=1).primero

    (referral,) = [each for each in primero.referrals.values() if each.case_id in planned]
    assert ("in_progress", False) == (referral.data["status"], referral.data["consent_overridden"])
    assert primero.cases[referral.case_id].data["disclosure_other_orgs"] is False


def test_the_account_of_unhcr_may_be_referred_to():
    """primero-api §1.5: a recipient's role is no system role; the integration account's is one."""
    categories = {role["unique_id"]: role["user_category"] for role in gambella()["roles"]}
    roles = {user["user_name"]: user["role"] for user in gambella()["users"]}

    assert categories[roles["unhcr_cw"]] is None
    assert "system" == categories[roles["progres_integration"]]


def test_no_name_is_found_by_chance():
    """R-ER1 No name that is long enough for the search can stand where an id meets an outcome: `…da` and `withheld`."""
    outcomes = ("", "done", "unchanged", "withheld", "refused", "parked", "failed")
    names = [name.lower() for origin in _ORIGINS for name in (*origin.girls, *origin.boys, *origin.families)]

    def by_chance(name):
        ends = [place for place in range(len(name) + 1) if any(each.startswith(name[place:]) for each in outcomes)]
        return any(set(name[:place]) <= set("abcdef") for place in ends)

    assert by_chance("dawit")
    assert by_chance("abebe")
    assert [] == [name for name in names if len(name) >= SHORTEST and by_chance(name)]
