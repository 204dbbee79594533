"""How instances are written for the matcher: in the schema's property order, and in their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from jsonschema import Draft202012Validator
from referencing import Registry

from steer_engine.mask_compiler import ITEM_SEPARATOR, KEY_SEPARATOR
from steer_engine.schema import JsonObject, JsonSchema, JsonValue


def spell(value: JsonValue) -> str:
    """Return the text of `value` with the separators that the grammar writes."""
    return json.dumps(value, ensure_ascii=False, separators=(ITEM_SEPARATOR, KEY_SEPARATOR))


def spellings(
    document: JsonSchema, value: JsonValue, *, keeps_floats: bool = False
) -> tuple[str, ...]:
    """Return `value` in the order of `document`, then as it came; once where they are the same."""
    ordered = in_schema_order(document, value, keeps_floats=keeps_floats)
    return tuple(dict.fromkeys((spell(ordered), spell(value))))


def in_schema_order(
    document: JsonSchema, value: JsonValue, *, keeps_floats: bool = False
) -> JsonValue:
    """Return an equal value in the one spelling that a grammar of `document` has for it.

    Properties come as `document` lists them, through `$ref`, `allOf` and the branches that apply,
    then other required ones, then the rest in their own order. Whole floats become integers, if
    they are not to be kept. `document` is 2020-12 and refers to itself only.
    """
    return _Order(document, keeps_floats=keeps_floats).ordered((document,), value)


class _Order:
    """The property order of one document."""

    def __init__(self, document: JsonSchema, *, keeps_floats: bool) -> None:
        self._document, self._keeps_floats = document, keeps_floats
        self._validator = Draft202012Validator(document, registry=Registry())

    def ordered(self, schemas: Iterable[JsonSchema], value: JsonValue) -> JsonValue:
        """Return `value`, of which all `schemas` speak, in order."""
        if isinstance(value, dict):
            return self._ordered_object(list(self._parts(schemas, value)), value)
        if isinstance(value, list):
            parts = list(self._parts(schemas, value))
            return [self.ordered(_of_item(parts, i), item) for i, item in enumerate(value)]
        is_whole = isinstance(value, float) and value.is_integer()
        return int(value) if is_whole and not self._keeps_floats else value

    def _ordered_object(self, parts: list[JsonObject], value: JsonObject) -> JsonObject:
        listed = [key for part in parts for key in _mapping(part, "properties")]
        required = [str(key) for part in parts for key in _sequence(part, "required")]
        keys = [key for key in dict.fromkeys([*listed, *required, *value]) if key in value]
        return {key: self.ordered(_of_property(parts, key), value[key]) for key in keys}

    def _parts(
        self, schemas: Iterable[JsonSchema], value: JsonValue, seen: tuple[int, ...] = ()
    ) -> Iterator[JsonObject]:
        """Yield each object of keywords that speaks of `value` itself, in reading order."""
        for schema in schemas:
            if isinstance(schema, bool) or id(schema) in seen:
                continue
            yield schema
            yield from self._parts(self._applied(schema, value), value, (*seen, id(schema)))

    def _applied(self, schema: JsonObject, value: JsonValue) -> Iterator[JsonSchema]:
        if isinstance(schema.get("$ref"), str):
            yield self._target(str(schema["$ref"]))
        literals = [schema["const"]] if "const" in schema else _sequence(schema, "enum")
        yield from (_of_literal(literal) for literal in literals if literal == value)
        yield from _sequence(schema, "allOf")
        for keyword in ("anyOf", "oneOf"):
            yield from self._fitting(_sequence(schema, keyword), value)
        if "if" in schema:
            holds = self._is_valid(schema["if"], value)
            yield from [schema["if"]] if holds else []
            yield schema.get("then" if holds else "else", True)
        for key, dependent in _mapping(schema, "dependentSchemas").items():
            yield dependent if isinstance(value, dict) and key in value else True

    def _fitting(self, branches: list[JsonSchema], value: JsonValue) -> list[JsonSchema]:
        """Return the branches that allow `value`; all of them where none does."""
        return [each for each in branches if self._is_valid(each, value)] or branches

    def _is_valid(self, schema: JsonSchema, value: JsonValue) -> bool:
        try:
            return bool(self._validator.evolve(schema=schema).is_valid(value))
        except Exception:  # noqa: BLE001 - whatever is wrong with it: the order is a guess anyway
            return False

    def _target(self, reference: str) -> JsonSchema:
        node: JsonValue = self._document
        steps = reference.removeprefix("#").split("/")[1:] if reference[:1] == "#" else []
        for step in steps:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else _mapping({"": node}, "").get(key)
        return node if isinstance(node, dict) else True


def _of_literal(value: JsonValue) -> JsonObject:
    """Return a schema that lists properties as `value` has them."""
    if isinstance(value, dict):
        return {"properties": {key: _of_literal(item) for key, item in value.items()}}
    return {"prefixItems": [_of_literal(item) for item in value]} if isinstance(value, list) else {}


def _of_property(parts: list[JsonObject], key: str) -> list[JsonSchema]:
    """Return the schemas that speak of the property `key`."""
    found: list[JsonSchema] = []
    for part in parts:
        named = [_mapping(part, "properties")[key]] if key in _mapping(part, "properties") else []
        patterned = [
            schema
            for pattern, schema in _mapping(part, "patternProperties").items()
            if _matches(pattern, key)
        ]
        rest = [part[word] for word in ("additionalProperties",) if word in part]
        found += (named + patterned) or rest
    return found or _unevaluated(parts, "unevaluatedProperties")


def _of_item(parts: list[JsonObject], index: int) -> list[JsonSchema]:
    """Return the schemas that speak of the item at `index`."""
    found: list[JsonSchema] = []
    for part in parts:
        prefix = _sequence(part, "prefixItems")
        if index < len(prefix):
            found.append(prefix[index])
        elif "items" in part:
            found.append(part["items"])
    return found or _unevaluated(parts, "unevaluatedItems")


def _unevaluated(parts: list[JsonObject], keyword: str) -> list[JsonSchema]:
    return [part[keyword] for part in parts if keyword in part]


def _matches(pattern: str, key: str) -> bool:
    try:
        return re.search(pattern, key) is not None
    except re.error:
        return False


def _mapping(schema: JsonObject, keyword: str) -> JsonObject:
    value = schema.get(keyword)
    return value if isinstance(value, dict) else {}


def _sequence(schema: JsonObject, keyword: str) -> list[JsonValue]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []
