"""Values from one library to another: none is rounded or cut without a word."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from steermagic.conversions import convert

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

EAST = timezone(timedelta(hours=1))
DAY, EVENING = date(2024, 5, 1), datetime.fromisoformat("2024-05-02T17:45:00")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([2**60 + 1, None], "Int64"),
        ([np.int64(2**60 + 1), None], "Int64"),
        ([2**63 + 1, None], "UInt64"),
        ([-1, 2**63, None], "object"),
        ([2**64, None], "object"),
        ([2**60 + 1, 2.5], "object"),
        ([1, 2.5, None], "float64"),
        ([True, None], "object"),
        ([np.timedelta64(1, "s")], "timedelta64[s]"),
    ],
)
def test_whole_numbers_stay_whole_in_pandas(values, dtype):
    column = convert({"n": values}, "lists", "pandas")["n"]
    assert column.dtype == dtype
    found = [None if pd.isna(each) else each for each in column.tolist()]
    assert found == values


def test_large_unsigned_integers_of_other_libraries_stay_whole():
    values = [10**19 + 1, None]
    frame = pl.DataFrame({"n": pl.Series(values, dtype=pl.UInt64)})
    for table, source in ((frame, "polars"), (frame.to_arrow(), "arrow")):
        column = convert(table, source, "pandas")["n"]
        assert (column.dtype, column[0]) == ("UInt64", 10**19 + 1)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([time(9, 30, tzinfo=EAST), time(9, 30, tzinfo=UTC)], ["09:30:00+01:00", "09:30:00+00:00"]),
        ([DAY, EVENING], ["2024-05-01", "2024-05-02 17:45:00"]),
        (
            [EVENING.replace(tzinfo=EAST), EVENING],
            ["2024-05-02 17:45:00+01:00", "2024-05-02 17:45:00"],
        ),
    ],
)
def test_times_that_no_type_holds_are_not_cut(values, texts):
    frame = pd.DataFrame({"t": pd.Series(values, dtype=object)})
    for table, source in (({"t": values}, "lists"), (frame, "pandas")):
        assert convert(table, source, "polars")["t"].to_list() == values
        quoted = [f'"{text}"' for text in texts]
        assert convert(table, source, "arrow")["t"].to_pylist() == quoted


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([time(9, 30, tzinfo=UTC), None], pl.Time),
        ([DAY, None], pl.Date),
        ([EVENING.replace(tzinfo=UTC), pd.NaT], pl.Datetime),
        ([timedelta(1), None], pl.Duration),
    ],
)
def test_times_of_one_type_keep_it(values, dtype):
    frame = pd.DataFrame({"t": pd.Series(values, dtype=object)})
    assert convert(frame, "pandas", "polars").schema["t"] == dtype
    assert not pa.types.is_string(convert(frame, "pandas", "arrow").schema.field("t").type)


def test_columns_that_polars_cannot_read_keep_their_values():
    views = pa.array([["a"], None], pa.list_view(pa.string()))
    table = pa.table({"v": views, "n": pa.array([1, 2], pa.int8())})
    frame = convert(table, "arrow", "polars")
    assert frame.schema["n"] == pl.Int8
    assert frame.to_dict(as_series=False) == {"v": [["a"], None], "n": [1, 2]}
