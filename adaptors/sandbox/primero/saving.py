"""What a save does to a case besides storing what was sent (primero-api §4, §5 and §15).

Every save, even of nothing, gives a new `last_updated_at`. The steps stand in `_STEPS` in the order in which Primero
takes them; each looks at the data before and after and changes the data after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adaptors.sandbox.primero.config import Config, Document, User
from adaptors.sandbox.primero.memory import Alert, Case, Memory
from adaptors.sandbox.primero.profiles import Profile

_ALERTS = {"notes_section": "notes", "incident_details": "incident_details_container", "services_section": "services"}
_NAME_PARTS = ("name_first", "name_middle", "name_last")
_UNCOUNTED = {"last_updated_at", "last_updated_by"}


@dataclass
class Save:
    """One save in the making. `by_user`: somebody edited the case, rather than a referral that changed."""

    case: Case
    before: Document
    data: Document
    new: bool
    by_user: bool

    def changed(self, name: str) -> bool:
        """Whether a key is new or has another value than before."""
        return name in self.data and (name not in self.before or self.data[name] != self.before[name])


class Saver:
    """Saves cases of one configuration into one memory."""

    def __init__(self, config: Config, profile: Profile, memory: Memory) -> None:
        self._config = config
        self._profile = profile
        self._memory = memory

    def create(self, record_id: str, data: Document, user: User) -> Document:
        """Makes a case of what was sent; returns the keys that the save has set, with their values."""
        internal_id = self._memory.new_id()
        defaults: Document = {
            "record_state": True,
            "status": "open",
            "registration_date": self._memory.today(),
            "notes_section": [],
            "reopened_logs": [],
            "created_at": self._memory.stamp(),
            "owned_by": user.name,
        }
        made_by_server = {
            "unique_identifier": internal_id,
            "created_by": user.name,
            "created_organization": user.agency,
            "last_updated_by": user.name,
        }
        identifiers = {"case_id": internal_id, "short_id": internal_id[-7:]}
        missing = {name: value for name, value in identifiers.items() if data.get(name) is None}
        data = defaults | data | missing | made_by_server
        if data.get("case_id_display") is None:
            data["case_id_display"] = data["short_id"]
        case = Case(record_id, {})
        return self._run(Save(case, {}, data, new=True, by_user=True))

    def update(self, case: Case, data: Document, user: User | None, *, by_user: bool = True) -> Document:
        """Replaces the data of a case; returns the keys that changed. `user` is who becomes its last editor."""
        if user is not None:
            data = data | {
                "last_updated_by": user.name,
                "last_updated_by_full_name": user.raw["full_name"],
                "last_updated_organization": user.agency,
            }
        return self._run(Save(case, case.data, dict(data), new=False, by_user=by_user))

    def refresh_owner(self, user: User) -> None:
        """Copies a changed profile into the cases that the account owns, as Primero's background job does."""
        for case in self._memory.cases.values():
            if case.data.get("owned_by") == user.name:
                self.update(case, case.data | self._owner_copies(user), None, by_user=False)

    def _run(self, save: Save) -> Document:
        for step in _STEPS:
            step(self, save)
        save.data["last_updated_at"] = self._memory.stamp()
        save.case.data = save.data
        self._memory.put(save.case)
        return {name: value for name, value in save.data.items() if name not in _UNCOUNTED and save.changed(name)}

    def _name_entries(self, save: Save) -> None:
        for name, value in save.data.items():
            if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
                save.data[name] = [self._named(entry) for entry in value]

    def _named(self, entry: Any) -> Any:
        if not isinstance(entry, dict) or entry.get("unique_id"):
            return entry
        return entry | {"unique_id": self._memory.new_id()}

    def _close_or_reopen(self, save: Save) -> None:
        data = save.data
        if data.get("status") != "closed":
            return
        if save.before.get("status") == "open":
            data.setdefault("date_closure", self._memory.today())
        added = len(data.get("services_section") or ()) > len(save.before.get("services_section") or ())
        if not save.new and data.get("record_state") is True and added:
            data["status"] = "open"
            data["case_status_reopened"] = True

    def _log_reopening(self, save: Save) -> None:
        data = save.data
        was_closed = save.before.get("status") == "closed"
        if data.get("case_status_reopened") and was_closed and data.get("status") == "open":
            log = {"reopened_date": self._memory.stamp(), "reopened_user": data["last_updated_by"]}
            data["reopened_logs"] = [log, *(data.get("reopened_logs") or ())]

    def _mark_services(self, save: Save) -> None:
        services = save.data.get("services_section")
        if services is not None:
            save.data["services_section"] = [_marked(service) for service in services]
            times = (service.get("service_implemented_day_time") for service in services)
            save.data["service_implemented_day_times"] = _once(filter(None, times))

    def _share(self, save: Save) -> None:
        data = save.data
        if not (save.changed("owned_by") or save.changed("assigned_user_names")):
            return
        requested = data.get("owned_by")
        names = _once(filter(None, [requested, *(data.get("assigned_user_names") or ())]))
        data["associated_user_names"] = names
        data["associated_user_groups"] = _once(group for user in self._users(names) for group in user.groups)
        data["associated_user_agencies"] = self._agencies(names)
        if save.changed("owned_by"):
            self._hand_over(save, requested)

    def _hand_over(self, save: Save, requested: str | None) -> None:
        owner = self._config.users.get(requested or "")
        if owner is None:
            save.data["owned_by"] = save.before.get("owned_by")
            return
        save.data |= self._owner_copies(owner)
        if not save.new:
            save.data["previously_owned_by"] = save.before.get("owned_by")
            save.data["previously_owned_by_agency"] = save.before.get("owned_by_agency_id")

    def _owner_copies(self, owner: User) -> Document:
        copies = {"owned_by_agency_id": owner.agency, "owned_by_groups": list(owner.groups)}
        return copies | ({"owned_by_location": owner.raw["location"]} if owner.raw.get("location") else {})

    def _users(self, names: Iterable[str]) -> list[User]:
        found = [self._config.users[name] for name in names if name in self._config.users]
        return sorted(found, key=lambda user: user.id)

    def _agencies(self, names: list[str]) -> list[str]:
        # PostgreSQL joins from the side of the users while they are few, else from the side of the agencies.
        agencies = _once(user.agency for user in self._users(names))
        few = len(names) < 3
        return agencies if few else sorted(agencies, key=lambda agency: self._config.agencies[agency]["id"])

    def _move_workflow(self, save: Save) -> None:
        data = save.data
        if save.new:
            data.setdefault("workflow", "new")
        if data.get("status") == "closed":
            data["workflow"] = "closed"
        elif data.get("status") == "open":
            data["workflow"] = self._open_workflow(save)

    def _open_workflow(self, save: Save) -> Any:
        data = save.data
        if data.get("case_status_reopened") and (save.changed("case_status_reopened") or save.changed("status")):
            return "reopened"
        services = data.get("services_section") or []
        if not services or not save.changed("services_section"):
            return data.get("workflow")
        options = self._config.modules.get(data.get("module_id") or "", {}).get("options", {})
        if options.get("use_workflow_service_implemented") and all(map(_is_implemented, services)):
            return "services_implemented"
        open_ones = [s for s in services if s.get("service_response_type") and not _is_implemented(s)]
        if not open_ones:
            return data.get("workflow")
        latest = max(open_ones, key=lambda service: service.get("service_response_day_time") or "")
        return latest["service_response_type"]

    def _list_recipients(self, save: Save) -> None:
        save.data |= {"transferred_to_users": [], "transferred_to_user_groups": []}
        if self._profile.referred_users == "nobody":
            return
        live = [referral for referral in self._memory.referrals_of(save.case) if referral.alive]
        recipients = _in_table_order(referral.recipient for referral in live)
        save.data |= {"referred_users": recipients, "referred_users_present": bool(recipients)}
        if self._profile.referred_users == "dashboard":
            pending = (r.recipient for r in live if r.data["status"] == "in_progress")
            accepted = (r.recipient for r in live if r.data["status"] == "accepted")
            save.data["referred_users_pending"] = _in_table_order(pending)
            save.data["referred_users_accepted"] = _in_table_order(accepted)

    def _raise_alerts(self, save: Save) -> None:
        data, alerts = save.data, save.case.alerts
        by_owner = data.get("owned_by") == data["last_updated_by"]
        for name, form in _ALERTS.items():
            touched = save.changed(name)
            if touched or (by_owner and save.by_user and not save.new):
                alerts = [alert for alert in alerts if (alert.type, alert.cause) != (form, "field_change")]
            if touched and not by_owner:
                alerts = [*alerts, Alert(form, "field_change", self._memory.today(), self._memory.new_id())]
        save.case.alerts = alerts
        data["current_alert_types"] = _once(alert.type for alert in alerts)
        data["not_edited_by_owner"] = not by_owner

    def _fill_computed(self, save: Save) -> None:
        data = save.data
        for name, value in (("has_photo", False), ("protection_concerns", []), ("has_incidents", False)):
            data.setdefault(name, value)
        data.setdefault("case_type", "person")
        parts = [str(data[part]) for part in _NAME_PARTS if str(data.get(part) or "").strip()]
        if parts:
            data["name"] = " ".join(parts)


_STEPS = (
    Saver._name_entries,
    Saver._close_or_reopen,
    Saver._log_reopening,
    Saver._mark_services,
    Saver._share,
    Saver._move_workflow,
    Saver._list_recipients,
    Saver._raise_alerts,
    Saver._fill_computed,
)


def _marked(service: Document) -> Document:
    if service.get("service_implemented_day_time"):
        return service | {"service_implemented": "implemented"}
    return service | {"service_implemented": "not_implemented"} if service.get("service_type") else service


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _is_implemented(service: Document) -> bool:
    return service.get("service_implemented") == "implemented"


def _in_table_order(recipients: Iterable[str | None]) -> list[str | None]:
    # A row for a recipient that has one already lands in space that PostgreSQL has freed, in front of the others.
    ordered: list[str | None] = []
    for recipient in recipients:
        if recipient in ordered:
            ordered.remove(recipient)
            ordered.insert(0, recipient)
        else:
            ordered.append(recipient)
    return ordered
