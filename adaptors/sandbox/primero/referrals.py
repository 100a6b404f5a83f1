"""The calls on referrals: list, make, answer, revoke (primero-api §6).

An answer that does not fit the present status is ignored with 200. Consent, and whether the recipient may receive, are
checked on every save, so a referral made with consent cannot be answered once the consent is gone.
"""

from __future__ import annotations

from typing import Any

from adaptors.sandbox.primero.config import Config, Document, User
from adaptors.sandbox.primero.errors import Broken, Forbidden, Invalid, NotFound
from adaptors.sandbox.primero.instance import Call, Instance
from adaptors.sandbox.primero.memory import Alert, Case, Referral
from adaptors.sandbox.primero.values import truth, uuid_text
from adaptors.sandbox.wire import Response, json_response

_TEXTS = (
    "transitioned_to",
    "transitioned_to_remote",
    "transitioned_to_agency",
    "service",
    "service_record_id",
    "type_of_export",
    "notes",
    "authorized_role_unique_id",
)
_FLAGS = ("remote", "consent_overridden", "allow_case_creation")
_ANSWERERS = ("write", "receive_referral", "remove_assigned_users")
_ANSWERS = {("in_progress", "accepted"), ("in_progress", "rejected"), ("accepted", "done")}
_CLOSED_CATEGORIES = ("system", "maintenance")


def receivers(config: Config, sender: User, module: str | None) -> list[User]:
    """The accounts that may be sent a referral of a case of this module by this sender."""
    return [user for user in config.users.values() if user is not sender and _may_receive(user, module)]


def list_referrals(instance: Instance, call: Call) -> Response:
    """`GET /cases/:id/referrals`: no paging, no order."""
    case = instance.find_case(call.keys[0])
    if not instance.access.may(call.user, "read", case):
        raise Forbidden
    visible = instance.access.visible_referrals(call.user, case)
    return json_response(200, {"data": [_shown(instance, call.user, referral) for referral in visible]})


def list_transitions(instance: Instance, call: Call) -> Response:
    """`GET /cases/:id/transitions?types=…`: referrals are the only kind that the stand-in has."""
    types = call.text("types")
    if types and "Referral" not in types.split(","):
        instance.find_case(call.keys[0])
        return json_response(200, {"data": []})
    return list_referrals(instance, call)


def create_referral(instance: Instance, call: Call) -> Response:
    """`POST /cases/:id/referrals`; the client cannot choose the id, so the same call again makes a second one."""
    case = instance.find_case(call.keys[0])
    _allow_referring(instance, call, [case])
    return json_response(200, {"data": refer(instance, call.user, case, _data(call))})


def create_referrals(instance: Instance, call: Call) -> Response:
    """`POST /cases/referrals`: one referral for each of `data.ids`."""
    ids = _data(call).get("ids")
    keys = [uuid_text(str(key)) or "" for key in ids] if isinstance(ids, list) else []
    cases = [instance.memory.cases[key] for key in keys if key in instance.memory.cases]
    _allow_referring(instance, call, cases)
    return json_response(200, {"data": [refer(instance, call.user, case, _data(call)) for case in cases]})


def answer_referral(instance: Instance, call: Call) -> Response:
    """`PATCH /cases/:id/referrals/:rid`; the case in the path need not be the one of the referral."""
    referral = _find(instance, call)
    changes = _answer(instance, call.user, referral, _single_values(_data(call)))
    return json_response(200, {"data": _shown(instance, call.user, referral, changes)})


def revoke_referral(instance: Instance, call: Call) -> Response:
    """`DELETE /cases/:id/referrals/:rid`: whatever the status was, it becomes `revoked`."""
    referral = _find(instance, call)
    _check(instance, referral, check_recipient=False)
    referral.data = referral.data | {"status": "revoked"}
    changes = _save(instance, referral, call.user)
    return json_response(200, {"data": _shown(instance, call.user, referral, changes)})


def _may_receive(user: User, module: str | None) -> bool:
    actions, role = user.role.permissions.get("case", ()), user.role
    if user.disabled or role.category in _CLOSED_CATEGORIES:
        return False
    return ("receive_referral" in actions and module in role.modules) or "receive_referral_different_module" in actions


def _data(call: Call) -> Document:
    data = call.params.get("data")
    if not data:
        raise Invalid.missing_data()
    if not isinstance(data, dict):
        raise Broken("undefined method `permit'")
    return data


def _single_values(data: Document) -> Document:
    return {name: value for name, value in data.items() if not isinstance(value, list | dict)}


def _allow_referring(instance: Instance, call: Call, cases: list[Case]) -> None:
    data = call.params.get("data")
    with_service = isinstance(data, dict) and data.get("service_record_id") is not None
    for case in cases:
        from_service = with_service and instance.access.may(call.user, "referral_from_service", case)
        if not from_service and not instance.access.may(call.user, "referral", case):
            raise Forbidden


def _find(instance: Instance, call: Call) -> Referral:
    case = instance.find_case(call.keys[0])
    if not any(instance.access.may(call.user, action, case) for action in _ANSWERERS):
        raise Forbidden
    referral = instance.memory.referrals.get(uuid_text(call.keys[1]) or "")
    if referral is None:
        raise NotFound("Referral", call.keys[1])
    return referral


def refer(instance: Instance, sender: User, case: Case, data: Document) -> Document:
    """Makes a referral and saves the case; returns the referral as it stands in answers. Raises Invalid, Broken."""
    sent = _single_values(data)
    recipient = instance.config.users.get(str(sent.get("transitioned_to")))
    columns: Document = {name: str(sent[name]) for name in _TEXTS if sent.get(name) is not None}
    columns |= {name: truth(sent.get(name)) for name in _FLAGS}
    referral = Referral(instance.memory.new_id(), case.id, columns | {"transitioned_by": sender.name})
    _check(instance, referral, check_recipient=True)
    services = _with_service(case, referral, {"service_status_referred": True})
    referral.data |= _origin(instance, case, sender, None if columns["remote"] else recipient)
    instance.memory.put_referral(referral)
    changed = case.data | services
    if recipient is not None and not columns["remote"]:
        names = case.data.get("assigned_user_names") or []
        changed["assigned_user_names"] = [*names, *({recipient.name} - set(names))]
        alert = Alert("referral", "referral", instance.memory.today(), instance.memory.new_id(), recipient.name)
        case.alerts = [*case.alerts, alert]
    changes = instance.saver.update(case, changed, sender, by_user=False)
    return _shown(instance, sender, referral, changes)


def _origin(instance: Instance, case: Case, sender: User, recipient: User | None) -> Document:
    columns: Document = {
        "status": "in_progress",
        "consent_individual_transfer": False,
        "created_at": instance.memory.stamp(),
        "record_owned_by": case.data.get("owned_by"),
        "record_owned_by_agency": case.data.get("owned_by_agency_id"),
        "record_owned_by_groups": case.data.get("owned_by_groups"),
        "transitioned_by_user_agency": sender.agency,
        "transitioned_by_user_groups": list(sender.groups),
    }
    if recipient is not None:
        columns["transitioned_to_user_agency"] = recipient.agency
        columns["transitioned_to_user_groups"] = list(recipient.groups)
    return columns


def _check(instance: Instance, referral: Referral, *, check_recipient: bool) -> None:
    case, users = instance.memory.cases[referral.case_id], instance.config.users
    problems: dict[str, str] = {}
    if not referral.data["consent_overridden"] and not _has_consent(case):
        problems["consent"] = "transition.errors.consent"
    if check_recipient and not referral.data["remote"]:
        recipient = users.get(referral.recipient or "")
        if recipient is None:
            raise Broken("undefined method `user_name' for nil:NilClass")
        sender = users[referral.data["transitioned_by"]]
        if recipient not in receivers(instance.config, sender, case.data.get("module_id")):
            problems["transitioned_to"] = "transition.errors.to_user_can_receive"
    if problems:
        raise Invalid.model(problems)


def _has_consent(case: Case) -> bool:
    needed = ["consent_for_services"]
    if case.data.get("module_id") != "primeromodule-gbv":
        needed.append("disclosure_other_orgs")
    return all(case.data.get(name) for name in needed)


def _answer(instance: Instance, user: User, referral: Referral, sent: Document) -> Document:
    asked = sent.get("status")
    if (referral.data["status"], asked) not in _ANSWERS:
        return {}
    _check(instance, referral, check_recipient=True)
    if asked == "accepted":
        return _accept(instance, referral)
    if asked == "rejected":
        answered = {"responded_at": instance.memory.stamp(), "rejected_reason": sent.get("rejected_reason")}
        referral.data = referral.data | {"status": "rejected"} | answered
        return _save(instance, referral, user)
    note = sent.get("rejection_note")
    services = _implemented(instance, referral, note)
    referral.data = referral.data | {"status": "done"} | ({"rejection_note": note} if note else {})
    return _save(instance, referral, user, services)


def _accept(instance: Instance, referral: Referral) -> Document:
    case = instance.memory.cases[referral.case_id]
    referral.data = referral.data | {"status": "accepted", "responded_at": instance.memory.stamp()}
    _drop_alerts(case, referral)
    if not instance.profile.accepting_saves_case:
        return {}
    return instance.saver.update(case, case.data, None, by_user=False)


def _save(instance: Instance, referral: Referral, user: User, services: Document | None = None) -> Document:
    case = instance.memory.cases[referral.case_id]
    _drop_alerts(case, referral)
    data = case.data | (services or {})
    others = [r.recipient for r in instance.memory.referrals_of(case) if r.alive and r is not referral]
    names = case.data.get("assigned_user_names")
    if names is not None and referral.recipient not in others:
        data["assigned_user_names"] = [name for name in names if name != referral.recipient]
    return instance.saver.update(case, data, user, by_user=False)


def _drop_alerts(case: Case, referral: Referral) -> None:
    case.alerts = [alert for alert in case.alerts if (alert.type, alert.user) != ("referral", referral.recipient)]


def _implemented(instance: Instance, referral: Referral, note: Any) -> Document:
    columns = {"note_on_referral_from_provider": note} if note else {}
    return _with_service(instance.memory.cases[referral.case_id], referral, columns, instance.memory.stamp())


def _with_service(case: Case, referral: Referral, columns: Document, implemented_at: str | None = None) -> Document:
    wanted = referral.data.get("service_record_id")
    if not wanted:
        return {}
    services = case.data.get("services_section")
    if services is None:
        raise Broken("undefined method `find' for nil:NilClass")
    changed = list(services)
    for index, service in enumerate(services):
        if service.get("unique_id") == wanted:
            done = {"service_implemented_day_time": service.get("service_implemented_day_time") or implemented_at}
            changed[index] = service | columns | (done if implemented_at else {})
            break
    return {"services_section": changed}


def _shown(instance: Instance, user: User, referral: Referral, changes: Document | None = None) -> Document:
    case = instance.memory.cases[referral.case_id]
    denied = not instance.access.may(user, "read", case)
    shown: dict[str, Any] = {
        "id": referral.id,
        "type": "Referral",
        "record_id": case.id,
        "record_type": "case",
        **{name: value for name, value in referral.data.items() if value is not None},
        "record_access_denied": denied,
        "user_can_accept_or_reject": _can_answer(user, referral),
    }
    if changes is not None and not denied:
        stamp = case.data["last_updated_at"]
        shown["record"] = {"id": case.id, "enabled": case.data["record_state"], **changes, "last_updated_at": stamp}
    return shown


def _can_answer(user: User, referral: Referral) -> bool:
    data = referral.data
    return data["status"] == "in_progress" and not data["remote"] and referral.recipient == user.name
