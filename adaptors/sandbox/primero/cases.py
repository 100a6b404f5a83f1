"""The calls on cases: list, show, create, update, disable, alerts (primero-api §2 to §5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adaptors.sandbox.primero.config import Document, User
from adaptors.sandbox.primero.errors import Conflict, Forbidden
from adaptors.sandbox.primero.filters import NothingMatches, Test
from adaptors.sandbox.primero.instance import Call, Instance
from adaptors.sandbox.primero.memory import Case
from adaptors.sandbox.primero.merging import merged
from adaptors.sandbox.primero.ordering import Ranked
from adaptors.sandbox.primero.rules import accepted, refuse_future_birth, refuse_nul
from adaptors.sandbox.primero.search import search_test
from adaptors.sandbox.wire import Response, empty_response, json_response

_SHORT = frozenset(
    """
    created_at owned_by owned_by_agency_id photos flag_count status record_in_scope short_id alert_count
    case_id_display name survivor_code_no age sex registration_date hidden_name workflow case_status_reopened module_id
    """.split()
)
_PREVIEW = frozenset({"age", "date_of_birth", "estimated", "name", "sex"})
_SERVICES = "services_section_from_case"


def list_cases(instance: Instance, call: Call) -> Response:
    """`GET /cases`: the cases in scope that pass the filters, one page of them."""
    call.require("case", "read")
    page = call.page(largest=instance.profile.largest_page)
    id_search = bool(call.params.get("id_search"))
    names = _shown_names(instance, call, instance.access.readable(call.user, id_search=id_search))
    ranked = _matching(instance, call)
    rows = [_shown(instance, call.user, case, names) for case in instance.order.page(ranked, page)]
    metadata = {"total": len(ranked), "per": page.size, "page": page.number}
    return json_response(200, {"data": rows, "metadata": metadata})


def show_case(instance: Instance, call: Call) -> Response:
    """`GET /cases/:id`: permission first, then the look-up, then the scope."""
    call.require("case", "read")
    case = instance.find_case(call.keys[0])
    if not instance.access.sees(call.user, case):
        raise Forbidden
    roles = instance.access.roles_for(call.user, case)
    names = _shown_names(instance, call, instance.access.readable(call.user, roles))
    shown = _shown(instance, call.user, case, names)
    if case.data.get("owned_by") != call.user.name and instance.access.live_referrals_to(call.user, case):
        forms = {form: right for role in roles for form, right in role.forms.items()}
        actions = dict.fromkeys(action for role in roles for action in role.permissions.get("case", ()))
        shown["permitted_forms"] = forms
        shown["permitted_form_actions"] = {"case": [action for action in actions if action != "read"]}
    return json_response(200, {"data": shown})


def create_case(instance: Instance, call: Call) -> Response:
    """`POST /cases`: 200 with the stored fields, or 204 where the client chose the id."""
    call.require("case", "create")
    body = call.params.get("data")
    module = body.get("module_id") if isinstance(body, dict) else None
    fields = instance.access.writable(call.user, module if isinstance(module, str) else None, update=False)
    data = _accepted(instance, body, fields)
    chosen = data.pop("id", None)
    record_id = chosen or instance.memory.new_id()
    if instance.memory.is_taken(record_id, data.get("case_id") or _nobodys(data)):
        raise Conflict
    changes = instance.saver.create(record_id, data, call.user)
    if chosen is not None:
        return empty_response(204, {"Cache-Control": "no-cache"})
    return json_response(200, {"data": _changed(instance, call.user, record_id, changes)})


def update_case(instance: Instance, call: Call) -> Response:
    """`PATCH` and `PUT /cases/:id`: the fields that changed come back; `record_action` decides only what is allowed."""
    case = instance.find_case(call.keys[0])
    action = call.text("record_action")
    if not instance.access.may(call.user, action or "write", case):
        raise Forbidden
    body = call.params.get("data")
    module = body.get("module_id") if isinstance(body, dict) and "module_id" in body else case.data.get("module_id")
    fields = instance.access.writable(call.user, module, update=True, services=action == _SERVICES)
    data = _accepted(instance, body, fields)
    changes = instance.saver.update(case, merged(case.data, data), call.user)
    return json_response(200, {"data": _changed(instance, call.user, case.id, changes)})


def disable_case(instance: Instance, call: Call) -> Response:
    """`DELETE /cases/:id`: nothing is deleted, only `record_state` becomes false."""
    call.require("case", "enable_disable_record")
    case = instance.find_case(call.keys[0])
    if not instance.access.sees(call.user, case):
        raise Forbidden
    instance.saver.update(case, case.data | {"record_state": False}, call.user)
    return json_response(200, {"data": {"id": case.id}})


def list_alerts(instance: Instance, call: Call) -> Response:
    """`GET /cases/:id/alerts`."""
    case = instance.find_case(call.keys[0])
    if not instance.access.may(call.user, "read", case):
        raise Forbidden
    rows = [
        {
            "alert_for": alert.cause,
            "type": alert.type,
            "date": alert.date,
            "form_unique_id": alert.type,
            "unique_id": alert.unique_id,
        }
        for alert in case.alerts
    ]
    return json_response(200, {"data": rows})


def _matching(instance: Instance, call: Call) -> list[Ranked]:
    id_search = call.params.get("id_search") or call.params.get("phonetic") or call.params.get("phone_number")
    everywhere = bool(id_search) and instance.access.can_preview(call.user)
    try:
        tests = list(_tests(instance, call))
    except NothingMatches:
        return []
    order_by = call.text("order_by")
    found = instance.order.ranked("created_at" if order_by is None else order_by, _is_descending(call))
    if call.user.role.scope != "all" and not everywhere:
        found = [entry for entry in found if instance.access.lists(call.user, entry[1])]
    for test in tests:
        found = [entry for entry in found if test(entry[1].id, entry[1].data)]
    return found


def _tests(instance: Instance, call: Call) -> Iterable[Test]:
    permitted = instance.access.readable(call.user, id_search=bool(call.params.get("id_search")))
    yield from instance.filters.tests(call.params, permitted)
    search = search_test(call, instance.config.id_fields)
    if search is not None:
        yield search


def _is_descending(call: Call) -> bool:
    direction = call.text("order")
    return direction is None or direction.lower() == "desc"


def _shown_names(instance: Instance, call: Call, permitted: frozenset[str]) -> frozenset[str]:
    preview = instance.access.can_preview(call.user)
    wide = bool(call.params.get("phonetic") or call.params.get("phone_number")) and preview
    if call.params.get("id_search") or wide:
        return permitted & (_SHORT | (_PREVIEW if preview else frozenset()))
    wanted = call.text("fields")
    if wanted == "short":
        return permitted & _SHORT
    return permitted & set(wanted.split(",")) if wanted else permitted


def _shown(instance: Instance, user: User, case: Case, names: frozenset[str]) -> Document:
    data = case.data
    shown = {"id": case.id, "enabled": data["record_state"]}
    shown |= {name: value for name, value in data.items() if name in names}
    computed: Document = {
        "name": data.get("name"),
        "record_in_scope": instance.access.may(user, "read", case),
        "alert_count": len(case.alerts),
        "flag_count": 0,
        "photo": None,
        "family_id": None,
        "family_number": data.get("family_number"),
        "family_details_section": data.get("family_details_section", []),
    }
    shown |= {name: value for name, value in computed.items() if name in names}
    shown["last_updated_at"] = data["last_updated_at"]
    return shown


def _changed(instance: Instance, user: User, record_id: str, changes: Document) -> Document:
    case = instance.memory.cases[record_id]
    permitted = instance.access.readable(user)
    shown = {"id": case.id, "enabled": case.data["record_state"]}
    shown |= {name: value for name, value in changes.items() if name in permitted}
    return shown | {"last_updated_at": case.data["last_updated_at"]}


def _accepted(instance: Instance, body: Any, fields: Any) -> Document:
    profile = instance.profile
    data = accepted(body, fields, check_options=profile.validates_options, refuse_unknown=profile.refuses_unknown_keys)
    refuse_nul(data)
    refuse_future_birth(data, instance.memory.today())
    return data


def _nobodys(data: Document) -> Any:
    # An empty case id is stored and therefore taken from then on; a missing one never collides.
    return "" if data.get("case_id") == "" else object()
