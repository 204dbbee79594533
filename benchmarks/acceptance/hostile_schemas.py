"""The schemas that are meant to hurt, by name; made when called, since some are large."""

from __future__ import annotations

import json
from collections.abc import Callable

from steer_engine.schema import JsonObject, JsonSchema, JsonValue

_TEXT: JsonObject = {"type": "string"}


def _chain(make: Callable[[JsonSchema], JsonObject], n_links: int, last: JsonObject) -> JsonObject:
    """Return definitions of which each is made of a reference to the next."""
    links: JsonObject = {f"link{i}": make({"$ref": f"#/$defs/link{i + 1}"}) for i in range(n_links)}
    return {"$ref": "#/$defs/link0", "$defs": {**links, f"link{n_links}": last}}


def _nested(make: Callable[[JsonSchema], JsonObject], depth: int) -> JsonObject:
    schema: JsonObject = _TEXT
    for _ in range(depth):
        schema = make(schema)
    return schema


def _object(properties: JsonObject, **more: JsonValue) -> JsonObject:
    return {"type": "object", "properties": properties, **more}


def _branches(n_branches: int) -> list[JsonValue]:
    return [
        _object({"kind": {"const": f"kind {i}"}, f"p{i}": _TEXT}, required=["kind"])
        for i in range(n_branches)
    ]


def _either(first: str, second: str) -> JsonObject:
    return {"anyOf": [{"required": [first]}, {"required": [second]}]}


def _pattern(pattern: str) -> Callable[[], JsonObject]:
    return lambda: {"type": "string", "pattern": pattern}


def _two_thens(i: int) -> JsonObject:
    return {"if": {"required": [f"p{i}"]}, "then": {"required": [f"q{i}"]}}


_FLAGS: JsonObject = {f"p{i}": {"type": "boolean"} for i in range(30)} | {
    f"q{i}": {"type": "boolean"} for i in range(30)
}

_COMBINED: dict[str, Callable[[], object]] = {
    "allOf of 24 anyOf": lambda: {"type": "object", "allOf": [_either("a", "b")] * 24},
    "allOf of 24 different anyOf": lambda: _object(
        _FLAGS, allOf=[_either(f"p{i}", f"q{i}") for i in range(24)]
    ),
    "anyOf nest of 40": lambda: _chain(lambda ref: {"anyOf": [ref, ref]}, 40, _TEXT),
    "allOf nest of 40": lambda: _chain(lambda ref: {"allOf": [ref, ref]}, 40, _TEXT),
    "oneOf nest of 40": lambda: _chain(lambda ref: {"oneOf": [ref, {"not": ref}]}, 40, _TEXT),
    "anyOf of allOf, 12 deep": lambda: _nested(
        lambda inner: {"allOf": [{"anyOf": [inner, {"type": "null"}]}] * 2}, 12
    ),
    "not, 90 deep": lambda: _nested(lambda inner: {"not": inner}, 90),
    "not of anyOf of allOf": lambda: _nested(
        lambda inner: {"not": {"anyOf": [{"allOf": [inner, {"minLength": 1}]}, inner]}}, 10
    ),
    "30 ifs": lambda: _object(_FLAGS, allOf=[_two_thens(i) for i in range(30)]),
    "if nest of 40": lambda: _chain(lambda ref: {"if": ref, "then": ref, "else": ref}, 40, _TEXT),
    "30 dependentRequired": lambda: _object(
        _FLAGS, dependentRequired={f"p{i}": [f"q{i}"] for i in range(30)}
    ),
    "30 dependentSchemas": lambda: _object(
        _FLAGS, dependentSchemas={f"p{i}": {"required": [f"q{i}"]} for i in range(30)}
    ),
    "anyOf of 2,000 objects": lambda: {"anyOf": _branches(2000)},
    "oneOf of 500 objects": lambda: {"oneOf": _branches(500)},
    "unevaluatedProperties over 12 anyOf": lambda: {
        "type": "object",
        "allOf": [
            {"anyOf": [{"properties": {f"p{i}": _TEXT}}, {"properties": {f"q{i}": _TEXT}}]}
            for i in range(12)
        ],
        "unevaluatedProperties": False,
    },
}
_RECURSIVE: dict[str, Callable[[], object]] = {
    "reference to itself": lambda: {"$ref": "#"},
    "references in a circle": lambda: {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}},
    },
    "not of itself": lambda: {"not": {"$ref": "#"}},
    "endless value": lambda: _object({"next": {"$ref": "#"}}, required=["next"]),
    "endless list": lambda: {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
    "recursive tree": lambda: _object(
        {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, additionalProperties=False
    ),
    "recursion through 10 branches": lambda: {
        "anyOf": [_object({f"p{i}": {"$ref": "#"}}) for i in range(10)]
    },
    "references doubling 40 times": lambda: _chain(
        lambda ref: _object({"a": ref, "b": ref}, required=["a", "b"]), 40, _TEXT
    ),
    "optional references doubling 40 times": lambda: _chain(
        lambda ref: _object({"a": ref, "b": ref}), 40, _TEXT
    ),
    "90 objects deep": lambda: _nested(lambda inner: _object({"a": inner}, required=["a"]), 45),
    "10,000 deep": lambda: '{"items": ' * 10_000 + "{}" + "}" * 10_000,
    "10,000 lists deep": lambda: '{"const": ' + "[" * 10_000 + "]" * 10_000 + "}",
}
_PATTERNS = {
    "nested plus": r"^(a+)+$",
    "ambiguous": r"(x+x+)+y",
    "look-ahead": r"^(?=(a+)+b)a*b$",
    "look-behind": r"(?<=(a|aa)+)b",
    "back-reference": r"^(a*)\1\1b$",
    "automaton of 2^20 states": r"(a|b)*a(a|b){20}",
    "three counters": r"^((a{1,100}){1,100}){1,100}$",
    "long counter": r"^[a-z]{100000}$",
    "huge counter": r"^a{1000000000}$",
    "counters around a letter": r"^(.{0,1000}a.{1000})$",
    "deep groups": "(" * 500 + "a" + ")" * 500,
    "long alternation": "^(" + "|".join(f"word{i}" for i in range(20_000)) + ")$",
}
_PATTERN_SCHEMAS: dict[str, Callable[[], object]] = {
    **{f"pattern: {name}": _pattern(pattern) for name, pattern in _PATTERNS.items()},
    "not a pattern": lambda: {"type": "string", "not": {"pattern": r"^(a+)+$"}},
    "two patterns": lambda: {
        "type": "string",
        "allOf": [{"pattern": r"(a|b)*a(a|b){12}"}, {"pattern": r"(a|b)*b(a|b){13}"}],
    },
    "1,000 overlapping patternProperties": lambda: {
        "type": "object",
        "patternProperties": {f"^a.*{i}": {"type": "integer", "minimum": i} for i in range(1000)},
    },
}
_LARGE: dict[str, Callable[[], object]] = {
    "enum of 100,000 strings": lambda: {"enum": [f"value number {i}" for i in range(100_000)]},
    "enum of 100,000 numbers": lambda: {"enum": list(range(100_000))},
    "not an enum of 100,000": lambda: {
        "type": "string",
        "not": {"enum": [f"value {i}" for i in range(100_000)]},
    },
    "propertyNames of 10,000 names": lambda: {
        "type": "object",
        "propertyNames": {"enum": [f"name {i}" for i in range(10_000)]},
    },
    "4 MB of descriptions": lambda: json.dumps(
        _object({f"p{i}": {"type": "string", "description": "x" * 40_000} for i in range(100)})
    ),
    "4 MB of definitions": lambda: json.dumps(
        {"$defs": {f"d{i}": _object({"a": _TEXT, "b": {"type": "integer"}}) for i in range(40_000)}}
    ),
    "5,000 properties": lambda: _object({f"property {i}": _TEXT for i in range(5000)}),
    "5,000 required properties": lambda: _object(
        {f"property {i}": _TEXT for i in range(5000)},
        required=[f"property {i}" for i in range(5000)],
    ),
    "100,000 required names": lambda: {
        "type": "object",
        "required": [f"name {i}" for i in range(100_000)],
    },
    "large constant": lambda: {"const": [{"a": [i, str(i)]} for i in range(20_000)]},
}
_NUMBERS: dict[str, Callable[[], object]] = {
    "integer multipleOf 999983": lambda: {"type": "integer", "multipleOf": 999_983},
    "two coprime multipleOf": lambda: {
        "type": "integer",
        "allOf": [{"multipleOf": 999_983}, {"multipleOf": 999_979}],
    },
    "multipleOf 1e-300": lambda: {"type": "number", "multipleOf": 1e-300},
    "bounds of 300 digits": lambda: {"type": "integer", "minimum": 10**300, "maximum": 10**301},
    "number of 6,000 digits": lambda: '{"const": ' + "9" * 6000 + "}",
    "number that overflows": lambda: '{"type": "number", "minimum": 1e999}',
    "not a number": lambda: '{"const": NaN}',
    "minItems 100,000": lambda: {"type": "array", "items": {"type": "null"}, "minItems": 100_000},
    "minItems 10^18": lambda: {"type": "array", "minItems": 10**18},
    "maxItems 10^9": lambda: {"type": "array", "maxItems": 10**9, "uniqueItems": True},
    "minLength 10^9": lambda: {"type": "string", "minLength": 10**9},
    "maxLength 10^9": lambda: {"type": "string", "maxLength": 10**9},
    "minContains 10^6": lambda: {"contains": {"const": 1}, "minContains": 10**6, "type": "array"},
    "minProperties 10^6": lambda: {"type": "object", "minProperties": 10**6},
}
_OUTSIDE: dict[str, Callable[[], object]] = {
    "remote $ref": lambda: {"$ref": "http://localhost:1234/integer.json"},
    "remote $ref by name": lambda: {"items": {"$ref": "https://example.com/schema#/$defs/a"}},
    "remote $schema": lambda: {"$schema": "https://example.com/dialect", "type": "string"},
    "remote $dynamicRef": lambda: {"$dynamicRef": "http://localhost:1234/tree.json#node"},
    "remote $id": lambda: {"$id": "http://localhost:1234/", "$ref": "integer.json"},
    "file $ref": lambda: {"$ref": "file:///etc/passwd"},
}
_CHARACTERS: dict[str, Callable[[], object]] = {
    "NUL in a constant": lambda: {"const": "a\0b"},
    "NUL in a key": lambda: _object({"a\0b": _TEXT}, required=["a\0b"]),
    "NUL in a pattern": lambda: {"type": "string", "pattern": "^a\0b$"},
    "lone surrogate in a constant": lambda: {"const": "a\ud800b"},
    "lone surrogate in a key": lambda: _object({"\udc00": _TEXT}, required=["\udc00"]),
    "lone surrogate in a pattern": lambda: {"type": "string", "pattern": "^\ud800$"},
    "lone surrogate in a text": lambda: '{"enum": ["\\ud800", "a"]}',
    "surrogate escapes in a pattern": lambda: {"type": "string", "pattern": r"^\ud83d\ude00$"},
    "every control character": lambda: {"enum": [chr(code) for code in range(32)]},
}

SCHEMAS: dict[str, Callable[[], object]] = {
    **_COMBINED,
    **_RECURSIVE,
    **_PATTERN_SCHEMAS,
    **_LARGE,
    **_NUMBERS,
    **_OUTSIDE,
    **_CHARACTERS,
}
REMOTE = frozenset(_OUTSIDE)
"""Those that refer to what is not in them."""
