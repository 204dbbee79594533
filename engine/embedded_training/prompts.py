"""What the model reads before it answers: the same messages that the engine writes."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from embedded_training.schemas import JsonSchema

ASK_OBJECT = "Answer with one JSON object with these fields:"
ASK_ROWS = "Answer with a JSON list of objects with these fields:"

_WORDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_FORMATS = {"date": "date", "email": "email", "uri": "url", "uuid": "uuid"}


def instruction(schema: JsonSchema) -> str:
    """Return the system message that asks for an answer of this form."""
    ask = ASK_ROWS if schema["type"] == "array" else ASK_OBJECT
    return f"{ask}\n{write_notation(schema)}"


def write_notation(schema: JsonSchema) -> str:
    """Return the schema in the compact notation. It knows the schemas of this corpus only."""
    if schema["type"] == "array":
        return f"[\n{textwrap.indent(_fields(schema['items']), '    ')}\n]"
    return _fields(schema)


def _fields(schema: JsonSchema) -> str:
    properties: Mapping[str, Any] = schema["properties"]
    return "\n".join(_field(name, value) for name, value in properties.items())


def _field(name: str, schema: JsonSchema) -> str:
    comment = f"  # {schema['description']}" if "description" in schema else ""
    first, *rest = f"{name}: {_type(schema)}".split("\n")
    return "\n".join([first + comment, *rest])


def _type(schema: JsonSchema) -> str:
    if "enum" in schema:
        labels = [label for label in schema["enum"] if label is not None]
        words = [json.dumps(label, ensure_ascii=False) for label in labels]
        return " | ".join(words + ["None"] * (None in schema["enum"]))
    kind = schema["type"]
    if isinstance(kind, list):
        return f"{_type({**schema, 'type': kind[0]})} | None"
    if kind == "object":
        return f"{{\n{textwrap.indent(_fields(schema), '    ')}\n}}"
    if kind == "array":
        return f"list[{_type(schema['items'])}]"
    return _FORMATS.get(schema.get("format", ""), _WORDS[kind])
