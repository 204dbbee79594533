"""What holds where a schema does not: alternatives without `not`, as far as that can be said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from steer_engine.schema.document import JsonObject, JsonValue
from steer_engine.schema.formats import FORMATS
from steer_engine.schema.lowering.reading import (
    ALL_TYPES,
    NUMBERS,
    count_of,
    literals_in,
    named_types,
    schemas_by_name,
    schemas_in,
    texts_in,
    types_named,
)

Doubtful: TypeAlias = "tuple[JsonObject, bool]"
"""An alternative, and whether it may hold although the negated keyword does too."""

_BEYOND = {
    "exclusiveMaximum": "minimum",
    "exclusiveMinimum": "maximum",
    "maximum": "exclusiveMinimum",
    "minimum": "exclusiveMaximum",
}
_SIZED = {"Items": "array", "Length": "string", "Properties": "object"}
_TYPE_AT_LEAST: Mapping[str, JsonObject] = {
    "additionalProperties": {"type": "object", "minProperties": 1},
    "contains": {"type": "array"},
    "format": {"type": "string"},
    "multipleOf": {"type": "number"},
    "pattern": {"type": "string"},
    "patternProperties": {"type": "object", "minProperties": 1},
    "propertyNames": {"type": "object", "minProperties": 1},
    "unevaluatedItems": {"type": "array", "minItems": 1},
    "unevaluatedProperties": {"type": "object", "minProperties": 1},
    "uniqueItems": {"type": "array", "minItems": 2},
}
"""Keywords that can fail in ways no mask knows, with the least that is true when they do."""


def negated(schema: JsonObject) -> Iterator[tuple[JsonObject, str, bool]]:
    """Yield schemas of which at least one holds if and only if `schema` does not.

    With each comes the keyword that it negates, and whether it allows too much. They hold the
    schemas inside `schema` themselves, not copies of them.
    """
    for keyword, value in schema.items():
        if keyword in _WAYS:
            yield from ((way, keyword, False) for way in _WAYS[keyword](schema, value))
        elif keyword in _BEYOND:
            yield {"type": "number", _BEYOND[keyword]: value}, keyword, False
        elif keyword[3:] in _SIZED and keyword[:3] in ("min", "max"):
            yield from ((way, keyword, False) for way in _not_of_size(keyword, count_of(value)))
        elif keyword in _PERHAPS:
            yield from ((way, keyword, doubt) for way, doubt in _PERHAPS[keyword](schema, value))
        elif keyword in _TYPE_AT_LEAST and _says_something(keyword, value):
            yield dict(_TYPE_AT_LEAST[keyword]), keyword, True


def _says_something(keyword: str, value: JsonValue) -> bool:
    if keyword == "format":
        return value in FORMATS
    return value is not False if keyword == "uniqueItems" else value is not True and value != {}


def _not_of_size(keyword: str, count: int) -> Iterator[JsonObject]:
    sized, kind = keyword[3:], _SIZED[keyword[3:]]
    if keyword.startswith("max"):
        yield {"type": kind, f"min{sized}": count + 1}
    elif count > 0:
        yield {"type": kind, f"max{sized}": count - 1}


def _not_any(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    yield {"allOf": [{"not": each} for each in schemas_in(value)]}


def _not_all(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    for each in schemas_in(value):
        yield {"not": each}


def _not_not(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    yield {"allOf": [value]}


def _not_if(schema: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    if "then" in schema:
        yield {"allOf": [value, {"not": schema["then"]}]}
    if "else" in schema:
        yield {"allOf": [{"not": value}, {"not": schema["else"]}]}


def _not_properties(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    for name, each in schemas_by_name(value).items():
        if each not in (True, {}):
            yield {"type": "object", "required": [name], "properties": {name: {"not": each}}}


def _not_required(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    for name in texts_in(value):
        yield {"type": "object", "properties": {name: False}}


def _not_dependent_required(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    for name, needed in value.items() if isinstance(value, dict) else ():
        for each in texts_in(needed):
            yield {"type": "object", "required": [name], "properties": {each: False}}


def _not_dependent_schemas(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    for name, each in schemas_by_name(value).items():
        yield {"type": "object", "required": [name], "not": each}


def _not_prefix(_: JsonObject, value: JsonValue) -> Iterator[JsonObject]:
    for index, each in enumerate(schemas_in(value)):
        if each not in (True, {}):
            items: list[JsonValue] = [True] * index
            yield {"type": "array", "minItems": index + 1, "prefixItems": [*items, {"not": each}]}


def _not_const(schema: JsonObject, _: JsonValue) -> Iterator[JsonObject]:
    yield {"not": {"const": schema["const"]}}


def _not_enum(schema: JsonObject, _: JsonValue) -> Iterator[JsonObject]:
    yield {"not": {"enum": literals_in(schema, "enum")}}


def _not_reference(schema: JsonObject, _: JsonValue) -> Iterator[JsonObject]:
    yield {"not": {"$ref": schema["$ref"]}}


_WAYS: Mapping[str, Callable[[JsonObject, JsonValue], Iterator[JsonObject]]] = {
    "$ref": _not_reference,
    "allOf": _not_all,
    "anyOf": _not_any,
    "const": _not_const,
    "dependentRequired": _not_dependent_required,
    "dependentSchemas": _not_dependent_schemas,
    "enum": _not_enum,
    "if": _not_if,
    "not": _not_not,
    "prefixItems": _not_prefix,
    "properties": _not_properties,
    "required": _not_required,
}


def _not_types(_: JsonObject, value: JsonValue) -> Iterator[Doubtful]:
    rest = ALL_TYPES - types_named(value)
    if rest:
        yield {"type": list[JsonValue](named_types(rest))}, len(rest & NUMBERS) == 1


def _not_items(schema: JsonObject, value: JsonValue) -> Iterator[Doubtful]:
    if value not in (True, {}):
        n_before = len(schemas_in(schema.get("prefixItems")))
        yield {"type": "array", "minItems": n_before + 1}, value is not False


def _not_contains(schema: JsonObject, value: JsonValue) -> Iterator[Doubtful]:
    least = count_of(schema.get("minContains", 1))
    if least == 1:
        yield {"type": "array", "items": {"not": value}}, False
    elif least > 1:
        yield {"type": "array"}, True
    if "maxContains" in schema:
        yield {"type": "array", "minItems": count_of(schema["maxContains"]) + 1}, True


def _not_one(_: JsonObject, value: JsonValue) -> Iterator[Doubtful]:
    branches = schemas_in(value)
    if len(branches) == 1:
        yield {"not": branches[0]}, False
    else:
        yield {}, True


_PERHAPS: Mapping[str, Callable[[JsonObject, JsonValue], Iterator[Doubtful]]] = {
    "contains": _not_contains,
    "items": _not_items,
    "oneOf": _not_one,
    "type": _not_types,
}
