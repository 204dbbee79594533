"""Properties that are missing: strict servers write null in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steer_engine.schema import JsonObject, JsonSchema, JsonValue
from steer_engine.schema.document import properties_of
from steer_engine.schema.references import schema_at, target_pointer


def is_required(schema: JsonObject, name: str) -> bool:
    """Tell whether objects of `schema` need the property `name`."""
    required = schema.get("required")
    return isinstance(required, list) and name in required


def without_absent(document: JsonSchema, value: JsonValue) -> JsonValue:
    """Return `value` without the nulls that `document` does not know.

    They are those of properties which may be missing and may not be null.
    """
    return _without(document, [document], value)


def _without(root: JsonSchema, schemas: Sequence[JsonValue], value: JsonValue) -> JsonValue:
    """Do so for a value of which `schemas`, in the document `root`, speak."""
    nodes = [node for schema in schemas for node in _speaking(root, schema, ())]
    if isinstance(value, list):
        below = [node["items"] for node in nodes if "items" in node]
        return [_without(root, below, item) for item in value]
    if not isinstance(value, dict):
        return value
    kept: JsonObject = {}
    for name, item in value.items():
        below = [properties_of(node)[name] for node in nodes if name in properties_of(node)]
        if item is None and below and not _must_be_there(root, nodes, name, below):
            continue
        kept[name] = _without(root, below, item)
    return kept


def _must_be_there(
    root: JsonSchema, nodes: Sequence[JsonObject], name: str, below: Sequence[JsonValue]
) -> bool:
    """Tell whether a null is the property's own."""
    if any(is_required(node, name) for node in nodes):
        return True
    said = [node for schema in below for node in _speaking(root, schema, ())]
    return any(_allows_null(node) for node in said)


def _allows_null(node: JsonObject) -> bool:
    kinds, values = node.get("type"), node.get("enum", [node.get("const", "")])
    is_named = kinds == "null" or (isinstance(kinds, list) and "null" in kinds)
    return is_named or (isinstance(values, list) and None in values)


def _speaking(root: JsonSchema, schema: JsonValue, trail: tuple[str, ...]) -> Iterator[JsonObject]:
    """Yield `schema` and whatever judges the same value."""
    if not isinstance(schema, dict):
        return
    yield schema
    ref = schema.get("$ref")
    target = target_pointer(root, ref) if isinstance(ref, str) else None
    if target is not None and target not in trail:
        yield from _speaking(root, schema_at(root, target), (*trail, target))
    for keyword in ("allOf", "anyOf", "oneOf"):
        members = schema.get(keyword)
        for member in members if isinstance(members, list) else ():
            yield from _speaking(root, member, trail)
