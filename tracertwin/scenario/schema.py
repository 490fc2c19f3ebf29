"""JSON Schema of scenario files, from the tables that read them."""

from typing import Any

from tracertwin.scenario.actions import ACTIONS, WRITES
from tracertwin.scenario.file import ScenarioRecord
from tracertwin.scenario.judging import COMMON
from tracertwin.scenario.kinds import KINDS
from tracertwin.scenario.vocabulary import vocabulary

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ASSIGNMENTS: list[dict[str, Any]] = [
    {"type": "string"},
    {"type": "array", "items": {"type": "string"}},
    {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
]
_ACTIONS: dict[str, dict[str, Any]] = {
    "power-cycle": {"const": True},
    **{name: {"anyOf": _ASSIGNMENTS} for name in WRITES},
}


def scenario_schema() -> dict[str, Any]:
    """The schema."""
    schema = ScenarioRecord.model_json_schema()
    schema["properties"]["when"] = {"type": "array", "items": _step()}
    schema["properties"]["expect"] = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": list(map(_row, KINDS))},
    }
    two_lines = schema["properties"]["about"]
    schema["properties"]["about"] = {"anyOf": [two_lines, {"type": "string"}]}
    return {"$schema": DIALECT, **schema}


def _row(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    properties = {
        key: {**one.schema, "description": one.name} for key, one in {**kind.keys, **COMMON}.items()
    }
    required = [key for key in kind.keys if key not in kind.optional]
    return {
        "type": "object", "description": kind.definition, "properties": properties, "required": required,
        "additionalProperties": False,
    }  # fmt: skip


def _step() -> dict[str, Any]:
    text = {"type": "string"}
    actions = {
        name: {"description": kind.meaning, **_ACTIONS.get(name, text)} for name, kind in ACTIONS.items()
    }
    for name, keys in vocabulary().upsets.items():
        values = {
            key: {"type": "string" if one.kind == "duration" else "number"} for key, one in keys.items()
        }
        mapping = {"type": "object", "properties": {**values, "lasts": text}, "additionalProperties": False}
        actions[name] = {"anyOf": [{"const": True}, {"type": "null"}, mapping]}
    return {
        "type": "object", "properties": {"at": text, "after": text, **actions}, "additionalProperties": False,
        "oneOf": [{"required": ["at"]}, {"required": ["after"]}], "minProperties": 2, "maxProperties": 2,
    }  # fmt: skip
