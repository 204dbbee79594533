"""The one JSON Schema that each Python annotation becomes, whether it was written or imported.

The compact notation and Pydantic classes meet here, so that the same fields give the same document
and the writers have one form to recognise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, dump
from steer_engine.schema.equality import canonical

SCALARS = ("string", "integer", "number", "boolean")
NULL: JsonObject = {"type": "null"}
NOTES = ("description", "default")  # what a field says beside its type

_TYPE_OF: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}

_FIRST = ("$ref", "type", "enum", "format", "pattern", "minimum", "maximum")
_LAST = (
    "anyOf",
    "items",
    "properties",
    "required",
    "additionalProperties",
    "x-steer",
    "description",
    "default",
    "$defs",
)


def type_name(value: JsonValue) -> str:
    """Return JSON Schema's name of the type that a value is written in: 1.0 is a number."""
    return _TYPE_OF[type(value)]


def closed_object(properties: Mapping[str, JsonSchema]) -> JsonObject:
    """Return the schema of an object with exactly these properties.

    All of them are required: a model is asked for every field, also for one that has a default.
    """
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def may_be(schema: JsonObject, value: JsonValue) -> bool:
    """Tell whether types, bounds and choices allow a field's `value`; the rest is not looked at."""
    bare = {keyword: each for keyword, each in schema.items() if keyword not in NOTES}
    return any(_may_be(each, value) for each in alternatives(bare))


def _may_be(schema: JsonObject, value: JsonValue) -> bool:
    values, kind = schema.get("enum"), schema.get("type")
    if isinstance(values, list):
        return canonical(value) in map(canonical, values)
    if not isinstance(value, bool) and isinstance(value, int | float):
        low, high = schema.get("minimum"), schema.get("maximum")
        is_whole = isinstance(value, int) or value.is_integer()
        return (
            kind in (None, "number", "integer" if is_whole else "number")
            and (not isinstance(low, int | float) or value >= low)
            and (not isinstance(high, int | float) or value <= high)
        )
    return kind in (None, type_name(value))


def is_closed_object(schema: JsonObject) -> bool:
    """Tell whether `schema` is what `closed_object` returns, annotations apart."""
    properties, required = schema.get("properties"), schema.get("required", [])
    return (
        schema.get("type") == "object"
        and isinstance(properties, dict)
        and isinstance(required, list)
        and len(required) == len(properties)
        and set(properties) == {name for name in required if isinstance(name, str)}
        and schema.get("additionalProperties") is False
    )


def enumeration(values: Iterable[JsonValue]) -> JsonObject:
    """Return the schema that allows these values, each once and null last."""
    spelled = {dump(value): value for value in values}  # 1 and True are equal in Python
    has_null = spelled.pop("null", 0) is None
    members: list[JsonValue] = [*spelled.values(), *([None] if has_null else [])]
    return dict(NULL) if members == [None] else {"enum": members}


def union(members: Iterable[JsonObject]) -> JsonObject:
    """Return the schema that allows what any of `members` allows, in its shortest usual form.

    Literals become one enumeration, plain scalar types one list of types, and null comes last.
    """
    found = [each for member in members for each in alternatives(member)]
    nullable = NULL in found
    choices: list[JsonObject] = []
    literals: list[JsonValue] = []
    for each in found:
        values = each.get("enum")
        if len(each) == 1 and isinstance(values, list):
            literals += values
        elif each != NULL and each not in choices:
            choices.append(each)
    if not choices:
        return enumeration([*literals, None] if nullable else literals)
    if literals:
        choices.append(enumeration(literals))
    null: list[JsonValue] = ["null"] if nullable else []
    if _share_one_type_list(choices):
        types = [*(choice["type"] for choice in choices), *null]
        return {**choices[0], "type": types if len(types) > 1 else types[0]}
    if len(choices) == 1 and not nullable:
        return choices[0]
    return {"anyOf": [*choices, *([dict(NULL)] if nullable else [])]}


def alternatives(schema: JsonObject) -> Iterator[JsonObject]:
    """Yield the members whose `union` is `schema`: one type or one literal each."""
    types, members, values = schema.get("type"), schema.get("anyOf"), schema.get("enum")
    if len(schema) == 1 and isinstance(members, list):
        for member in members:
            if isinstance(member, dict):
                yield from alternatives(simplified(member))
    elif len(schema) == 1 and isinstance(values, list):
        for value in values:
            yield dict(NULL) if value is None else {"enum": [value]}
    elif isinstance(types, list):
        for kind in types:
            yield dict(NULL) if kind == "null" else {**schema, "type": kind}
    else:
        yield schema


def simplified(schema: JsonObject) -> JsonObject:
    """Return `schema` in the form `union` would give it, subschemas left as they are.

    `const` becomes an `enum` of one, a `type` that an `enum` makes redundant goes, and an `anyOf`
    becomes the union of its members.
    """
    schema = dict(schema)
    if "const" in schema and "enum" not in schema:
        schema["enum"] = [schema.pop("const")]
    values = schema.get("enum")
    if isinstance(values, list) and _all_of_type(values, schema.get("type")):
        schema.pop("type", None)
    notes = {keyword: schema.pop(keyword) for keyword in NOTES if keyword in schema}
    if set(schema) in ({"anyOf"}, {"enum"}, {"type"}):
        schema = union([schema])
    return _ordered({**schema, **notes})


def _share_one_type_list(choices: list[JsonObject]) -> bool:
    are_scalars = all(choice.get("type") in SCALARS for choice in choices)
    return are_scalars and (len(choices) == 1 or all(len(choice) == 1 for choice in choices))


def _all_of_type(values: list[JsonValue], types: JsonValue) -> bool:
    names = types if isinstance(types, list) else [types]
    return all(type_name(value) in names for value in values)


def _ordered(schema: JsonObject) -> JsonObject:
    middle = [keyword for keyword in schema if keyword not in _FIRST and keyword not in _LAST]
    keywords = (*_FIRST, *middle, *_LAST)
    return {keyword: schema[keyword] for keyword in keywords if keyword in schema}
