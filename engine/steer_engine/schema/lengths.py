"""How short the values of a schema can be, as far as it says so in plain words."""

from __future__ import annotations

from functools import lru_cache

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, Schema
from steer_engine.schema.references import schema_at, target_pointer

# Bytes of JSON text.
_SHORTEST = {"null": 4, "boolean": 4, "integer": 1, "number": 1}
_SEPARATOR = 2  # ", " and ": "
_QUOTES = _BRACKETS = 2
_MEMBER = _QUOTES + _SEPARATOR + 1  # an empty name, and a digit


@lru_cache(maxsize=64)
def least_bytes(schema: Schema) -> int:
    """Return a number of bytes below which `schema` has no value, as JSON text.

    Lengths, counts and required names are what it looks at: the shortest value may be longer.
    """
    document = schema.document
    try:
        return _Lengths(document).of(document)
    except RecursionError:
        return 1


class _Lengths:
    """The least lengths of one document's schemas."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._known: dict[str, int] = {}  # by the pointer of a reference

    def of(self, schema: JsonValue) -> int:
        if not isinstance(schema, dict):
            return 1
        types = schema.get("type")
        named = types if isinstance(types, list) else [types]
        found = [min(self._of_type(schema, name) for name in named)]
        found += [self._referred(ref) for ref in [schema.get("$ref")] if isinstance(ref, str)]
        found += map(self.of, _listed(schema, "allOf"))
        for keyword in ("anyOf", "oneOf"):
            found.append(min(map(self.of, _listed(schema, keyword)), default=1))
        return max(found)

    def _referred(self, ref: str) -> int:
        pointer = target_pointer(self._document, ref)
        if pointer is None:
            return 1
        if pointer not in self._known:
            self._known[pointer] = 1  # where it leads back to itself
            self._known[pointer] = self.of(schema_at(self._document, pointer))
        return self._known[pointer]

    def _of_type(self, schema: JsonObject, name: JsonValue) -> int:
        if name == "string":
            return _QUOTES + _count(schema, "minLength")
        if name == "array":
            return self._of_array(schema)
        if name == "object":
            return self._of_object(schema)
        return _SHORTEST.get(str(name), 1)

    def _of_array(self, schema: JsonObject) -> int:
        n_items = _count(schema, "minItems")
        first = _listed(schema, "prefixItems")[:n_items]
        n_others = n_items - len(first)
        others = n_others * self.of(schema.get("items")) if n_others else 0
        return _BRACKETS + sum(map(self.of, first)) + others + _SEPARATOR * max(0, n_items - 1)

    def _of_object(self, schema: JsonObject) -> int:
        required = {name for name in _listed(schema, "required") if isinstance(name, str)}
        properties = schema.get("properties")
        values = properties if isinstance(properties, dict) else {}
        n_others = max(0, _count(schema, "minProperties") - len(required))
        members = sum(_MEMBER - 1 + len(name) + self.of(values.get(name)) for name in required)
        separators = _SEPARATOR * max(0, len(required) + n_others - 1)
        return _BRACKETS + members + n_others * _MEMBER + separators


def _listed(schema: JsonObject, keyword: str) -> list[JsonValue]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _count(schema: JsonObject, keyword: str) -> int:
    value = schema.get(keyword)
    return int(value) if isinstance(value, int | float) else 0  # 2.0 is a count, too
