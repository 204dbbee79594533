"""Which definitions of a mask allow any value at all, and the mask without the others.

A definition that needs itself inside itself for ever allows none, although no keyword says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.lowering.reading import (
    as_schema,
    count_of,
    schemas_by_name,
    schemas_in,
    texts_in,
)

_PREFIX = "#/$defs/"


def pruned(root: JsonSchema, definitions: Mapping[str, JsonValue]) -> tuple[JsonSchema, JsonObject]:
    """Return a mask without alternatives that allow nothing; False where none is left."""
    productive = _productive(definitions)
    if len(productive) == len(definitions):
        return root, dict(definitions)
    prune = _Pruning(productive).of
    kept: JsonObject = {name: prune(as_schema(definitions[name])) for name in productive}
    return prune(root), kept


def _productive(definitions: Mapping[str, JsonValue]) -> frozenset[str]:
    """Return the names of the definitions that allow some value."""
    found: set[str] = set()
    waiting = list(definitions)
    while True:
        new = {name for name in waiting if _allows_some(as_schema(definitions[name]), found)}
        if not new:
            return frozenset(found)
        found |= new
        waiting = [name for name in waiting if name not in new]


def _allows_some(schema: JsonSchema, known: set[str] | frozenset[str]) -> bool:
    """Return whether `schema` allows a value if only the definitions in `known` do."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_PREFIX) in known
    if "anyOf" in schema:
        return any(_allows_some(each, known) for each in schemas_in(schema["anyOf"]))
    types = schema.get("type")
    if types == "object":
        properties = schemas_by_name(schema.get("properties"))
        return all(
            _allows_some(properties.get(name, True), known)
            for name in texts_in(schema.get("required"))
        )
    if types == "array":
        items = schemas_in(schema.get("prefixItems"))
        n_needed = count_of(schema.get("minItems", 0))
        rest = as_schema(schema.get("items", True))
        needed = [*items[:n_needed], *([rest] if n_needed > len(items) else [])]
        return all(_allows_some(each, known) for each in needed)
    return True


class _Pruning:
    """Takes away what refers to definitions that allow nothing."""

    def __init__(self, productive: frozenset[str]) -> None:
        self._productive = productive

    def of(self, schema: JsonSchema) -> JsonSchema:
        if isinstance(schema, bool) or not _allows_some(schema, self._productive):
            return schema is not False and isinstance(schema, bool)
        pruned: JsonObject = {}
        for keyword, value in schema.items():
            if keyword in ("properties", "patternProperties"):
                pruned[keyword] = {k: self.of(v) for k, v in schemas_by_name(value).items()}
            elif keyword in ("additionalProperties", "items"):
                pruned[keyword] = self.of(as_schema(value))
            elif keyword == "anyOf":
                branches = [self.of(each) for each in schemas_in(value)]
                pruned[keyword] = [each for each in branches if each is not False]
            elif keyword == "prefixItems":
                pruned[keyword] = [self.of(each) for each in schemas_in(value)]
            else:
                pruned[keyword] = value
        return pruned
