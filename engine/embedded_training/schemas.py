"""Fields that a user may ask for, and the JSON Schema that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

JsonSchema = dict[str, Any]

_SCALARS: dict[str, JsonSchema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "email": {"type": "string", "format": "email"},
    "url": {"type": "string", "format": "uri"},
    "uuid": {"type": "string", "format": "uuid"},
    "verbatim": {"type": "string", "x-steer": {"verbatim": True}},
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    `kind` is a word of the notation (`str`, `int`, `float`, `bool`, `date`, `email`, `url`,
    `uuid`, `verbatim`), or `enum` with `labels`, `list` (of strings), `object` or `objects` with
    `fields`.
    """

    name: str
    kind: str
    description: str = ""
    nullable: bool = False
    labels: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()


def field_schema(field: Field) -> JsonSchema:
    """Return the JSON Schema of the field's value."""
    schema = _type_schema(field)
    if field.description:
        schema["description"] = field.description
    return schema


def _type_schema(field: Field) -> JsonSchema:
    if field.kind == "enum":
        return {"enum": [*field.labels, None] if field.nullable else list(field.labels)}
    if field.kind == "object":
        return object_schema(field.fields)
    if field.kind == "objects":
        return {"type": "array", "items": object_schema(field.fields)}
    if field.kind == "list":
        return {"type": "array", "items": {"type": "string"}}
    schema = dict(_SCALARS[field.kind])
    if field.nullable:
        schema["type"] = [schema["type"], "null"]
    return schema


def object_schema(fields: Sequence[Field]) -> JsonSchema:
    """Return the schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": {field.name: field_schema(field) for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }
