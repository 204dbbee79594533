"""Small schemas with finitely many values, which between them use every keyword that constrains."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from steer_engine.schema import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A schema, the keyword it is about, and values among which all its valid ones are."""

    keyword: str
    schema: JsonObject
    values: tuple[JsonValue, ...]


_ITEMS: list[JsonValue] = [0, 1, "a", []]
_MEMBERS: list[JsonValue] = [0, "a", True]
_KEYS = ("a", "b", "ab")
_ITEM: JsonObject = {"enum": _ITEMS}
_MEMBER: JsonObject = {"enum": _MEMBERS}

_LIST: JsonObject = {"type": "array", "items": _ITEM, "maxItems": 3}
_OBJECT: JsonObject = {
    "type": "object",
    "properties": dict.fromkeys(_KEYS, _MEMBER),
    "additionalProperties": False,
}
_STRING: JsonObject = {"type": "string", "pattern": "^[ab]{0,3}$"}
_INTEGER: JsonObject = {"type": "integer", "minimum": 0, "maximum": 22}

_LISTS = [list(items) for n in range(4) for items in itertools.product(_ITEMS, repeat=n)]
_OBJECTS = [
    {key: value for key, value in zip(_KEYS, values, strict=True) if value is not None}
    for values in itertools.product([None, *_MEMBERS], repeat=len(_KEYS))
]
_STRINGS = ["".join(text) for n in range(4) for text in itertools.product("ab", repeat=n)]

_ZERO: JsonObject = {"const": 0}
_HAS_A: JsonObject = {"required": ["a"]}
_HAS_B: JsonObject = {"required": ["b"]}
_A_IS_ZERO: JsonObject = {"properties": {"a": _ZERO}}

_OF_LISTS: dict[str, JsonObject] = {
    "items": {},
    "minItems": {"minItems": 2},
    "uniqueItems": {"uniqueItems": True},
    "contains": {"contains": _ZERO},
    "minContains": {"contains": _ZERO, "minContains": 2},
    "maxContains": {"contains": _ZERO, "minContains": 0, "maxContains": 1},
    "prefixItems": {"prefixItems": [_ZERO, {"const": "a"}]},
    "const": {"const": [0, "a"]},
    "not, minItems": {"not": {"minItems": 2}},
    "$ref, items": {"items": {"$ref": "#/$defs/item"}, "$defs": {"item": _ITEM}},
}
_UNEVALUATED_ITEMS: JsonObject = {
    "type": "array",
    "prefixItems": [_ITEM],
    "anyOf": [{"prefixItems": [_ZERO, _ITEM]}, True],
    "unevaluatedItems": False,
}
_OF_OBJECTS: dict[str, JsonObject] = {
    "properties": {},
    "required": {"required": ["a", "ab"]},
    "minProperties": {"minProperties": 2},
    "maxProperties": {"maxProperties": 1},
    "propertyNames": {"propertyNames": {"maxLength": 1}},
    "dependentRequired": {"dependentRequired": {"a": ["b"]}},
    "dependentRequired, backwards": {"dependentRequired": {"ab": ["a"]}},
    "dependentSchemas": {"dependentSchemas": {"a": {"properties": {"b": _ZERO}}}},
    "dependentSchemas, backwards": {"dependentSchemas": {"ab": _A_IS_ZERO}},
    "patternProperties": {"patternProperties": {"^ab?$": {"enum": [0, "a"]}}},
    "if": {"if": {**_A_IS_ZERO, **_HAS_A}, "then": _HAS_B, "else": {"maxProperties": 1}},
    "if, at the end": {"if": {**_HAS_A, "properties": {"ab": _ZERO}}, "then": _HAS_B},
    "not": {"not": {"required": ["a", "b"]}},
    "not, value": {"not": {"properties": {"a": _ZERO, "b": _ZERO}}},
    "allOf": {"allOf": [_HAS_A, {"properties": {"b": _ZERO}}]},
    "anyOf": {"anyOf": [_HAS_A, _HAS_B]},
    "oneOf": {"oneOf": [_HAS_A, _HAS_B]},
    "oneOf, discriminator": {
        "oneOf": [
            {"properties": {"a": _ZERO}, "required": ["a", "b"]},
            {"properties": {"a": {"const": "a"}}, "required": ["a", "ab"]},
        ]
    },
    "const, object": {"const": {"a": 0, "b": True}},
    "enum": {"enum": [{"a": 0, "b": True}, {"a": "a"}, {}]},
}
_UNEVALUATED_PROPERTIES: JsonObject = {
    "type": "object",
    "properties": {"a": _MEMBER},
    "anyOf": [{"properties": {"b": _MEMBER}, **_HAS_B}, {"properties": {"ab": _MEMBER}}],
    "unevaluatedProperties": False,
}
_OF_STRINGS: dict[str, JsonObject] = {
    "minLength": {"minLength": 2},
    "maxLength": {"maxLength": 2},
    "pattern": {"allOf": [{"pattern": "^a"}, {"pattern": "b$"}]},
    "pattern, look-ahead": {"allOf": [{"pattern": "^(?!ab)"}]},
    "not, pattern": {"not": {"pattern": "ab"}},
    "not, enum": {"not": {"enum": ["a", "ab", "bbb"]}},
}
_OF_INTEGERS: dict[str, JsonObject] = {
    "multipleOf": {"multipleOf": 3},
    "minimum": {"minimum": 5},
    "exclusiveMaximum": {"exclusiveMaximum": 12},
    "not, minimum": {"not": {"minimum": 15}},
    "not, multipleOf": {"not": {"multipleOf": 2}},
    "oneOf, multipleOf": {"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]},
}


def puzzles() -> list[Puzzle]:
    """Return the puzzles; what each adds to its kind takes the place of what the kind says."""
    kinds = (
        (_LIST, _LISTS, _OF_LISTS),
        (_OBJECT, _OBJECTS, _OF_OBJECTS),
        (_STRING, _STRINGS, _OF_STRINGS),
        (_INTEGER, list(range(23)), _OF_INTEGERS),
        ({}, _LISTS, {"unevaluatedItems": _UNEVALUATED_ITEMS}),
        ({}, _OBJECTS, {"unevaluatedProperties": _UNEVALUATED_PROPERTIES}),
    )
    return [
        Puzzle(keyword, {**kind, **extra}, tuple(values))
        for kind, values, extras in kinds
        for keyword, extra in extras.items()
    ]
