"""The texts in which a schema is shown, to a model or to its user."""

from __future__ import annotations

import json

from steer_engine.schema import shapes
from steer_engine.schema.document import JsonSchema, Schema, dump, map_children
from steer_engine.schema.formats.narrower import NEAREST_FORMATS
from steer_engine.schema.notation_writer import write_notation


def write_json(schema: Schema, *, indent: int | None = None) -> str:
    """Return the JSON Schema as text, on one line unless `indent` says how far to indent."""
    return dump(schema.document, indent=indent)


def describe(schema: Schema) -> str:
    """Return what a model is told: the compact notation, or JSON Schema where it cannot say it.

    In place of a pattern for a part of a format it is told the format, which it knows better, and
    of no default that may not be written.
    """
    told = Schema(dump(_told(schema.document)), schema.name)
    notation = write_notation(told)
    return (
        json.dumps(told.document, ensure_ascii=False, separators=(",", ":"))
        if notation is None
        else notation
    )


def _told(schema: JsonSchema) -> JsonSchema:
    if isinstance(schema, bool):
        return schema
    schema = map_children(schema, _told)
    if "default" in schema and not shapes.may_be(schema, schema["default"]):
        del schema["default"]
    nearest = NEAREST_FORMATS.get(str(schema.get("pattern")))
    if nearest is not None and "format" not in schema:
        del schema["pattern"]
        schema["format"] = nearest
    return schema
