"""What can stand behind `--over`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from steermagic.conversions import require
from steermagic.errors import FrameError
from steermagic.tables.frames import ArrowRows, PandasRows, PolarsRows
from steermagic.tables.objects import ObjectRows
from steermagic.tables.peeking import whole
from steermagic.tables.rows import TEXT, TableRows

_Rows = TypeVar("_Rows", bound=TableRows)


def read_table(data: Any) -> TableRows:  # noqa: ANN401 - whatever the user has
    """Return the rows of `data`: a table of any library, a list, or an iterator.

    Raises:
        FrameError: it is no table, an iterator gives no row, or the first one cannot be read.
        MissingExtraError: reading it takes a library that is not installed.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return PandasRows(data)
    if isinstance(data, pd.Series):
        return PandasRows(data.to_frame(TEXT if data.name is None else data.name))
    if type(data).__module__.partition(".")[0] == "polars":
        return _from_polars(data)
    if hasattr(data, "__arrow_c_stream__"):
        return _from_stream(data)
    if hasattr(data, "to_pandas"):
        return read_table(data.to_pandas())
    if hasattr(data, "__dataframe__"):
        require("pyarrow", extra="arrow")
        from pyarrow.interchange import from_dataframe

        return _from_stream(from_dataframe(data))
    return _from_objects(data)


def _from_stream(data: Any) -> ArrowRows:  # noqa: ANN401 - whatever has an Arrow C stream
    pyarrow = require("pyarrow", extra="arrow")
    if isinstance(data, pyarrow.RecordBatchReader):
        batches = (batch for batch in data if batch.num_rows)
        return _not_used_up(ArrowRows(data.schema, whole(batches, of=data), n_rows=None))
    try:
        reader = pyarrow.RecordBatchReader.from_stream(data)
    except pyarrow.ArrowInvalid:  # one column without a name
        data = pyarrow.table({TEXT: pyarrow.chunked_array(data)})
        reader = data.to_reader()
    n_rows = len(data) if hasattr(data, "__len__") else None
    return ArrowRows(reader.schema, reader, n_rows=n_rows)


def _from_polars(data: Any) -> PolarsRows:  # noqa: ANN401 - a DataFrame, LazyFrame or Series
    import polars as pl

    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if not isinstance(data, pl.DataFrame | pl.Series):
        raise _no_table(data)
    return PolarsRows(data.to_frame(data.name or TEXT) if isinstance(data, pl.Series) else data)


def _from_objects(data: Any) -> ObjectRows:  # noqa: ANN401 - it is found out here what it is
    is_scalar = getattr(data, "shape", None) == ()  # NumPy's can be asked for an iterator
    if is_scalar or isinstance(data, str | bytes | Mapping) or not isinstance(data, Iterable):
        raise _no_table(data)
    as_list = getattr(data, "to_pylist", None)  # an Arrow array has that
    items: Any = data if as_list is None else as_list()
    if not isinstance(items, Iterator):
        return ObjectRows(items, n_rows=len(items) if isinstance(items, Collection) else None)
    return _not_used_up(ObjectRows(whole(items, of=items), n_rows=None))


def _no_table(data: object) -> FrameError:
    return FrameError(
        f"--over needs a table, not {type(data).__name__}: a DataFrame, a Series, a list or an"
        " iterator"
    )


def _not_used_up(rows: _Rows) -> _Rows:
    if not rows.n_read:
        raise FrameError(
            "the iterator of --over gave no rows; it can be read only once, so make it anew"
        )
    return rows
