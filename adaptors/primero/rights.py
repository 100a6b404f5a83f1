"""What our account's role must be allowed in Primero for the jobs as they are, and what it may beyond that (R-LP1).

A right is a resource and an action, as a role has them (primero-api §1.5): `("case", "read")`.
"""

from collections.abc import Iterable, Iterator

from adaptors.findings import Finding, note, unless, wrong
from adaptors.primero.pages import Record

Right = tuple[str, str]

READ, CREATE, WRITE = ("case", "read"), ("case", "create"), ("case", "write")
ADD_SERVICES, ANSWER = ("case", "services_section_from_case"), ("case", "receive_referral")
REFER, SEE_USERS = ("case", "referral"), ("user", "read")

# What each operation needs; of several in a row, any one will do, and the first is the least.
NEEDS: dict[str, list[tuple[Right, ...]]] = {
    "get_cases": [(READ,)],
    "get_case": [(READ,)],
    "find_case": [(READ,)],
    "find_service": [(READ,)],
    "get_referrals": [(READ,)],
    "create_case": [(CREATE,)],
    "update_case": [(READ,), (WRITE,)],
    "upsert_case": [(READ,), (CREATE,), (ADD_SERVICES, WRITE)],
    "create_referral": [(READ,), (REFER, ("case", "referral_from_service"))],
    "update_referral": [(READ,), (ANSWER, WRITE, ("case", "remove_assigned_users"))],
    "get_users": [(SEE_USERS,)],
    "get_agencies": [(("agency", "read"),)],
}
# These look for a child in the whole caseload: who sees a part of it makes a second case of one that exists.
SEARCHING = ("upsert_case", "find_service", "find_case")
# What the check itself asks, and what unlocks the filter by recipient (primero-api §1.5).
TOLERATED = {SEE_USERS, ("agency", "read"), ("dashboard", "dash_shared_with_me")}


def of_role(steps: Iterable[str], role: Record | None) -> Iterator[Finding]:
    """Findings on actions and scope: what is lacking, and what is too much."""
    if role is None:
        found = "our account may not look at itself, so what its role allows can't be told"
        yield note("role", found, "Grant it user: read, or compare the role with docs/primero-setup.md.")
        return
    steps = sorted(set(steps))
    held = {(resource, action) for resource, actions in role["permissions"].items() for action in actions or ()}
    yield from unless([*_lacking(steps, held), *_excess(steps, held)], "role", _said(needed(steps)))
    yield from unless(_scope(steps, role.get("scope")), "scope", f"the role sees {role.get('scope')}")


def needed(steps: Iterable[str]) -> set[Right]:
    """The least rights with which these operations can be done.

    >>> sorted(needed(["get_cases", "update_referral"]))
    [('case', 'read'), ('case', 'receive_referral')]
    """
    return {choices[0] for step in steps for choices in NEEDS.get(step, ())}


def _lacking(steps: Iterable[str], held: set[Right]) -> Iterator[Finding]:
    for choices in dict.fromkeys(choices for step in steps for choices in NEEDS.get(step, ())):
        resource = choices[0][0]
        if not {*choices, (resource, "manage")} & held:
            yield wrong("role", f"lacks {_name(choices[0])}", "Add it to the role of our account in Primero.")


def _excess(steps: Iterable[str], held: set[Right]) -> Iterator[Finding]:
    choices = [choices for step in steps for choices in NEEDS.get(step, ())]
    # Of several that would do, the role may have one; a wider one beside it, or instead of it, is too much.
    for right in sorted(held - needed(steps) - TOLERATED):
        if right[0] != "objects":
            instead = sorted({_name(each[0]) for each in choices if right in each})
            fix = f"Give the role {' and '.join(instead)} instead." if instead else "Take it away: no job needs it."
            yield wrong("role", f"may more than it needs: {_name(right)}", fix)


def _scope(steps: Iterable[str], scope: str | None) -> Iterator[Finding]:
    searching = [step for step in steps if step in SEARCHING]
    if searching and scope not in ("all", "group", None):
        found = f"the role sees {scope} cases only; {searching[0]} would make a second case of one that it can't see"
        yield wrong("scope", found, "Let the role see all cases, or those of every group.")


def _said(rights: Iterable[Right]) -> str:
    return "has what the jobs need and no more: " + ", ".join(map(_name, sorted(rights)))


def _name(right: Right) -> str:
    return f"{right[0]}: {right[1]}"
