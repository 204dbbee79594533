"""What the value of a schema is as a whole: one record, or a list of rows."""

from __future__ import annotations

from collections.abc import Callable

from steer_engine.schema.document import (
    DEFINITIONS,
    JsonObject,
    JsonSchema,
    Schema,
    dump,
    map_children,
)
from steer_engine.schema.references import resolved, target_pointer

_OF_A_ROOT = ("$schema", "$id")
_WHOLE = "whole"


def rows_of(schema: Schema) -> Schema:
    """Return the schema of a list of values of `schema`.

    Definitions move to the new root, and every reference goes on naming what it named.
    """
    document = schema.document
    items = _moved(document, document, _in_items)
    root: JsonObject = {"type": "array", "items": items}
    if isinstance(items, dict):
        for keyword in _OF_A_ROOT:
            if keyword in items:
                root = {keyword: items.pop(keyword), **root}
        for keyword in DEFINITIONS:
            if keyword in items:
                root[keyword] = items.pop(keyword)
    return Schema(dump(root), schema.name)


def row_of(schema: Schema, row: JsonObject) -> Schema:
    """Return the schema `row`, which is put together from parts of `schema`.

    Every reference goes on naming what it named there: the whole is among the definitions.
    """
    document = schema.document
    root, whole = (_moved(document, each, _in_whole) for each in (row, document))
    if isinstance(whole, dict):  # inside a document, `$id` would begin another one
        whole = {key: value for key, value in whole.items() if key not in _OF_A_ROOT}
    if isinstance(root, dict):
        root = {**root, "$defs": {_WHOLE: whole}}
    return Schema(dump(root), schema.name)


def is_object(schema: Schema) -> bool:
    """Tell whether the value is one object."""
    root = resolved(schema.document, schema.document)
    return isinstance(root, dict) and root.get("type") == "object"


def is_rows(schema: Schema) -> bool:
    """Tell whether the value is a list of objects."""
    document = schema.document
    root = resolved(document, document)
    if not isinstance(root, dict) or root.get("type") != "array" or "prefixItems" in root:
        return False
    items = root.get("items")
    item = resolved(document, items) if isinstance(items, dict) else None
    return isinstance(item, dict) and item.get("type") == "object"


def _moved(document: JsonSchema, schema: JsonSchema, place: Callable[[str], str]) -> JsonSchema:
    """Return `schema`, in which a reference leads to the place where its target stands now."""
    if isinstance(schema, bool):
        return schema
    schema = map_children(schema, lambda child: _moved(document, child, place))
    pointer = target_pointer(document, str(schema["$ref"])) if "$ref" in schema else None
    if pointer is not None:
        schema["$ref"] = f"#{place(pointer)}"
    return schema


def _in_items(pointer: str) -> str:
    in_definitions = pointer.startswith(tuple(f"/{keyword}/" for keyword in DEFINITIONS))
    return pointer if in_definitions else f"/items{pointer}"


def _in_whole(pointer: str) -> str:
    return f"/$defs/{_WHOLE}{pointer}"
