"""What an account may do and see: record scope, and the names of fields it may read, filter by and write.

The built-in names are those of primero-api §1.5 and §2.3 as corrected by its §15 and the vectors list-044, list-045.
"""

from __future__ import annotations

from collections.abc import Iterable

from adaptors.sandbox.primero.config import Config, Document, Field, Role, User
from adaptors.sandbox.primero.memory import Case, Memory, Referral
from adaptors.sandbox.primero.profiles import Profile
from adaptors.sandbox.primero.rules import WRITABLE_TYPES

_ALWAYS = frozenset(
    """
    id or not status state record_state case_status_reopened workflow owned_by module_id created_at cases_by_date
    record_in_scope associated_user_names not_edited_by_owner has_photo has_incidents case_type survivor_code
    survivor_code_no case_id_display short_id sex age registration_date date_closure reassigned_transferred_on
    current_alert_types location_current reporting_location_hierarchy followup_dates reunification_dates tracing_dates
    service_implemented_day_times transferred_to_users transferred_to_user_groups family_id incident_case_id
    """.split()
)
_REFERRED = frozenset({"referred_users", "referred_users_present"})
_REFERRED_BY_STATUS = frozenset({"referred_users_pending", "referred_users_accepted"})
_WITH_READ = frozenset(
    """
    alert_count assigned_user_names created_by created_by_agency owned_by_agency_id owned_by_text
    owned_by_agency_office owned_by_groups previous_agency previously_owned_by previously_owned_by_agency
    reassigned_tranferred_on reopened_logs last_updated_at last_updated_by created_organization consent_for_services
    disclosure_other_orgs
    """.split()
)
_WITH_ACTION = {
    "write": {"hidden_name"},
    "flag": {"flag_count", "flagged"},
    "sync_external": {"synced_at", "sync_status", "mark_synced", "mark_synced_url", "mark_synced_status"},
    "view_photo": {"photo"},
}
_WITH_DASHBOARD = {
    "dash_case_risk": {"risk_level"},
    "dash_shared_with_others": {"transfer_status"},
    "dash_shared_from_my_team": {"transfer_status"},
    "cases_by_task_overdue_assessment": {"assessment_due_dates"},
    "cases_by_task_overdue_case_plan": {"case_plan_due_dates"},
    "cases_by_task_overdue_services": {"service_due_dates"},
    "cases_by_task_overdue_followups": {"followup_due_dates"},
}
_ID_SEARCH = frozenset({"age", "date_of_birth", "estimated", "name", "sex"})
_REFERRAL_ACTIONS = (
    "referral",
    "referral_from_service",
    "receive_referral",
    "receive_referral_different_module",
    "remove_assigned_users",
)


def _core(name: str, kind: str) -> Field:
    return Field(name, kind, False, kind == "time", None)


_WRITABLE_CORE = [
    _core("id", "uuid"),
    _core("state", "boolean"),
    _core("case_status_reopened", "boolean_or_null"),
    _core("record_state", "boolean"),
    _core("created_at", "time"),
    _core("owned_by", "text"),
]
_FIXED_AFTER_CREATION = {"id", "unique_identifier", "unique_id", "short_id", "created_by", "case_id_display"}
_STATUSES = frozenset({"open", "closed", "transferred", "identified"})


class Access:
    """Answers what an account may do, for one configuration and version."""

    def __init__(self, config: Config, profile: Profile, memory: Memory) -> None:
        self._config = config
        self._profile = profile
        self._memory = memory

    def sees(self, user: User, case: Case) -> bool:
        """Whether a case lies in the record scope of an account (the owner sees it whatever the lists say)."""
        if user.role.scope == "self":
            return user.name in (case.data.get("owned_by"), *(case.data.get("assigned_user_names") or ()))
        return self.lists(user, case)

    def lists(self, user: User, case: Case) -> bool:
        """Whether a case is in an account's lists."""
        match user.role.scope:
            case "all":
                return True
            case "group":
                return not set(user.groups).isdisjoint(case.data.get("associated_user_groups") or ())
            case "agency":
                return user.agency in (case.data.get("associated_user_agencies") or ())
            case _:
                return user.name in (case.data.get("associated_user_names") or ())

    def may(self, user: User, action: str, case: Case) -> bool:
        """Whether an account may do something with a case: the permission and the scope."""
        return user.role.allows("case", action) and self.sees(user, case)

    def visible_referrals(self, user: User, case: Case) -> list[Referral]:
        """The referrals of a case that an account is shown (primero-api §6)."""
        referrals = self._memory.referrals_of(case)
        if user.role.scope == "all" or case.data.get("owned_by") == user.name:
            return referrals
        if user.role.scope == "self":
            return [referral for referral in referrals if referral.recipient == user.name]
        if not any(user.role.allows("case", action) for action in _REFERRAL_ACTIONS):
            return self.live_referrals_to(user, case)
        if user.role.scope == "agency":
            owner = self._config.users.get(case.data.get("owned_by") or "")
            same_agency = owner is not None and owner.agency == user.agency
            return [r for r in referrals if same_agency or r.data.get("transitioned_to_agency") == user.agency]
        if not set(user.groups).isdisjoint(case.data.get("owned_by_groups") or ()):
            return referrals
        return [referral for referral in referrals if self._shares_group(user, referral.recipient)]

    def live_referrals_to(self, user: User, case: Case) -> list[Referral]:
        """The referrals that give an account access to a case just now."""
        return [r for r in self._memory.referrals_of(case) if r.alive and r.recipient == user.name]

    def roles_for(self, user: User, case: Case) -> list[Role]:
        """The roles through which an account sees one case: those a referral was made with, or its own."""
        if case.data.get("owned_by") == user.name:
            return [user.role]
        names = {r.data.get("authorized_role_unique_id") for r in self.live_referrals_to(user, case)}
        return [self._config.roles[name] for name in names if name in self._config.roles] or [user.role]

    def readable(self, user: User, roles: Iterable[Role] = (), *, id_search: bool = False) -> frozenset[str]:
        """The names of fields that an account may read and filter by."""
        role = user.role
        names = set(_ALWAYS) | self._referred_names(role)
        for form_role in roles or (role,):
            names |= {field.name for field in self._form_fields(form_role, writable=False)}
        if role.allows("case", "read"):
            names |= _WITH_READ
        for action, extra in _WITH_ACTION.items():
            names |= extra if role.allows("case", action) else set()
        for action, extra in _WITH_DASHBOARD.items():
            names |= extra if role.allows("dashboard", action) else set()
        if id_search:
            names |= _ID_SEARCH
        names.add(self._config.settings["reporting_location_config"]["field_key"])
        return frozenset(names)

    def writable(self, user: User, module: str | None, *, update: bool, services: bool = False) -> dict[str, Field]:
        """The fields that an account may write into a case of a module, forms first; none of a form without module.

        `services` adds the services subform whatever the forms of the role say.
        """
        fields = {field.name: field for field in self._form_fields(user.role, writable=True, module=module)}
        if services:
            fields |= {f.name: f for f in self._config.forms["services"].fields}
        if update:
            for name in _FIXED_AFTER_CREATION | (set() if self._profile.case_id_changes else {"case_id"}):
                fields.pop(name, None)
        return fields | self._core_fields(user.role, update)

    def can_preview(self, user: User) -> bool:
        """Whether an account may look for cases that are not its own."""
        return user.role.allows("case", "search_owned_by_others")

    def _core_fields(self, role: Role, update: bool) -> dict[str, Field]:
        fields = {field.name: field for field in _WRITABLE_CORE if not (update and field.name == "id")}
        fields["status"] = Field("status", "status", False, False, self._statuses())
        fields["module_id"] = Field("module_id", "module", False, False, frozenset(self._config.modules))
        if role.allows("case", "close"):
            fields["date_closure"] = Field("date_closure", "date_field", False, False, None)
        if role.allows("case", "reopen"):
            fields["workflow"] = _core("workflow", "text")
        return fields

    def _statuses(self) -> frozenset[str]:
        listed: list[Document] = self._config.raw["lookups"]
        own = next((lookup.get("option_ids") for lookup in listed if lookup["unique_id"] == "lookup-case-status"), None)
        return _STATUSES | frozenset(own or ())

    def _form_fields(self, role: Role, *, writable: bool, module: str | None = None) -> Iterable[Field]:
        for name, form in self._config.forms.items():
            right = role.forms.get(name)
            if right is None or form.parent_form != "case" or form.nested:
                continue
            if not writable:
                yield from form.fields
            elif right == "rw" and module in form.modules:
                yield from (field for field in form.fields if field.type in WRITABLE_TYPES)

    def _referred_names(self, role: Role) -> frozenset[str]:
        match self._profile.referred_users:
            case "everybody":
                return _REFERRED
            case "dashboard" if role.allows("dashboard", "dash_shared_with_me"):
                return _REFERRED | _REFERRED_BY_STATUS
            case _:
                return frozenset()

    def _shares_group(self, user: User, name: str | None) -> bool:
        other = self._config.users.get(name or "")
        return other is not None and not set(user.groups).isdisjoint(other.groups)
