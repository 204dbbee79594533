"""The values of keywords, read as what a checked document holds there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.equality import exact

ALL_TYPES = frozenset({"array", "boolean", "fraction", "integer", "null", "object", "string"})
"""The types of JSON Schema, with "number" split into the whole and the other numbers."""

NUMBERS = frozenset({"fraction", "integer"})

MAX_NUMBER = sys.float_info.max
"""Beyond it no number is written."""

_MAX_SHORT = 2**53  # a float holds all whole numbers up to it


def schemas_in(value: JsonValue) -> list[JsonSchema]:
    """Return the schemas of a keyword that holds a list of them."""
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, bool | dict)]


def schemas_by_name(value: JsonValue) -> dict[str, JsonSchema]:
    """Return the schemas of a keyword that holds a map of them."""
    if not isinstance(value, dict):
        return {}
    return {name: each for name, each in value.items() if isinstance(each, bool | dict)}


def as_schema(value: JsonValue) -> JsonSchema:
    """Return the schema of a keyword that holds one."""
    return value if isinstance(value, bool | dict) else True


def texts_in(value: JsonValue) -> list[str]:
    """Return the strings of a keyword that holds a list of them."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def literals_in(schema: JsonObject, keyword: str) -> list[JsonValue]:
    """Return the values that `const` or `enum` of `schema` allows."""
    value = schema[keyword]
    return value if keyword == "enum" and isinstance(value, list) else [value]


def is_long(value: JsonValue) -> bool:
    """Tell whether `value` is a whole number that loses digits where it becomes a float."""
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    return _MAX_SHORT < abs(value) <= MAX_NUMBER and exact(float(value)) != value


def has_long(schema: JsonObject) -> bool:
    """Tell whether `const` or `enum` of `schema` lists a long number."""
    listed = (keyword for keyword in ("const", "enum") if keyword in schema)
    return any(is_long(value) for keyword in listed for value in literals_in(schema, keyword))


def asks_for_any_order(schema: JsonSchema) -> bool:
    """Tell whether the properties of an object may be written in any order."""
    mark = schema.get("x-steer") if isinstance(schema, dict) else None
    return isinstance(mark, dict) and mark.get("order") == "any"


def count_of(value: JsonValue) -> int:
    """Return a count; JSON Schema allows 2.0 where one is meant."""
    return int(value) if isinstance(value, int | float) else 0


def types_named(value: JsonValue) -> frozenset[str]:
    """Return the types that a value of `type` names."""
    names = {value} if isinstance(value, str) else set(texts_in(value))
    return frozenset(names - {"number"}) | (NUMBERS if "number" in names else frozenset())


def named_types(types: Iterable[str]) -> list[str]:
    """Return how `type` names `types`, which is a superset where they split the numbers."""
    names = {"number" if each == "fraction" else each for each in types}
    return sorted(names - {"integer"} if "number" in names else names)


def type_of(value: JsonValue) -> str:
    """Return the one type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    kinds: Mapping[type, str] = {int: "integer", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")
