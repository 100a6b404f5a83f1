"""The sandbox as a country's own Primero is configured."""

import base64
import json

import pytest
from invented import USERS, case_actions, snapshot, write_snapshot

from adaptors.sandbox import Sandbox
from adaptors.sandbox.inprocess import passwords
from adaptors.sandbox.options import read_options
from adaptors.sandbox.snapshot import Snapshot
from adaptors.sandbox.wire import Request


def sandbox(document):
    """A sandbox made of a snapshot."""
    told = Snapshot.of(document)
    return Sandbox(config=told.configuration, profile=told.profile)


def ask(world, path, data=None, user="progres_integration"):
    """What its Primero answers to one of the accounts: status and data."""
    login = base64.b64encode(f"{user}:{passwords(world.config)[user]}".encode()).decode()
    headers = {"authorization": f"Basic {login}", "content-type": "application/json"}
    body = json.dumps({"data": data}).encode() if data else b""
    answer = world.primero.answer(Request("POST" if data else "GET", f"/api/v2{path}", "", headers, body))
    return answer.status, json.loads(answer.body).get("data")


def case(**fields):
    """A case of an invented child, as it is posted."""
    return {"module_id": "primeromodule-cp", "owned_by": "intake_plan", "sex": "f_1", "name_first": "Probe", **fields}


def test_what_is_read_back_is_what_the_snapshot_says():
    """Forms with labels, look-ups, agencies and version are those of the country."""
    world, told = sandbox(snapshot("2.14.1")), snapshot("2.14.1")["systems"]["primero"]
    forms, lookups = ask(world, "/forms")[1], ask(world, "/lookups")[1]
    label = "display_name"

    assert [form["unique_id"] for form in told["forms"]] == [form["unique_id"] for form in forms]
    assert [[field[label] for field in form["fields"]] for form in told["forms"]] == [
        [field[label] for field in form["fields"]] for form in forms
    ]
    assert [each["values"] for each in told["lookups"]] == [each["values"] for each in lookups]
    assert "2.14.1" == ask(world, "/system_settings")[1]["primero_version"]


@pytest.mark.parametrize(("version", "reported"), [("2.10.4", "2.10.4"), ("2.12.0", "2.12.0"), ("2.15.9", "2.15.9")])
def test_the_version_is_the_countrys_own(version, reported):
    """It plays the nearest version that it knows, and reports the one of the snapshot."""
    assert reported == ask(sandbox(snapshot(version)), "/system_settings")[1]["primero_version"]


def test_options_are_held_to_as_that_version_does():
    """H30 A value that is no option of the country's form is refused from 2.15 on, and kept before."""
    stranger = case(sex="female")

    assert 422 == ask(sandbox(snapshot("2.15.0")), "/cases", stranger)[0]
    assert 200 == ask(sandbox(snapshot("2.15.0")), "/cases", case())[0]
    assert 200 == ask(sandbox(snapshot("2.14.1")), "/cases", stranger)[0]


def test_an_option_that_is_disabled_is_none():
    """What people can't choose any more is no option."""
    document = snapshot("2.15.0")
    lookup = next(each for each in document["systems"]["primero"]["lookups"] if each["unique_id"] == "lookup-gender")
    lookup["values"][0]["disabled"] = True

    assert 422 == ask(sandbox(document), "/cases", case())[0]


def test_fields_that_no_form_has():
    """H31 Up to 2.10 they are refused, and then dropped without a word; required fields are not enforced (§4.1)."""
    assert 422 == ask(sandbox(snapshot("2.10.4")), "/cases", case(nick_name="Probe"))[0]
    status, made = ask(sandbox(snapshot("2.14.1")), "/cases", case(nick_name="Probe"))

    assert 200 == status
    assert "nick_name" not in made
    assert "intake_source" not in made


def test_users_are_enabled_and_receive_as_the_snapshot_says():
    """A user who is disabled there is so here, and only those receive referrals who do there."""
    document = snapshot("2.14.1")
    document["systems"]["primero"]["users"]["intake_plan"]["enabled"] = False
    told = Snapshot.of(document).configuration
    users = {user["user_name"]: user for user in told["users"] if user["user_name"] in USERS}
    roles = {role["unique_id"]: role["permissions"]["case"] for role in told["roles"]}

    assert ["intake_plan"] == [name for name, user in users.items() if user["disabled"]]
    assert ["unhcr_nirgendwo"] == [name for name, user in users.items() if "receive_referral" in roles[user["role"]]]


def test_our_role_is_the_one_of_the_snapshot():
    """What our account may not do there, it may not do here."""
    document = snapshot("2.14.1")
    case_actions(document["systems"]["primero"]).remove("create")

    assert 403 == ask(sandbox(document), "/cases", case())[0]


@pytest.mark.parametrize("document", [{}, {"format": 2, "systems": {}}, {"format": 1, "systems": {"primero": {}}}])
def test_what_is_no_snapshot_is_refused(document):
    """A file of another shape or format is not guessed at."""
    with pytest.raises(ValueError, match="no snapshot"):
        Snapshot.of(document)


def test_the_option_of_the_command_line(tmp_path, capsys):
    """`--snapshot FILE` sets forms and version; it doesn't go with a configuration, or with the sandbox's own cases."""
    write_snapshot(tmp_path, snapshot("2.15.0"))
    file = str(tmp_path / "snapshot.json")
    options = read_options(["--snapshot", file])

    assert ["2.15", "2.15.0"] == [options.profile, options.config["system_settings"]["primero_version"]]
    for wrong, said in ((["--cases", "3"], "leave out"), (["--config", file, "--primero-only"], "of its own")):
        with pytest.raises(SystemExit):
            read_options(["--snapshot", file, *wrong])
        assert said in capsys.readouterr().err


def test_without_a_snapshot_all_is_as_ever():
    """The sandbox's own configuration plays the versions that it always played."""
    assert "2.14" == read_options([]).profile
    assert "2.10.7" == ask(Sandbox(profile="2.10"), "/system_settings")[1]["primero_version"]
