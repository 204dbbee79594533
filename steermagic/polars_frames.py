"""Columns -> a polars DataFrame. Nested objects are flattened as in pandas; lists are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steer_engine import Column, ColumnKind, JsonValue, Schema
from steermagic.nested_types import NestedTypes, holds
from steermagic.temporal import UTC_READERS

if TYPE_CHECKING:
    import polars as pl

_READERS: Mapping[ColumnKind, Callable[[Any], object]] = {
    **UTC_READERS,
    ColumnKind.INTEGER: int,  # 2.0 is an integer to JSON Schema
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
        series = pl.Series(column.name, typed, dtype=_dtype(column, document))
        if column.kind is not ColumnKind.LIST or holds(series.to_list(), typed):
            return series
    except (ValueError, OverflowError, TypeError, pl.exceptions.PolarsError):
        pass
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
        return _nested_dtypes().at(document, column.path) or pl.Object
    return dtypes.get(column.kind, pl.String)


def _nested_dtypes() -> NestedTypes[pl.DataType | type[pl.DataType]]:
    import polars as pl

    scalars = {
        "string": pl.String,
        "integer": pl.Int64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
    }
    return NestedTypes(scalars, list_of=pl.List, struct_of=pl.Struct, enum_of=pl.Enum)
