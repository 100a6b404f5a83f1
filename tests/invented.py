"""An invented country, Nirgendwo: its folder, made of this repository's by editing tables, constants, one mapping line,
the project file and the snapshot, and nothing else."""

import json
import re
import shutil
from copy import deepcopy
from pathlib import Path

from adaptors.primero import check
from adaptors.runtime import Runtime
from adaptors.sandbox import Sandbox
from adaptors.sandbox.inprocess import gambella
from runner.mapping import tables

ROOT = Path(__file__).parent.parent

LANGUAGES = ["nirg_a", "nirg_b", "nirg_c", "nirg_other"]
SERVICES = ["foster_care", "tracing", "clinic"]
OPTIONS = {
    "lookup-gender": ["f_1", "m_1", "x_1", "u_1"],
    "lookup-language": LANGUAGES,
    "lookup-service-type": SERVICES,
}
USERS = {
    "intake_plan": {"enabled": True, "receives_referrals": False, "agency": "UNICEF"},
    "intake_rescue": {"enabled": True, "receives_referrals": False, "agency": "UNICEF"},
    "intake_others": {"enabled": True, "receives_referrals": False, "agency": "UNICEF"},
    "unhcr_nirgendwo": {"enabled": True, "receives_referrals": True, "agency": "UNHCR"},
}
# Tables and lists by script, then constants.
TABLES = {
    "progres_to_primero": {
        "SERVICE_TYPES": {"Foster Care": "foster_care", "Tracing": "tracing"},
        "SEXES": {"125080000": "f_1", "125080001": "m_1", "125080002": "x_1", "125080003": "u_1"},
        "LANGUAGES": {"Nirgendisch": "nirg_a", "Irgendisch": "nirg_b"},
        "INTAKE_USERS": {"Plan Beispiel": "intake_plan", "Rescue Beispiel": "intake_rescue"},
    },
    "primero_to_progres": {
        "SERVICE_TYPES": {"foster_care": "Alternative Care", "tracing": "Tracing Service", "clinic": "Health Service"},
        "AGREED_SERVICE_TYPES": {"foster_care": None, "tracing": None},
        "SEXES": {"u_1": "unknown", "x_1": "other", "f_1": "female", "m_1": "male"},
        "LANGUAGES": {"nirg_a": "Nirgendisch", "nirg_b": "Irgendisch", "nirg_c": "Dinka"},
    },
    "reconcile": {"AGREED_SERVICE_TYPES": {"foster_care": None, "tracing": None}},
}
CONSTANTS = {
    "DINKA": "nirg_c",
    "OTHER_LANGUAGE": "nirg_other",
    "DEFAULT_INTAKE_USER": "intake_others",
    "UNHCR_USER": "unhcr_nirgendwo",
}
CUSTOM = {"name": "intake_source", "type": "select_box", "required": True, "option_ids": ["unhcr", "other"]}


def country(folder):
    """Write the country into a folder; gives its project file."""
    shutil.copytree(ROOT / "jobs", folder / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "project.yaml").read_text("utf-8")
    (folder / "project.yaml").write_text(project.replace("name: gambella", "name: nirgendwo"), "utf-8")
    write_snapshot(folder, snapshot())
    for script in (folder / "jobs").glob("*.py"):
        text = script.read_text("utf-8").replace("INTAKE_USERS = {}", "INTAKE_USERS = {\n}")
        text = tables.changed(text, TABLES.get(script.stem, {}))
        for name, value in CONSTANTS.items():
            text = re.sub(rf'^{name} = ".*?"', f'{name} = "{value}"', text, flags=re.MULTILINE)
        text = text.replace('    "module_id": MODULE,\n', '    "module_id": MODULE,\n    "intake_source": "unhcr",\n')
        script.write_text(text, "utf-8")
    return folder / "project.yaml"


def snapshot(version="2.10.4"):
    """What `runner snapshot` would write of its Primero."""
    seed = deepcopy(gambella())
    seed["system_settings"]["primero_version"] = version
    for lookup in seed["lookups"]:
        lookup["option_ids"] = OPTIONS.get(lookup["unique_id"], lookup["option_ids"])
    next(form for form in seed["forms"] if form["unique_id"] == "basic_identity")["fields"].append(dict(CUSTOM))
    return snapshot_of(seed, deepcopy(USERS))


def snapshot_of(seed, users):
    """A snapshot of the sandbox with this configuration."""
    sandbox = Sandbox(config=seed)
    state = {"configuration": sandbox.configuration, "runtime": Runtime(transport=sandbox.transport)}
    primero = {**check.snapshot(state, []), "users": users}
    state["runtime"].close()
    return {"format": 1, "labels": {"primero": check.labels(primero)}, "systems": {"primero": primero}}


def case_actions(primero):
    """What our role may do with cases, in a snapshot's part about Primero; to be changed there."""
    return primero["role"]["permissions"]["case"]


def write_snapshot(folder, document):
    """Write it as `runner snapshot` does."""
    (folder / "snapshot.json").write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", "utf-8")


def edited(file, before, after):
    """Replace a text in one of the country's files; it must be there."""
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), "utf-8")
