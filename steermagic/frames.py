"""Records -> tables. Columns and their types come from the schema, never from the records.

The exceptions are values that a type cannot hold: an integer beyond 64 bits, a leap second, a
duration in months. Their column keeps the JSON values as they are (`object`), so nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from steer_engine import Column, JsonValue, Schema, column_plan
from steermagic import pandas_frames, polars_frames
from steermagic.errors import MissingExtraError
from steermagic.rows import explode_record, explode_schema

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    Table: TypeAlias = pd.DataFrame | pl.DataFrame | pa.Table


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
    make = _MAKERS[as_]
    return make(_columns(records, schema, rows=rows))


def _columns(records: Sequence[JsonValue], schema: Schema, *, rows: str | None) -> Columns:
    items = [
        item for record in records for item in (record if isinstance(record, list) else [record])
    ]
    if rows is not None:
        schema = explode_schema(schema, rows)
        items = [part for item in items for part in explode_record(item, rows.split("."))]
    plan = column_plan(schema)
    values = tuple([_value_at(item, column.path) for item in items] for column in plan)
    return Columns(schema, plan, values, len(items))


def _value_at(record: JsonValue, path: Sequence[str]) -> JsonValue:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _to_pandas(columns: Columns) -> pd.DataFrame:
    _require("pandas", extra="pandas")
    return pandas_frames.make_frame(columns.plan, columns.values, n_rows=columns.n_rows)


def _to_polars(columns: Columns) -> pl.DataFrame:
    _require("polars", extra="polars")
    return polars_frames.make_frame(columns.plan, columns.values, columns.schema)


def _to_arrow(columns: Columns) -> pa.Table:
    pyarrow = _require("pyarrow", extra="arrow")
    frame = _to_pandas(columns)
    return pyarrow.table({name: _arrow_array(pyarrow, frame[name]) for name in frame})


def _arrow_array(pyarrow: ModuleType, series: pd.Series) -> pa.Array:
    try:
        return pyarrow.Array.from_pandas(series)
    except (ValueError, TypeError, OverflowError):
        # Values of several types have no common Arrow type: their JSON text has.
        return pyarrow.array([None if v is None else json.dumps(v, default=str) for v in series])


def _require(library: str, *, extra: str) -> ModuleType:
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise MissingExtraError(library, extra=extra) from None


_MAKERS: Mapping[str, Callable[[Columns], Table]] = {
    "pandas": _to_pandas,
    "polars": _to_polars,
    "arrow": _to_arrow,
}
