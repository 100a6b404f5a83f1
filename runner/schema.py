"""Whether a document fits project.schema.json, and what to say when it doesn't.

`fits` knows just the words of JSON Schema that our schema uses, so that a good file, nearly every file, costs nothing;
only for a bad one is jsonschema imported, which finds all that is wrong. A test proves that the two agree.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from runner.yamlfile import Where

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "number": (int, float), "integer": (int,)
}  # fmt: skip
_WORDS = {
    "object": "a table", "array": "a list", "string": "a text (in quotes, if it looks like a number)",
    "boolean": "true or false", "number": "a number", "integer": "a whole number",
}  # fmt: skip


@lru_cache(maxsize=1)
def project_schema() -> Schema:
    """The schema of project.yaml, which editors can use too.

    >>> project_schema()["required"]
    ['name', 'jobs']
    """
    schema: Schema = json.loads(Path(__file__).with_name("project.schema.json").read_text("utf-8"))
    return schema


def fits(value: Any, schema: Schema) -> bool:
    """Whether the value is as the schema wants it.

    >>> fits({"name": 3}, {"type": "object", "properties": {"name": {"type": "string"}}})
    False
    """
    types = schema.get("type", [])
    if types and not any(_is(value, name) for name in ([types] if isinstance(types, str) else types)):
        return False
    if "oneOf" in schema and sum(fits(value, choice) for choice in schema["oneOf"]) != 1:
        return False
    if isinstance(value, dict):
        return _table_fits(value, schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return len(value) >= schema.get("minItems", 0) and all(fits(item, items) for item in value)
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    return isinstance(value, bool) or value is None or value > schema.get("exclusiveMinimum", value - 1)


def complaints(value: Any, schema: Schema) -> Iterator[tuple[Where, str, str]]:
    """All that is wrong: where, what, and a fix. Names of keys only, never a value.

    >>> list(complaints({}, {"required": ["name"]}))
    [((), 'name is missing', 'Add it.')]
    """
    from jsonschema import Draft202012Validator

    for error in sorted(Draft202012Validator(schema).iter_errors(value), key=lambda error: list(map(str, error.path))):
        yield from _explained(error)


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _table_fits(table: dict[str, Any], schema: Schema) -> bool:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    needed = [name for key, names in schema.get("dependentRequired", {}).items() if key in table for name in names]
    if any(name not in table for name in [*schema.get("required", ()), *needed]):
        return False
    if any(not fits(key, schema.get("propertyNames", {})) for key in table):
        return False
    if others is False:
        return all(key in properties and fits(value, properties[key]) for key, value in table.items())
    return all(fits(value, properties.get(key, others)) for key, value in table.items())


def _explained(error: Any) -> Iterator[tuple[Where, str, str]]:
    where = tuple(error.absolute_path)
    name, wanted = (where[-1] if where else "the file"), error.validator_value
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            for key in (key for key in error.instance if key not in known):
                yield (*where, key), f"unknown key {key}", _known(key, known)
        case "required":
            for key in (key for key in wanted if key not in error.instance):
                yield where, f"{key} is missing", "Add it."
        case "type":
            words = [_WORDS[word] for word in ([wanted] if isinstance(wanted, str) else wanted)]
            yield where, f"{name} must be {' or '.join(words)}", "Change it."
        case "oneOf":
            choices = [choice["required"][0] for choice in wanted]
            yield where, f"{name} needs exactly one of {', '.join(choices)}", "Keep one of them."
        case "dependentRequired":
            for key in (key for key in wanted if key in error.instance):
                yield (*where, key), f"{key} goes with {', '.join(wanted[key])} only", "Remove it."
        case "propertyNames" | "pattern":
            yield where, f"{name} or a name in it has a form that isn't allowed", error.schema.get("$comment", "")
        case other:
            yield where, f"{name} breaks the rule {other}: {wanted}", "Change it."


def _known(key: str, known: Any) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."
