"""Columns -> a polars DataFrame. Nested objects are flattened as in pandas; lists are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steer_engine import Column, ColumnKind, JsonValue, Schema
from steermagic.subschemas import plain, subschema
from steermagic.temporal import read_date, read_datetime, read_duration, read_time

if TYPE_CHECKING:
    import polars as pl

_READERS: Mapping[ColumnKind, Callable[[Any], object]] = {
    ColumnKind.INTEGER: int,  # 2.0 is an integer to JSON Schema
    ColumnKind.DATE: read_date,
    ColumnKind.DATETIME: read_datetime,
    ColumnKind.TIME: lambda text: read_time(text).replace(tzinfo=None),  # polars has no offsets
    ColumnKind.DURATION: read_duration,
}


def make_frame(
    plan: Sequence[Column], values: Sequence[Sequence[JsonValue]], schema: Schema
) -> pl.DataFrame:
    """Return the frame whose columns are `plan`, filled with `values`."""
    import polars as pl

    document = schema.document
    return pl.DataFrame(
        [
            _make_series(column, column_values, document)
            for column, column_values in zip(plan, values, strict=True)
        ]
    )


def _make_series(column: Column, values: Sequence[JsonValue], document: JsonValue) -> pl.Series:
    import polars as pl

    read = _READERS.get(column.kind)
    try:
        typed = [None if v is None else read(v) for v in values] if read else list(values)
        return pl.Series(column.name, typed, dtype=_dtype(column, document))
    except (ValueError, OverflowError, TypeError, pl.exceptions.PolarsError):
        return pl.Series(column.name, values, dtype=pl.Object)


def _dtype(column: Column, document: JsonValue) -> pl.DataType | type[pl.DataType]:
    import polars as pl

    dtypes: Mapping[ColumnKind, pl.DataType | type[pl.DataType]] = {
        ColumnKind.CATEGORY: pl.Enum(column.categories),
        ColumnKind.INTEGER: pl.Int64,
        ColumnKind.NUMBER: pl.Float64,
        ColumnKind.BOOLEAN: pl.Boolean,
        ColumnKind.DATE: pl.Date,
        ColumnKind.DATETIME: pl.Datetime("us", "UTC"),
        ColumnKind.TIME: pl.Time,
        ColumnKind.DURATION: pl.Duration("us"),
        ColumnKind.MIXED: pl.Object,
        ColumnKind.OBJECT: pl.Object,
    }
    if column.kind is ColumnKind.LIST:
        return _nested_dtype(subschema(document, column.path), document) or pl.Object
    return dtypes.get(column.kind, pl.String)


def _nested_dtype(
    node: dict[str, JsonValue], root: JsonValue, depth: int = 0
) -> pl.DataType | type[pl.DataType] | None:
    """Return the dtype of a value inside a list; None where polars has none for it."""
    import polars as pl

    scalars = {
        "string": pl.String,
        "integer": pl.Int64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
    }
    kind = node.get("type")
    if depth > 8:  # a recursive schema has no end, and a dtype must have one
        return None
    if kind == "array":
        inner = _nested_dtype(plain(node.get("items"), root), root, depth + 1)
        return None if inner is None else pl.List(inner)
    if kind == "object":
        return _struct_dtype(node, root, depth)
    return scalars.get(kind) if isinstance(kind, str) else _enum_dtype(node)


def _struct_dtype(node: dict[str, JsonValue], root: JsonValue, depth: int) -> pl.DataType | None:
    import polars as pl

    fields = node.get("properties")
    if not isinstance(fields, dict) or not fields:
        return None
    inner = {
        name: _nested_dtype(plain(field, root), root, depth + 1) for name, field in fields.items()
    }
    known = {name: dtype for name, dtype in inner.items() if dtype is not None}
    return pl.Struct(known) if len(known) == len(inner) else None


def _enum_dtype(node: dict[str, JsonValue]) -> pl.DataType | type[pl.DataType] | None:
    import polars as pl

    values = node.get("enum")
    if not isinstance(values, list):
        return None
    words = [value for value in values if isinstance(value, str)]
    return pl.Enum(words) if len(words) == len([v for v in values if v is not None]) else None
