"""Schemas: read from every source, written in every form, checked before any work.

Read in this order: `document` -> `sources` -> `notation` -> `notation_writer`.
"""

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, Schema
from steer_engine.schema.notation_writer import write_notation
from steer_engine.schema.sources import read_schema

__all__ = ["JsonObject", "JsonSchema", "JsonValue", "Schema", "read_schema", "write_notation"]
