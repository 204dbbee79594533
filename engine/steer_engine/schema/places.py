"""Where in a value the strings stand that must be copied from the prompt (`verbatim`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, TypeGuard

from steer_engine.errors import UnenforceableError
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    pointer_to,
)
from steer_engine.schema.references import resolved

Path: TypeAlias = "tuple[str | None, ...]"
"""Where a value stands: property names from the root, None for any index of an array."""

_MAX_DEPTH = 24


def verbatim_places(schema: Schema) -> frozenset[Path]:
    """Return the places of all strings marked ``"x-steer": {"verbatim": true}``.

    Raises:
        UnenforceableError: one stands below a schema that contains itself.
    """
    if '"verbatim"' not in schema.text:
        return frozenset()
    return frozenset(_marked(schema.document, schema.document, ()))


def _marked(document: JsonSchema, node: JsonSchema, path: Path) -> Iterator[Path]:
    node = resolved(document, node)
    if isinstance(node, bool):
        return
    if len(path) > _MAX_DEPTH:
        pointer = pointer_to("", *("*" if step is None else step for step in path[:3]))
        raise UnenforceableError(
            f"`verbatim` below {pointer} cannot be enforced in a schema that contains itself;"
            " bound the nesting",
            pointer=pointer,
            keyword="x-steer",
        )
    mark = node.get("x-steer")
    if isinstance(mark, dict) and mark.get("verbatim") is True:
        yield path
    for step, child in _parts(node):
        yield from _marked(document, child, (*path, *step))


def _parts(node: JsonObject) -> Iterator[tuple[Path, JsonSchema]]:
    """Yield the subschemas of a value's parts with the way to each."""
    properties, items = node.get("properties"), node.get("items")
    if isinstance(properties, dict):
        yield from (((name,), child) for name, child in properties.items() if _is_schema(child))
    if isinstance(items, dict):
        yield (None,), items
    for keyword in ("anyOf", "oneOf"):
        members = node.get(keyword)
        if isinstance(members, list):
            yield from (((), member) for member in members if _is_schema(member))


def _is_schema(value: JsonValue) -> TypeGuard[JsonSchema]:
    return isinstance(value, bool | dict)
