"""The answers joined to the table that was asked about, in the kind of table that is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steer_engine import JsonValue, Schema, column_plan
from steermagic.errors import FrameError
from steermagic.frames import items_of, make_table, row_schema
from steermagic.tables import TableRows

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from steermagic.conversions import Table


def check_columns(over: TableRows, schema: Schema, *, as_: str, rows: str | None) -> None:
    """Find out, before any work, whether `join` will have a name for each column.

    Raises:
        FrameError: a new column has the name of one that the table has, or two of the table's have
            one name where their kind of table cannot have that. The index of a pandas frame counts:
            what has its name could neither be sorted by nor become a column.
        MissingExtraError: a library is not installed.
    """
    names = over.names(as_)
    new = [column.name for column in column_plan(row_schema(schema, rows=rows))]
    if taken := [name for name in new if name in names]:
        raise FrameError(
            f"the table has a column or index {taken[0]!r} already; give the field another"
            " name, or store the result under another name than the table's"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice and as_ != "pandas":
        raise FrameError(f"the table has two columns {twice[0]!r}, which --as {as_} cannot have")


def join(
    over: TableRows, records: Sequence[JsonValue], schema: Schema, *, as_: str, rows: str | None
) -> Table:
    """Return the table with columns made of `records`, one for each of its rows.

    A record that is a list repeats its row for each item, and so does the list at `rows` inside a
    record. None leaves the new columns empty.
    """
    items, positions = list[JsonValue](), list[int]()
    for position, record in enumerate(records):
        parts = [None] if record is None else items_of(record, rows=rows)
        items += parts
        positions += [position] * len(parts)
    row = row_schema(schema, rows=rows)
    new = make_table(items, row, as_=as_)
    table = over.table(as_, taken=[column.name for column in column_plan(row)])
    is_moved = positions != [*range(len(records))]
    return _JOINERS[as_](table, new, positions if is_moved else None)


def _join_pandas(
    table: pd.DataFrame, new: pd.DataFrame, positions: list[int] | None
) -> pd.DataFrame:
    import pandas as pd

    left = table if positions is None else table.iloc[positions]
    joined: pd.DataFrame = pd.concat([left.reset_index(drop=True), new], axis=1)
    return joined.set_axis(left.index, axis=0)


def _join_polars(
    table: pl.DataFrame, new: pl.DataFrame, positions: list[int] | None
) -> pl.DataFrame:
    import polars as pl

    left = table if positions is None else table[positions]
    return pl.DataFrame([*left, *new])


def _join_arrow(table: pa.Table, new: pa.Table, positions: list[int] | None) -> pa.Table:
    import pyarrow as pa

    left = table if positions is None else _taken(table, positions)
    schema = pa.schema([*left.schema, *new.schema], metadata=left.schema.metadata)
    return pa.Table.from_arrays([*left.columns, *new.columns], schema=schema)


def _taken(table: pa.Table, positions: list[int]) -> pa.Table:
    import pyarrow as pa

    # Without any positions, Arrow would not know of which type they are.
    indices = pa.array(positions, pa.int64())

    def taken(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
        try:
            return column.take(indices)
        except pa.ArrowNotImplementedError:  # as of views
            values = column.to_pylist()
            return pa.array([values[position] for position in positions], column.type)

    return pa.Table.from_arrays([*map(taken, table.columns)], schema=table.schema)


_JOINERS: Mapping[str, Callable[[Any, Any, list[int] | None], Any]] = {
    "pandas": _join_pandas,
    "polars": _join_polars,
    "arrow": _join_arrow,
}
