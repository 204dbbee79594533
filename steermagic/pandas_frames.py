"""Columns -> a pandas DataFrame, with one dtype for each kind of column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from steer_engine import Column, ColumnKind, JsonValue
from steermagic.temporal import read_date, read_datetime, read_duration, read_time

if TYPE_CHECKING:
    import pandas as pd

_Values: TypeAlias = Sequence[Any]  # a column's kind says what they are; types cannot
_INT64 = range(-(2**63), 2**63)


def make_frame(
    plan: Sequence[Column], values: Sequence[Sequence[JsonValue]], *, n_rows: int
) -> pd.DataFrame:
    """Return the frame whose columns are `plan`, filled with `values`."""
    import pandas as pd

    index = pd.RangeIndex(n_rows)
    series = {
        column.name: make_series(column, column_values).set_axis(index)
        for column, column_values in zip(plan, values, strict=True)
    }
    return pd.DataFrame(series, index=index, columns=[column.name for column in plan])


def make_series(column: Column, values: _Values) -> pd.Series:
    """Return `values` with the dtype of the column's kind.

    Where a value does not fit that dtype, the column is `object` and holds `values` as they are.
    """
    import pandas as pd

    if column.kind is ColumnKind.CATEGORY:
        return pd.Series(pd.Categorical(values, categories=list(column.categories)))
    convert = _CONVERTERS.get(column.kind, _objects)
    try:
        return convert(values)
    except (ValueError, OverflowError):
        return _objects(values)


def _objects(values: _Values) -> pd.Series:
    import pandas as pd

    return pd.Series(list(values), dtype=object)


def _strings(values: _Values) -> pd.Series:
    import pandas as pd

    # Half of a surrogate pair is valid JSON, but no text that can be stored or printed.
    texts = [None if v is None else str(v).encode("utf-8", "replace").decode() for v in values]
    return pd.Series(texts, dtype=pd.StringDtype(na_value=math.nan))  # `str` since pandas 3


def _integers(values: _Values) -> pd.Series:
    import pandas as pd

    numbers = _read(values, int)  # 2.0 is an integer to JSON Schema
    if not all(v is None or v in _INT64 for v in numbers):
        raise OverflowError("beyond 64 bits")
    return pd.Series(pd.array(numbers, dtype="Int64"))


def _floats(values: _Values) -> pd.Series:
    import pandas as pd

    return pd.Series(
        [float(v) if isinstance(v, int | float) else math.nan for v in values], dtype="float64"
    )


def _booleans(values: _Values) -> pd.Series:
    import pandas as pd

    return pd.Series(pd.array(list(values), dtype="boolean"))


def _times(values: _Values) -> pd.Series:
    return _objects(_read(values, read_time))


def _dates(values: _Values) -> pd.Series:
    return _numpy(_read(values, read_date), "datetime64[us]")


def _datetimes(values: _Values) -> pd.Series:
    # numpy knows no zones; the moments are in UTC already.
    naive = _read(values, lambda text: read_datetime(text).replace(tzinfo=None))
    moments: pd.Series = _numpy(naive, "datetime64[us]").dt.tz_localize("UTC")
    return moments


def _durations(values: _Values) -> pd.Series:
    return _numpy(_read(values, read_duration), "timedelta64[us]")


def _read(values: _Values, read: Callable[[Any], object]) -> list[Any]:
    return [None if value is None else read(value) for value in values]


def _numpy(values: Sequence[object], dtype: str) -> pd.Series:
    import pandas as pd

    series: pd.Series = pd.Series(np.array(values, dtype=dtype))  # None becomes NaT
    return series


_CONVERTERS: Mapping[ColumnKind, Callable[[_Values], pd.Series]] = {
    ColumnKind.STRING: _strings,
    ColumnKind.UUID: _strings,
    ColumnKind.EMAIL: _strings,
    ColumnKind.URI: _strings,
    ColumnKind.INTEGER: _integers,
    ColumnKind.NUMBER: _floats,
    ColumnKind.BOOLEAN: _booleans,
    ColumnKind.DATE: _dates,
    ColumnKind.DATETIME: _datetimes,
    ColumnKind.TIME: _times,
    ColumnKind.DURATION: _durations,
}
