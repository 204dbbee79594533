"""Schemas: read from every source, checked before any work, written in every form.

Read in this order: `document` -> `sources` -> `notation` (over `tokens` and `notation_types`) ->
`notation_writer` -> `pydantic_writer` -> `columns` -> `lowering` -> `validation`. The others are
looked up on the way: `words`, `literals` and `shapes` are what the languages share; `drafts`,
`vocabularies`, `library` and `bundling` make one 2020-12 document of what was given, `metaschema`,
`validity` and `references` make it safe to read; `equality`, `patterns` and `formats` say what
numbers, regular expressions and dates mean, `judging` tells `jsonschema`; `python_types` asks
Pydantic, `rows` and `places` find lists of records and copied strings.
"""

from steer_engine.schema.columns import Column, ColumnKind, column_plan
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    in_any_order,
)
from steer_engine.schema.forms import describe, write_json
from steer_engine.schema.notation_writer import write_notation
from steer_engine.schema.pydantic_writer import write_pydantic
from steer_engine.schema.references import inlined, resolved
from steer_engine.schema.rows import is_object, is_rows, row_of, rows_of
from steer_engine.schema.shapes import type_name
from steer_engine.schema.sources import read_schema
from steer_engine.schema.validation import validation_error
from steer_engine.schema.validity import doubts
from steer_engine.schema.words import TYPES as TYPE_WORDS

__all__ = [
    "TYPE_WORDS",
    "Column",
    "ColumnKind",
    "JsonObject",
    "JsonSchema",
    "JsonValue",
    "Schema",
    "column_plan",
    "describe",
    "doubts",
    "in_any_order",
    "inlined",
    "is_object",
    "is_rows",
    "read_schema",
    "resolved",
    "row_of",
    "rows_of",
    "type_name",
    "validation_error",
    "write_json",
    "write_notation",
    "write_pydantic",
]
