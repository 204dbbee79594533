"""Records -> tables. Columns and their types come from the schema, never from the records.

The exceptions are values that a type cannot hold: an integer beyond 64 bits, a leap second,
nanoseconds, a duration in months, in a list an object with other keys than its schema's. Their
column keeps the JSON values as they are (`object`; in Arrow their text), so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steer_engine import Column, JsonValue, Schema, column_plan
from steermagic import arrow_frames, pandas_frames, polars_frames
from steermagic.conversions import require
from steermagic.rows import explode_record, explode_schema

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from steermagic.conversions import Table


@dataclass(frozen=True, slots=True)
class Columns:
    """The cells of a table by column, in the schema's order."""

    schema: Schema
    plan: tuple[Column, ...]
    values: tuple[list[JsonValue], ...]
    n_rows: int


def to_frame(
    records: Sequence[JsonValue], schema: Schema, *, as_: str = "pandas", rows: str | None = None
) -> Table:
    """Return the table of `records`, each valid under `schema`.

    A record that is a list gives a row for each item. `rows` is the path of a list inside a
    record: then each of its items is a row, and the other columns are repeated.

    Raises:
        FrameError: there is no list at `rows`.
        MissingExtraError: the library for `as_` is not installed.
    """
    items = [item for record in records for item in items_of(record, rows=rows)]
    return make_table(items, row_schema(schema, rows=rows), as_=as_)


def row_schema(schema: Schema, *, rows: str | None) -> Schema:
    """Return the schema of one item of `items_of`; its column plan is that of the table.

    Raises:
        FrameError: there is no list at `rows`.
    """
    return schema if rows is None else explode_schema(schema, rows)


def items_of(record: JsonValue, *, rows: str | None) -> list[JsonValue]:
    """Return what `record` has for each row of a table."""
    items: list[JsonValue] = record if isinstance(record, list) else [record]
    if rows is None:
        return items
    path = rows.split(".")
    return [part for item in items for part in explode_record(item, path)]


def make_table(items: Sequence[JsonValue], schema: Schema, *, as_: str) -> Table:
    """Return the table with a row for each of `items`.

    Raises:
        MissingExtraError: the library for `as_` is not installed.
    """
    plan = column_plan(schema)
    values = tuple([_value_at(item, column.path) for item in items] for column in plan)
    return _MAKERS[as_](Columns(schema, plan, values, len(items)))


def _value_at(record: JsonValue, path: Sequence[str]) -> JsonValue:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _to_pandas(columns: Columns) -> pd.DataFrame:
    return pandas_frames.make_frame(columns.plan, columns.values, n_rows=columns.n_rows)


def _to_polars(columns: Columns) -> pl.DataFrame:
    require("polars", extra="polars")
    return polars_frames.make_frame(columns.plan, columns.values, columns.schema)


def _to_arrow(columns: Columns) -> pa.Table:
    require("pyarrow", extra="arrow")
    return arrow_frames.make_frame(columns.plan, columns.values, columns.schema)


_MAKERS: Mapping[str, Callable[[Columns], Table]] = {
    "pandas": _to_pandas,
    "polars": _to_polars,
    "arrow": _to_arrow,
}
