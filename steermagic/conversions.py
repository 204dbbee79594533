"""Tables from one library to another. Lists by column stand for rows that are Python objects.

What a library has no type for stays what it is (polars: `Object`) or becomes JSON text (Arrow).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from steermagic.errors import MissingExtraError
from steermagic.nested_types import holds

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    Table: TypeAlias = pd.DataFrame | pl.DataFrame | pa.Table

Lists: TypeAlias = dict[Hashable, list[Any]]

_UNFIT = (ValueError, TypeError, OverflowError, NotImplementedError)  # values that have no type


def convert(table: Any, source: str, kind: str) -> Table:  # noqa: ANN401 - `source` says which
    """Return `table`, which is of kind `source`, as the other `kind`.

    The kinds are "pandas", "polars", "arrow", and as a source "lists". The index of a pandas frame
    becomes the first columns, unless it only counts the rows.

    Raises:
        MissingExtraError: a library that this takes is not installed.
    """
    if source == kind:
        return table
    check_conversion(source, kind)
    return _CONVERSIONS[source, kind](table)


def check_conversion(source: str, kind: str) -> None:
    """Raise `MissingExtraError` if `convert` lacks a library."""
    needed = {source, kind} - {"lists", "pandas"}
    if (source, kind) == ("pandas", "polars"):
        needed.add("arrow")  # polars reads what pandas stores with its help
    for name in sorted(needed):
        require("pyarrow" if name == "arrow" else name, extra=name)


def with_distinct_names(columns: Lists, kind: str, taken: Collection[object]) -> Lists:
    """Return `columns` under names that a table of that kind can have, and none of those `taken`.

    Underscores tell apart what would have one name.
    """
    named = Lists()
    for name, values in columns.items():
        known_as = name if kind == "pandas" else str(name)
        while known_as in taken or known_as in named:
            known_as = f"{known_as}_"
        named[known_as] = values
    return named


def require(library: str, *, extra: str) -> ModuleType:
    """Import an optional library.

    Raises:
        MissingExtraError: it is not installed; `extra` brings it.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise MissingExtraError(library, extra=extra) from None


def index_names(frame: pd.DataFrame) -> list[Hashable]:
    """Return the names of the columns that the index becomes where a table has no index."""
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1):
        return [] if index.name is None else [index.name]
    if index.nlevels == 1:
        return ["index" if index.name is None else index.name]
    return [f"level_{i}" if name is None else name for i, name in enumerate(index.names)]


def arrow_array(values: Any) -> pa.Array:  # noqa: ANN401 - a list, or a pandas Series
    """Return `values` as Arrow has them; what is missing is null."""
    pyarrow = require("pyarrow", extra="arrow")
    try:
        found = pyarrow.array(values, from_pandas=True)
        if _holds_all(values, found.to_pylist):
            return found
    except _UNFIT:
        pass
    # Values of several types have no common Arrow type: their JSON text has.
    texts = (None if v is None else json.dumps(v, default=_json_value) for v in _present(values))
    return pyarrow.array(texts, pyarrow.string())


def _holds_all(values: Any, found: Callable[[], list[object]]) -> bool:  # noqa: ANN401 - as above
    """Tell whether the values that were `found` are those of a list or a Series, uncut."""
    is_typed = not isinstance(values, list) and values.dtype != object
    return is_typed or holds(found(), _present(values))


def _json_value(value: object) -> object:
    """Return what JSON has in place of `value`: of NumPy's the Python value, else its text."""
    plain = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
    return str(plain) if plain is value or isinstance(plain, np.generic) else plain


def _present(values: Any) -> list[Any]:  # noqa: ANN401 - a list, or a pandas Series
    """Return `values` with None for what is missing."""
    if isinstance(values, list):
        return values
    return [None if gap else v for v, gap in zip(values, values.isna(), strict=True)]


def _lists_to_pandas(columns: Lists) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: _pandas_series(values) for name, values in columns.items()})


def _pandas_series(values: list[Any]) -> pd.Series:
    """Return `values` as a column, in which whole numbers stay whole beside missing values."""
    import pandas as pd

    present = [value for value in values if value is not None]
    if present and all(map(_is_whole, present)):
        low, high = min(present), max(present)
        for dtype, lowest, beyond in (("Int64", -(2**63), 2**63), ("UInt64", 0, 2**64)):
            if lowest <= low and high < beyond:
                return pd.Series(values, dtype=dtype)
        return pd.Series(values, dtype=object)
    untyped = pd.Series(values, dtype=object)
    found = untyped.infer_objects()
    pairs = zip(values, found.tolist() if found.dtype.kind in "fc" else (), strict=False)
    is_rounded = any(_is_whole(value) and int(value) != now for value, now in pairs)
    return untyped if is_rounded else found


def _is_whole(value: object) -> bool:
    return type(value) is int or (isinstance(value, np.generic) and value.dtype.kind in "iu")


def _lists_to_polars(columns: Lists) -> pl.DataFrame:
    import polars as pl

    def series(name: Hashable, values: list[Any]) -> pl.Series:
        is_float = {type(value) for value in values if value is not None} == {int, float}
        try:
            found = pl.Series(str(name), values, dtype=pl.Float64 if is_float else None)
            if holds(found.to_list(), values):  # the first values alone decide on the type
                return found
        except (*_UNFIT, pl.exceptions.PolarsError):
            pass
        return pl.Series(str(name), values, dtype=pl.Object)

    return pl.DataFrame([series(name, values) for name, values in columns.items()])


def _lists_to_arrow(columns: Lists) -> pa.Table:
    import pyarrow as pa

    arrays = [arrow_array(values) for values in columns.values()]
    return pa.Table.from_arrays(arrays, names=[str(name) for name in columns])


def _pandas_to_polars(frame: pd.DataFrame) -> pl.DataFrame:
    import polars as pl

    def series(name: Hashable, column: pd.Series) -> pl.Series:
        try:
            found = pl.from_pandas(column).alias(str(name))
            if _holds_all(column, found.to_list):
                return found
        except (*_UNFIT, pl.exceptions.PolarsError):
            pass
        return pl.Series(str(name), _present(column), dtype=pl.Object)

    return pl.DataFrame([series(name, column) for name, column in _with_index(frame).items()])


def _pandas_to_arrow(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    columns = [*_with_index(frame).items()]
    arrays = [arrow_array(column) for _, column in columns]
    return pa.Table.from_arrays(arrays, names=[str(name) for name, _ in columns])


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    names = index_names(frame)
    return frame.reset_index(names=names) if names else frame


def _polars_to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    import pandas as pd
    import polars as pl

    def series(column: pl.Series) -> pd.Series:
        if column.dtype not in (pl.Datetime, pl.Duration):
            return _pandas_series(column.to_list())
        # Python's own moments would lose the nanoseconds.
        moments: pd.Series[Any] = pd.Series(column.to_numpy())
        zone = getattr(column.dtype, "time_zone", None)
        return moments if zone is None else moments.dt.tz_localize("UTC").dt.tz_convert(zone)

    return pd.DataFrame({column.name: series(column) for column in frame})


def _polars_to_arrow(frame: pl.DataFrame) -> pa.Table:
    import polars as pl
    import pyarrow as pa

    # Of Python objects polars would hand over the addresses.
    arrays = [
        arrow_array(column.to_list()) if column.dtype == pl.Object else column.to_arrow()
        for column in frame
    ]
    return pa.Table.from_arrays(arrays, names=frame.columns)


def _arrow_to_pandas(table: pa.Table) -> pd.DataFrame:
    columns = _lists_to_pandas({i: column.to_pylist() for i, column in enumerate(table.columns)})
    return columns.set_axis(table.column_names, axis=1)  # of which two may have one name


def _arrow_to_polars(table: pa.Table) -> pl.DataFrame:
    import polars as pl

    def frame(column: pa.Table) -> pl.DataFrame:
        try:
            return pl.DataFrame(column)
        except (*_UNFIT, pl.exceptions.PolarsError):  # as views of lists
            [name], [values] = column.column_names, column.columns
            return _lists_to_polars({name: values.to_pylist()})

    each = (frame(table.select([nth])) for nth in range(table.num_columns))
    return pl.DataFrame([series for one in each for series in one])


_CONVERSIONS: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("lists", "pandas"): _lists_to_pandas,
    ("lists", "polars"): _lists_to_polars,
    ("lists", "arrow"): _lists_to_arrow,
    ("pandas", "polars"): _pandas_to_polars,
    ("pandas", "arrow"): _pandas_to_arrow,
    ("polars", "pandas"): _polars_to_pandas,
    ("polars", "arrow"): _polars_to_arrow,
    ("arrow", "pandas"): _arrow_to_pandas,
    ("arrow", "polars"): _arrow_to_polars,
}
