"""Filters that Primero really applies, and the check that it did.

Primero drops a filter it doesn't like without a word, and then all cases come back (primero-api §0.1, §2.4). So only
forms that are known to work are sent, and each record that comes back is held against what was asked for.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adaptors.errors import InvalidData, JobError, Unreachable, Untrustworthy

# Their value is used as one raw text: no lists, no ranges (primero-api §2.4).
IDENTIFIERS = frozenset(
    """unique_identifier short_id case_id_display case_id client_code ration_card_no icrc_ref_no rc_id_no unhcr_id_no
    unhcr_individual_no un_no other_agency_id survivor_code_no national_id_no other_id_no biometrics_id family_count_no
    dss_id camp_id tent_number nfi_distribution_id oscar_number registry_no family_number""".split()
)
_SAFE = re.compile(r"[A-Za-z0-9/_.-]{1,100}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Filter:
    """One filter: the pairs of the query string, and whether a record fits it."""

    field: str
    pairs: tuple[tuple[str, str], ...] = dataclasses.field(repr=False)
    fits: Callable[[dict[str, Any]], bool]


def filter_by(field: str, value: Any) -> Filter:
    """The filter for a field and the value, or list of values, it should have.

    Raises InvalidData when Primero can't search for such a value.

    >>> filter_by("unhcr_individual_no", "GAM-1").pairs
    (('unhcr_individual_no', 'GAM-1'),)
    >>> filter_by("referred_users", ["unhcr_cw"]).pairs
    (('referred_users[0]', 'unhcr_cw'),)
    """
    if field in IDENTIFIERS:
        text = identifier(field, value)
        return Filter(field, ((field, text),), lambda record: record.get(field) == text)
    if field == "id":
        ids = [_uuid(one) for one in (value if isinstance(value, list) else [value])]
        return Filter(field, ((field, ",".join(ids)),), lambda record: record.get("id") in ids)
    if isinstance(value, bool):
        known = (True,) if value else (False, None)  # for Primero, false also means never set
        return Filter(field, ((field, str(value).lower()),), lambda record: record.get(field) in known)
    wanted = [_searchable(field, one) for one in (value if isinstance(value, list) else [value])]
    if not wanted:
        raise InvalidData(f"no value to look for in {field}", fix="Leave the filter out, or give it a value.")
    pairs = tuple((f"{field}[{place}]", text) for place, text in enumerate(wanted))
    return Filter(field, pairs, lambda record: bool({str(held) for held in _held(record, field)} & set(wanted)))


def changed_since(since: str) -> Filter:
    """Records stamped at or after a moment, which Primero compares in whole seconds (primero-api §2.4)."""
    start = moment(since)
    text = start.strftime("%Y-%m-%dT%H:%M:%SZ..")
    return Filter(
        "last_updated_at",
        (("last_updated_at", text),),
        lambda record: _stamp(record) >= start,
    )


def check(records: Iterable[dict[str, Any]], filters: Iterable[Filter]) -> None:
    """Raise Untrustworthy unless every record fits every filter (H13)."""
    for record in records:
        for wanted in filters:
            if not wanted.fits(record):
                raise Untrustworthy(
                    f"Primero ignored the filter {wanted.field}: it answered with a record outside it",
                    code="filter_ignored",
                    fix=f"The role of our account must have the form with {wanted.field} in it.",
                )


def identifier(field: str, value: Any) -> str:
    """An identifier as text. Raises InvalidData for what Primero can't search for, such as a quotation mark.

    >>> identifier("case_id", 12345)
    '12345'
    """
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not _SAFE.fullmatch(text):
        raise InvalidData(
            f"{field} is no identifier that Primero can look for",
            fix="It may hold letters A-Z, digits and / _ . - only; ask the sender to correct it.",
        )
    return text


def moment(stamp: Any) -> datetime:
    """A server's time stamp as a moment in whole seconds, UTC; a stamp without zone is UTC."""
    try:
        found = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        raise JobError(
            "a time stamp is not of the form 2026-03-01T00:00:00Z", code="stamp", fix="Correct it."
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _stamp(record: dict[str, Any]) -> datetime:
    try:
        return moment(record.get("last_updated_at"))
    except JobError:
        raise Unreachable(
            "Primero answered with a record without its time stamp", code="unreadable_answer", fix="Try again."
        ) from None


def _held(record: dict[str, Any], field: str) -> list[Any]:
    held = record.get(field)
    return held if isinstance(held, list) else [held]


def _uuid(value: Any) -> str:
    text = str(value).lower()
    if not _UUID.fullmatch(text):
        raise InvalidData("an id is no UUID", fix="Give the record's `id`, not its case_id or short_id.")
    return text


def _searchable(field: str, value: Any) -> str:
    text = str(value)
    if not text or "," in text or ".." in text or '"' in text or value is None:
        raise InvalidData(f"the value for the filter {field} can't be searched for", fix="Filter by another field.")
    return text
