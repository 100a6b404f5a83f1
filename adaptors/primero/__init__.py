"""Operations for Primero v2: cases, their referrals, and what Primero knows of itself.

The credential is `primero`: `url`, `user`, `password`, and where needed `ca_file`, `rate`, `connections`. What Primero
does, exactly, and how each operation guards against it, stands in docs/operations.md.
"""

from adaptors.primero.metadata import get_agencies, get_forms, get_locations, get_lookups, get_users
from adaptors.primero.reading import find_case, get_case, get_cases
from adaptors.primero.referrals import create_referral, get_referrals, update_referral
from adaptors.primero.upsert import find_service, upsert_case
from adaptors.primero.writing import create_case, update_case

__all__ = [
    "create_case",
    "create_referral",
    "find_case",
    "find_service",
    "get_agencies",
    "get_case",
    "get_cases",
    "get_forms",
    "get_locations",
    "get_lookups",
    "get_referrals",
    "get_users",
    "update_case",
    "update_referral",
    "upsert_case",
]
