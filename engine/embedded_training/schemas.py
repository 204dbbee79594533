"""Fields that a user may ask for, and the JSON Schema that says so."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

JsonSchema = dict[str, Any]

_SCALARS: dict[str, JsonSchema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "datetime": {"type": "string", "format": "date-time"},
    "email": {"type": "string", "format": "email"},
    "url": {"type": "string", "format": "uri"},
    "uuid": {"type": "string", "format": "uuid"},
    "verbatim": {"type": "string", "x-steer": {"verbatim": True}},
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    `kind` is a word of the notation (`str`, `int`, `float`, `bool`, `date`, `time`, `datetime`,
    `email`, `url`, `uuid`, `verbatim`), or `enum` with `labels`, `list` and `dict` (of `members`),
    `object` or `objects` with `fields`. `limits` are the least and the greatest number.
    """

    name: str
    kind: str
    description: str = ""
    nullable: bool = False
    labels: tuple[str | int, ...] = ()
    fields: tuple["Field", ...] = ()
    limits: tuple[int | None, int | None] = (None, None)
    members: str = "str"


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
        schema = object_schema(field.fields)
        return {"anyOf": [schema, {"type": "null"}]} if field.nullable else schema
    if field.kind == "objects":
        return {"type": "array", "items": object_schema(field.fields)}
    if field.kind == "list":
        return {"type": "array", "items": dict(_SCALARS[field.members])}
    if field.kind == "dict":
        return {"type": "object", "additionalProperties": dict(_SCALARS[field.members])}
    return _scalar_schema(field)


def _scalar_schema(field: Field) -> JsonSchema:
    schema = dict(_SCALARS[field.kind])
    if field.nullable:
        schema["type"] = [schema["type"], "null"]
    limits = zip(("minimum", "maximum"), field.limits, strict=True)
    return schema | {keyword: limit for keyword, limit in limits if limit is not None}


def object_schema(fields: Sequence[Field]) -> JsonSchema:
    """Return the schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": {field.name: field_schema(field) for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def all_verbatim(schema: JsonSchema) -> JsonSchema:
    """Return the schema with each of its plain texts as one to be copied letter by letter."""
    marked = deepcopy(schema)
    for node in _nodes(marked):
        if _is_plain_text(node):
            node["x-steer"] = {"verbatim": True}
    return marked


def _nodes(node: object) -> Iterator[dict[str, Any]]:
    """Yield the schemas in `node` that describe values at fixed places."""
    if not isinstance(node, dict):
        return
    yield node
    maps = [node.get(keyword, {}) for keyword in ("$defs", "properties")]
    lists = [node.get(keyword, []) for keyword in ("allOf", "anyOf", "oneOf")]
    children = [child for each in maps for child in each.values()]
    children += [child for each in lists for child in each] + [node.get("items")]
    for child in children:
        yield from _nodes(child)


def _is_plain_text(node: dict[str, Any]) -> bool:
    is_text = node.get("type") in ("string", ["string", "null"], ["null", "string"])
    return is_text and not node.keys() & {"enum", "const", "format", "pattern"}
