"""What can stand behind `--over`, and what its rows are."""

from __future__ import annotations

import sqlite3
import sys
from collections import UserDict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from steermagic.errors import FrameError, MissingExtraError
from steermagic.tables import read_table


class Point(NamedTuple):
    x: int
    y: int


@dataclass(slots=True)
class Slotted:
    x: int
    y: int


class Model(BaseModel):
    x: int
    y: int


class Hidden:
    """Nothing to see from outside."""

    def __init__(self) -> None:
        self._x = 1


def all_rows(rows):
    return [dict(rows.row(number)) for number in rows.numbers()]


def columns_of(rows):
    """The columns of the pandas frame, missing values as None."""
    table = rows.table()
    return {name: [None if pd.isna(v) else v for v in table[name]] for name in table.columns}


def test_a_list_may_be_empty_and_what_can_be_read_only_once_may_not():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"n": [1, 2]})
    used_up = table.to_reader()
    used_up.read_all()
    for nothing in (iter([]), used_up):
        with pytest.raises(FrameError, match="it can be read only once, so make it anew"):
            read_table(nothing)
    assert columns_of(read_table([])) == {}
    assert columns_of(read_table(table.slice(2))) == {"n": []}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["a", "b"], {"text": ["a", "b"]}),
        (("a",), {"text": ["a"]}),
        ({7: "a", 8: "b"}.values(), {"text": ["a", "b"]}),
        (range(2), {"text": [0, 1]}),
        (np.array(["a", "b"]), {"text": ["a", "b"]}),
        (pd.Index([3, 4]), {"text": [3, 4]}),
        (pd.Series([1, 2], name="n"), {"n": [1, 2]}),
        (pd.Series(["x"]), {"text": ["x"]}),
        ([{"a": 1}, {"b": 2.5}], {"a": [1, None], "b": [None, 2.5]}),
        ([{"a": 1}, "x"], {"a": [1, None], "text": [None, "x"]}),
    ],
)
def test_what_can_be_a_table(data, expected):
    rows = read_table(data)
    assert columns_of(rows) == expected
    assert rows.n_rows == len(data)
    assert rows.columns == tuple(expected)
    if not isinstance(data, pd.Series):
        streamed = read_table(iter(data))
        assert streamed.n_rows is None
        assert [*streamed.numbers()] == [*range(len(data))]
        assert columns_of(streamed) == expected


@pytest.mark.parametrize("data", ["text", b"bytes", 7, None, {"a": [1]}, np.array("a")])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(FrameError, match="--over needs a table"):
        read_table(data)


@pytest.mark.parametrize(
    "item",
    [
        {"x": 1, "y": 2},
        UserDict(x=1, y=2),
        Point(1, 2),
        Slotted(1, 2),
        Model(x=1, y=2),
        SimpleNamespace(x=1, y=2, _hidden=3),
        pd.Series({"x": 1, "y": 2}),
    ],
    ids=lambda item: type(item).__name__,
)
def test_an_item_may_be_anything_with_named_fields(item):
    for data in ([item], iter([item])):
        assert all_rows(read_table(data)) == [{"x": 1, "y": 2}]


def test_rows_of_a_database_have_named_fields():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = read_table(connection.execute("SELECT 1 AS x, 'a' AS y"))
    assert all_rows(rows) == [{"x": 1, "y": "a"}]
    connection.close()


def test_an_object_without_fields_is_itself():
    item = Hidden()
    assert all_rows(read_table([item])) == [{"text": item}]
    assert all_rows(read_table([(1, 2)])) == [{"text": (1, 2)}]


def test_fields_that_an_iterator_brings_later_are_columns_too():
    rows = read_table(iter([{"a": 1}, {"b": 2}]))
    assert rows.columns == ("a",)
    assert all_rows(rows) == [{"a": 1}, {"a": None, "b": 2}]
    assert columns_of(rows) == {"a": [1, None], "b": [None, 2]}


def test_a_later_field_makes_way_for_a_new_column():
    rows = read_table(iter([{"a": 1}, {"b": 2, "b_": 3}]))
    assert [*rows.numbers()] == [0, 1]
    assert [*rows.table(taken=["b"]).columns] == ["a", "b_", "b__"]


def test_of_an_iterator_the_rows_that_were_read_are_known():
    rows = read_table(iter("abcdef"))
    assert rows.n_read == 1
    assert rows.has(2)
    assert not rows.has(-1)
    assert rows.table()["text"].tolist() == ["a", "b", "c"]
    assert not rows.has(6)
    assert rows.n_read == 6


def test_an_iterator_that_breaks_ends_there():
    rows = read_table(1 // n for n in (1, 1, 0, 1))
    assert len([*rows.numbers()]) == 2
    assert str(rows.error) == (
        "row 2 of the data could not be read: ZeroDivisionError: integer division or modulo by zero"
    )
    assert not rows.has(2)


def test_a_frame_keeps_its_index_and_what_is_added_later_stays_out():
    frame = pd.DataFrame({"n": [1, 2]}, index=["r7", "r3"])
    rows = read_table(frame)
    frame["later"] = 0
    assert rows.label(1) == "r3"
    assert rows.columns == ("n",)
    pd.testing.assert_frame_equal(rows.table(), frame[["n"]])


def test_values_of_a_frame_are_python_values():
    frame = pd.DataFrame({"i": [1], "f": [1.5], "b": [True], "t": pd.to_datetime(["2026-01-31"])})
    values = read_table(frame).row(0)
    assert [type(value) for value in values.values()] == [int, float, bool, pd.Timestamp]


def test_polars_frames_give_their_rows():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]})
    for data in (frame, frame.lazy()):
        rows = read_table(data)
        assert rows.n_rows == 2
        assert all_rows(rows) == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
        assert columns_of(rows) == {"a": [1, None], "b": ["x", "y"]}
        assert str(rows.table()["a"].dtype) == "Int64"
        assert rows.table("polars").equals(frame)
    assert all_rows(read_table(frame["a"])) == [{"a": 1}, {"a": None}]
    assert all_rows(read_table(pl.Series([1]))) == [{"text": 1}]


def test_what_is_no_table_of_polars_is_refused():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1]})
    for data in (frame.group_by("a"), frame.lazy().group_by("a"), pl.col("a")):
        with pytest.raises(FrameError, match="--over needs a table, not "):
            read_table(data)


def test_arrow_tables_give_their_rows():
    pa = pytest.importorskip("pyarrow")
    table = pa.concat_tables([pa.table({"a": [1, None]}), pa.table({"a": [3]})])
    rows = read_table(table)
    assert rows.n_rows == 3
    assert all_rows(rows) == [{"a": 1}, {"a": None}, {"a": 3}]
    assert columns_of(rows) == {"a": [1, None, 3]}
    assert rows.table("arrow").equals(table)
    assert all_rows(read_table(table["a"])) == [{"text": 1}, {"text": None}, {"text": 3}]
    assert all_rows(read_table(table["a"].chunk(1))) == [{"text": 3}]


def test_record_batches_are_read_as_they_are_needed():
    pa = pytest.importorskip("pyarrow")
    read = []

    def batches():
        for i in range(4):
            read.append(i)
            yield pa.record_batch({"a": [10 * i, 10 * i + 1]})

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int64()}), batches())
    rows = read_table(reader)
    assert (rows.n_rows, rows.columns, read) == (None, ("a",), [0])
    assert rows.has(3)
    assert rows.row(3) == {"a": 11}
    assert read == [0, 1]
    assert rows.table("arrow")["a"].to_pylist() == [0, 1, 10, 11]
    assert len([*rows.numbers()]) == 8


class Stream:
    """An object of a library that nobody has heard of."""

    def __init__(self, table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class Interchange:
    """The same with the older protocol."""

    def __init__(self, frame) -> None:
        self._frame = frame

    def __dataframe__(self, **options):
        return self._frame.__dataframe__(**options)


class Convertible:
    """The same without a protocol."""

    def to_pandas(self):
        return pd.DataFrame({"a": [1, 2]})


def test_tables_of_other_libraries_are_read_by_their_protocol():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2]})
    for data in (Stream(table), Interchange(table), Convertible()):
        assert all_rows(read_table(data)) == [{"a": 1}, {"a": 2}]


def test_a_library_that_reading_takes_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pyarrow is not installed.*steermagic\[arrow\]"):
        read_table(Stream(None))


def test_an_iterator_may_give_one_dict_again_and_again():
    def numbered():
        row = {}
        for number in range(3):
            row["n"] = number
            yield row

    rows = read_table(numbered())
    assert all_rows(rows) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert columns_of(rows) == {"n": [0, 1, 2]}


def test_arrow_columns_of_one_name_are_both_kept():
    pa = pytest.importorskip("pyarrow")
    rows = read_table(pa.table([[1], [2], [3]], names=["a", "a", "b"]))
    table = rows.table()
    assert [*table.columns] == ["a", "a", "b"]
    assert table.to_numpy().tolist() == [[1, 2, 3]]
    assert rows.row(0)["b"] == 3
    with pytest.raises(FrameError, match="the table has several columns 'a'"):
        str(rows.row(0)["a"])


def test_nanoseconds_of_polars_are_kept():
    pl = pytest.importorskip("polars")
    nanoseconds = pl.Series("n", [1_700_000_000_000_000_001, None])
    frame = pl.DataFrame(
        {
            "at": nanoseconds.cast(pl.Datetime("ns")),
            "there": nanoseconds.cast(pl.Datetime("ns", "Europe/Berlin")),
            "length": nanoseconds.cast(pl.Duration("ns")),
        }
    )
    table = read_table(frame).table()
    assert table["at"][0] == pd.Timestamp(1_700_000_000_000_000_001)
    assert table["there"][0] == pd.Timestamp(1_700_000_000_000_000_001, tz="Europe/Berlin")
    assert str(table["there"].dtype) == "datetime64[ns, Europe/Berlin]"
    assert table["length"][0] == pd.Timedelta(1_700_000_000_000_000_001)
    assert table.isna().sum().tolist() == [1, 1, 1]
