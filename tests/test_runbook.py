"""docs/runbook.md has a section for each condition and each code that the program can give, and for no other."""

import ast
import re

from pages import DOCS, ROOT, text_of

from runner.alerts.meanings import MEANINGS
from runner.alerts.registry import CONDITIONS
from runner.inbox.answers import REFUSALS

PAGE = text_of(DOCS / "runbook.md")
CODE = re.compile(r"[a-z]+(_[a-z0-9]+)*")
FIRST = {"NotDelivered", "finding"}  # a code is the first thing that they are given
# The engine knows no system by its name; beside a button, a command is a word.
PLAIN = {
    "UNHCR's gateway": "the far side", "Primero": "the far side", "proGres": "the far side",
    "UNHCR": "the other agency",
    "`runner retry ID`": "retry it", "`runner discard ID --reason TEXT`": "discard it",
}  # fmt: skip
FOR_MORE = re.compile(r"(: | \()\s*\[[^\]]*\]\([^)]*\)\)?(?=[.;]|$)")
OF_EVENTS = {"write", "record", "note_sign"}  # a code in these is one of an event


def modules():
    """The parsed modules of both towers and the jobs, without stand-ins, demo and rehearsal (they say it in
    words), and what only the audit log says."""
    for folder in ("runner", "adaptors", "jobs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"sandbox", "trial", "demo", "golive"} & set(path.parts):
                yield ast.parse(path.read_bytes())


def codes_in(node):
    """The codes that are given to something named `code` here: as a class's, a variable's, an argument's default, or
    to what makes an error."""
    match node:
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value) if value:
            named = [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]
            if "code" in (name.lower() for name in named):
                yield from words(value)
            if isinstance(target, ast.Subscript) and getattr(target.value, "attr", "") == "remarks":
                yield from words(target.slice)
        case ast.FunctionDef(args=arguments):
            given = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            yield from (word for each, default in given if each.arg == "code" and default for word in words(default))
        case ast.Call(func=function, args=positional, keywords=named):
            name = getattr(function, "id", getattr(function, "attr", ""))
            if name not in OF_EVENTS:
                yield from (word for each in named if each.arg == "code" for word in words(each.value))
            if name in FIRST:
                yield from words(positional[0])


def words(value):
    """What looks like a code in an expression, other than what its calls are given."""
    if isinstance(value, ast.Constant):
        if isinstance(value.value, str) and CODE.fullmatch(value.value):
            yield value.value
    elif isinstance(value, ast.Subscript):
        yield from words(value.value)  # not the name under which something is looked up
    elif not isinstance(value, ast.Call):
        yield from (word for inner in ast.iter_child_nodes(value) for word in words(inner))


def given():
    """All codes that the program can give."""
    found = {code for module in modules() for node in ast.walk(module) for code in codes_in(node)}
    return found | set(CONDITIONS) | set(REFUSALS)


def sections():
    """The codes that have a section, and its text."""
    parts = re.split(r"^### (\S+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def plain(text):
    """What a section says, as pages say it: without links, commands and names of systems."""
    for name, said in PLAIN.items():
        text = text.replace(name, said)
    words = " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", FOR_MORE.sub("", text.strip())).replace("`", "").split())
    return words.lower()


def test_meanings():
    """What a page says of a code, and what to do, is what the runbook says; no code is missing that can stand there."""
    why = PAGE.split("## Why something failed")[1].split("## What the inbox answers")[0]
    assert re.findall(r"^### (\S+)$", why, re.MULTILINE) == list(MEANINGS)
    for code, meaning in MEANINGS.items():
        means, _, do = sections()[code].split("\n## ")[0].partition("**Do:**")
        assert (plain(means), plain(do)) == (meaning.means.lower(), meaning.do.lower()), code


def test_codes_are_found():
    """The search finds codes wherever they are given: of a class, a default, an argument, a table, a remark."""
    assert {"withheld", "unknown_code", "no_consent", "key_refused", "waiting_behind", "secondary_key",
            "chain_incomplete", "no_tls", "not_vouched", "unforeseen"} <= given()  # fmt: skip
    made = "code, fix = {1: ('a_one', f'x y')}[1]\nf(code='a_two')\nlog.write('x', code='a_three')\ncode = g('a_four')"
    found = {code for node in ast.walk(ast.parse(made)) for code in codes_in(node)}
    assert {"a_one", "a_two"} == found


def test_each_has_a_section():
    """Whatever an alert, the status, the log or an answer names can be looked up, once; nothing else stands there."""
    assert set() == given() - sections().keys()
    assert set() == sections().keys() - given()
    assert len(sections()) == len(re.findall(r"^### ", PAGE, re.MULTILINE))


def test_each_says_something():
    """No section is empty: it says what it means, and nearly each what to do."""
    assert [] == [code for code, text in sections().items() if len(text.strip()) < 30]
    assert [code for code in CONDITIONS if "**Do:**" not in sections()[code]] == ["run_remarked"]
