"""Where in a value the strings stand that must be copied from the prompt (`verbatim`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias, TypeGuard

from steer_engine.errors import UnenforceableError
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    place,
    pointer_to,
)
from steer_engine.schema.references import reachable, resolved

Path: TypeAlias = "tuple[str | None, ...]"
"""Where a value stands: property names from the root, None for any index of an array."""

_MAX_DEPTH = 24
_UNNAMED = ("additionalProperties", "patternProperties", "prefixItems")


@lru_cache(maxsize=64)
def verbatim_places(schema: Schema) -> frozenset[Path]:
    """Return the places of all strings marked ``"x-steer": {"verbatim": true}``.

    Raises:
        UnenforceableError: one stands where its place has no fixed path.
    """
    if '"verbatim"' not in schema.text:
        return frozenset()
    for pointer, node in reachable(schema.document):
        if _is_marked(node) and any(f"/{keyword}" in pointer for keyword in _UNNAMED):
            raise _refusal(pointer, "where the schema does not name the property or item")
    return frozenset(_marked(schema.document, schema.document, ()))


def _marked(document: JsonSchema, node: JsonSchema, path: Path) -> Iterator[Path]:
    node = resolved(document, node)
    if isinstance(node, bool):
        return
    if len(path) > _MAX_DEPTH:
        pointer = pointer_to("", *("*" if step is None else step for step in path[:3]))
        raise _refusal(pointer, "below a schema that contains itself")
    if _is_marked(node):
        yield path
    for step, child in _parts(node):
        yield from _marked(document, child, (*path, *step))


def _is_marked(node: JsonSchema) -> bool:
    mark = node.get("x-steer") if isinstance(node, dict) else None
    return isinstance(mark, dict) and mark.get("verbatim") is True


def _refusal(pointer: str, where: str) -> UnenforceableError:
    return UnenforceableError(
        f"`verbatim` {place(pointer)} cannot be enforced {where}; use `str` there",
        pointer=pointer,
        keyword="x-steer",
    )


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
