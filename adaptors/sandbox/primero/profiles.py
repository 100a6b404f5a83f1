"""What differs between the versions of Primero that the stand-in can play (primero-api §11 and §15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Profile:
    """One version. `version` is what it reports; `None` means what the configuration says.

    `largest_page` is the clamp of `per`, `None` for none. `referred_users` says who has the `referred_users*` names:
    nobody, every role, or roles with the dashboard `dash_shared_with_me`.
    """

    version: str | None
    largest_page: int | None = 1000
    bracket_lists: bool = False
    refuses_unknown_keys: bool = False
    open_numeric_ranges: bool = False
    whole_second_columns: bool = False
    accepting_saves_case: bool = True
    case_id_changes: bool = False
    referred_users: Literal["nobody", "everybody", "dashboard"] = "everybody"
    validates_options: bool = False
    user_filter_lists: bool = False


PROFILES = {
    "2.10": Profile(
        version="2.10.7",
        largest_page=None,
        bracket_lists=True,
        refuses_unknown_keys=True,
        open_numeric_ranges=True,
        whole_second_columns=True,
        accepting_saves_case=False,
        case_id_changes=True,
        referred_users="nobody",
    ),
    "2.14": Profile(version=None),
    "2.15": Profile(version="2.15.2", referred_users="dashboard", validates_options=True, user_filter_lists=True),
}
