"""The texts in which a schema is shown, to a model or to its user."""

from __future__ import annotations

import json

from steer_engine.schema.document import Schema, dump
from steer_engine.schema.notation_writer import write_notation


def write_json(schema: Schema, *, indent: int | None = None) -> str:
    """Return the JSON Schema as text, on one line unless `indent` says how far to indent."""
    return dump(schema.document, indent=indent)


def describe(schema: Schema) -> str:
    """Return what a model is told: the compact notation, or JSON Schema where it cannot say it."""
    notation = write_notation(schema)
    return (
        json.dumps(schema.document, ensure_ascii=False, separators=(",", ":"))
        if notation is None
        else notation
    )
