"""The `Schema` value, and the ways through a JSON Schema document.

Everything here is about where things stand in a document; what the keywords mean is told elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.pointers import pointer_to

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"
JsonSchema: TypeAlias = "bool | JsonObject"

# The only places of a 2020-12 document where a schema can stand. `definitions` is its old spelling
# of `$defs` and still full of schemas in documents of today.
_ONE_SCHEMA = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LIST_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAP_OF_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
)
_WITH_SCHEMAS = _ONE_SCHEMA | _LIST_OF_SCHEMAS | _MAP_OF_SCHEMAS
DEFINITIONS = ("$defs", "definitions")

KEYWORDS = (
    _ONE_SCHEMA
    | _LIST_OF_SCHEMAS
    | _MAP_OF_SCHEMAS
    | frozenset(
        [
            "$anchor",
            "$comment",
            "$dynamicAnchor",
            "$dynamicRef",
            "$id",
            "$recursiveAnchor",
            "$recursiveRef",
            "$ref",
            "$schema",
            "$vocabulary",
            "additionalItems",
            "const",
            "contentEncoding",
            "contentMediaType",
            "default",
            "dependencies",
            "dependentRequired",
            "deprecated",
            "description",
            "disallow",
            "divisibleBy",
            "enum",
            "examples",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "extends",
            "format",
            "id",
            "maxContains",
            "maxItems",
            "maxLength",
            "maxProperties",
            "maximum",
            "minContains",
            "minItems",
            "minLength",
            "minProperties",
            "minimum",
            "multipleOf",
            "pattern",
            "readOnly",
            "required",
            "title",
            "type",
            "uniqueItems",
            "writeOnly",
            "x-steer",
        ]
    )
)
"""The keywords of all drafts that are read."""

ANNOTATIONS = frozenset(
    {
        "$comment",
        "contentEncoding",
        "contentMediaType",
        "default",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)
"""Those that say nothing about which values are valid."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema (2020-12), checked, with everything the rest of steermagic reads from it.

    `text` is the document's canonical JSON text and the schema's identity: equal texts mean equal
    grammars. The order of its properties is the order in which values are written.
    """

    text: str
    name: str | None = None

    @property
    def document(self) -> JsonSchema:
        """The parsed document; a fresh copy at every call, so a caller may change it."""
        document: JsonSchema = json.loads(self.text)
        return document


def in_any_order(schema: Schema) -> Schema:
    """Return `schema`, with the properties of its objects written in any order."""
    document = schema.document
    if isinstance(document, bool):
        return schema
    own = document.get("x-steer")
    mark: JsonObject = {**(own if isinstance(own, dict) else {}), "order": "any"}
    return Schema(dump({**document, "x-steer": mark}), schema.name)


def dump(value: JsonValue, *, indent: int | None = None) -> str:
    """Return the canonical JSON text of `value`: order kept, nothing escaped needlessly."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


def place(pointer: str) -> str:
    """Return the words with which a message names `pointer`."""
    return f"at {pointer}" if pointer else "at the root"


def children(schema: JsonSchema, pointer: str = "") -> Iterator[tuple[str, JsonSchema]]:
    """Yield each direct subschema of `schema` with its pointer, in the document's order."""
    if isinstance(schema, bool):
        return
    for keyword, value in schema.items():
        if keyword not in _WITH_SCHEMAS:
            continue
        steps: list[tuple[str, JsonValue]] = []
        here = pointer_to(pointer, keyword)
        if keyword in _ONE_SCHEMA:
            steps = [(here, value)]
        elif keyword in _LIST_OF_SCHEMAS and isinstance(value, list):
            steps = [(pointer_to(here, i), item) for i, item in enumerate(value)]
        elif keyword in _MAP_OF_SCHEMAS and isinstance(value, dict):
            steps = [(pointer_to(here, key), item) for key, item in value.items()]
        yield from ((where, item) for where, item in steps if isinstance(item, bool | dict))


def walk(schema: JsonSchema, pointer: str = "") -> Iterator[tuple[str, JsonSchema]]:
    """Yield `schema` and every subschema below it, parents first, each with its pointer."""
    yield pointer, schema
    for where, child in children(schema, pointer):
        yield from walk(child, where)


def properties_of(schema: JsonObject) -> JsonObject:
    """Return the `properties` of an object's schema by name; empty where it has none."""
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def map_children(schema: JsonObject, change: Callable[[JsonSchema], JsonSchema]) -> JsonObject:
    """Return a copy of `schema` in which `change` has replaced each direct subschema."""

    def changed(value: JsonValue) -> JsonValue:
        return change(value) if isinstance(value, bool | dict) else value

    result: JsonObject = {}
    for keyword, value in schema.items():
        if keyword in _ONE_SCHEMA:
            result[keyword] = changed(value)
        elif keyword in _LIST_OF_SCHEMAS and isinstance(value, list):
            result[keyword] = [changed(item) for item in value]
        elif keyword in _MAP_OF_SCHEMAS and isinstance(value, dict):
            result[keyword] = {key: changed(item) for key, item in value.items()}
        else:
            result[keyword] = value
    return result


def definitions_of(document: JsonSchema) -> JsonObject:
    """Return the keywords of `document` that hold definitions, so that a part can refer to them."""
    if isinstance(document, bool):
        return {}
    return {keyword: document[keyword] for keyword in DEFINITIONS if keyword in document}
