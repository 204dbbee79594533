"""Answers joined to their table: every kind of table, into every kind of table."""

from __future__ import annotations

import math
import sys
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from steer_engine import JsonValue, read_schema, rows_of
from steermagic.errors import FrameError, MissingExtraError
from steermagic.frames import to_frame
from steermagic.joining import check_columns, join
from steermagic.tables import read_table

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

SCHEMA = read_schema(
    """
    level: "low" | "high"
    count: int | None
    day: date | None
    at: datetime | None
    place: {city: str, lat: float}
    tags: list[str]
    """
)
RECORD: dict[str, JsonValue] = {
    "level": "high",
    "count": 2,
    "day": "2026-01-31",
    "at": "2026-01-31T01:00:00+02:00",
    "place": {"city": "Ulm", "lat": 48.4},
    "tags": ["a"],
}
INVOICE = read_schema("vendor: str, lines: list[{name: str, price: float}]")
LINES = [{"name": "pen", "price": 1.5}, {"name": "ink", "price": 2}]
KINDS = ("pandas", "polars", "arrow")
GIVEN = {"n": [1, 2, 3], "text": ["x", "y", "z"]}
SOURCES = {
    "pandas": lambda: pd.DataFrame(GIVEN),
    "polars": lambda: pl.DataFrame(GIVEN),
    "arrow": lambda: pa.table(GIVEN),
    "reader": lambda: pa.table(GIVEN).to_reader(),
    "list": lambda: pd.DataFrame(GIVEN).to_dict("records"),
    "iterator": lambda: iter(pd.DataFrame(GIVEN).to_dict("records")),
}


def joined(data, records, schema=SCHEMA, *, as_="pandas", rows=None):
    over = read_table(data)
    check_columns(over, schema, as_=as_, rows=rows)
    assert len([*over.numbers()]) == len(records)
    return join(over, records, schema, as_=as_, rows=rows)


def dicts(table):
    """The rows of a table of any kind as dicts, missing values as None."""
    if isinstance(table, pd.DataFrame):
        rows = table.astype(object).to_dict("records")
        return [{k: None if pd.api.types.is_scalar(v) and pd.isna(v) else v for k, v in r.items()}
                for r in rows]  # fmt: skip
    return table.to_dicts() if isinstance(table, pl.DataFrame) else table.to_pylist()


@pytest.mark.parametrize("as_", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_table_is_joined_into_every_kind(source, as_):
    table = joined(SOURCES[source](), [RECORD, None, RECORD], as_=as_)
    first, second, third = dicts(table)
    given = [{"n": 1, "text": "x"}, {"n": 2, "text": "y"}, {"n": 3, "text": "z"}]
    assert [{name: row[name] for name in GIVEN} for row in (first, second, third)] == given
    assert first["level"] == "high"
    assert first["count"] == 2
    assert pd.Timestamp(first["day"]) == pd.Timestamp("2026-01-31")
    assert pd.Timestamp(first["at"]) == pd.Timestamp("2026-01-30T23:00Z")
    assert (first["place.city"], first["place.lat"]) == ("Ulm", 48.4)
    assert [*first["tags"]] == ["a"]
    assert {name: second[name] for name in second if name not in GIVEN} == dict.fromkeys(
        ("level", "count", "day", "at", "place.city", "place.lat", "tags")
    )
    assert third == {**first, "n": 3, "text": "z"}


@pytest.mark.parametrize("as_", KINDS)
@pytest.mark.parametrize("records", [[], [None], [RECORD], [RECORD, None]])
def test_the_schema_alone_decides_the_new_dtypes(as_, records):
    texts = pd.DataFrame({"text": ["x"] * len(records)})
    table = joined(texts, records, as_=as_)
    alone = to_frame([], SCHEMA, as_=as_)
    if as_ == "arrow":
        assert [*table.schema][1:] == [*alone.schema]
        return
    new, old = (dict(zip(t.columns, t.dtypes, strict=True)) for t in (table, alone))
    assert {name: new[name] for name in old} == old


@pytest.mark.parametrize("as_", KINDS)
def test_rows_repeats_the_row_of_the_table_for_each_item(as_):
    records: list[JsonValue] = [
        {"vendor": "A", "lines": LINES},
        {"vendor": "B", "lines": []},
        None,
        {"vendor": "C", "lines": LINES[:1]},
    ]
    table = joined(list("wxyz"), records, INVOICE, as_=as_, rows="lines")
    assert dicts(table) == [
        {"text": "w", "vendor": "A", "lines.name": "pen", "lines.price": 1.5},
        {"text": "w", "vendor": "A", "lines.name": "ink", "lines.price": 2.0},
        {"text": "y", "vendor": None, "lines.name": None, "lines.price": None},
        {"text": "z", "vendor": "C", "lines.name": "pen", "lines.price": 1.5},
    ]


@pytest.mark.parametrize("as_", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_where_no_row_has_an_answer_the_columns_are_left(source, as_):
    """Arrow did not know of which type no numbers are."""
    table = joined(SOURCES[source](), [[], [], []], rows_of(read_schema("a: int")), as_=as_)
    assert (dicts(table), table.shape) == ([], (0, 3))


@pytest.mark.parametrize("as_", KINDS)
def test_a_list_of_answers_repeats_its_row(as_):
    table = joined(list("xyz"), [[1, 2], [], None], rows_of(read_schema("int")), as_=as_)
    assert dicts(table) == [
        {"text": "x", "value": 1},
        {"text": "x", "value": 2},
        {"text": "z", "value": None},
    ]


def test_lists_in_a_list_are_not_taken_apart():
    schema = read_schema(
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}
    )
    table = joined(["x"], [[[1, 2], [3]]], schema)
    assert table["text"].tolist() == ["x", "x"]
    assert table["value"].tolist() == [[1, 2], [3]]


def test_the_index_is_kept_and_repeated():
    frame = pd.DataFrame({"a": ["x", "y", "z"]}, index=pd.Index([5, 5, 6], name="key"))
    table = joined(frame, [["p", "q"], [], None], rows_of(read_schema("str")))
    assert [*table.index] == [5, 5, 6]
    assert table.index.name == "key"
    assert table["a"].tolist() == ["x", "x", "z"]
    assert joined(frame, ["p", "q", "r"], read_schema("str")).index.equals(frame.index)


@pytest.mark.parametrize("as_", ["polars", "arrow"])
@pytest.mark.parametrize(
    ("index", "names"),
    [
        (None, []),
        (pd.Index([7, 9]), ["index"]),
        (pd.Index(["p", "q"], name="key"), ["key"]),
        (pd.MultiIndex.from_tuples([(1, 2), (3, 4)], names=["a", None]), ["a", "level_1"]),
    ],
)
def test_where_a_table_has_no_index_it_is_a_column(index, names, as_):
    frame = pd.DataFrame({0: ["x", "y"]}, index=index)
    table = joined(frame, [1, 2], read_schema("int"), as_=as_)
    columns = table.columns if as_ == "polars" else table.column_names
    assert [*columns] == [*names, "0", "value"]


@pytest.mark.parametrize("as_", ["polars", "arrow"])
def test_values_that_no_type_holds_survive(as_):
    mixed = [{"v": 1, "d": {"a": 1}, "f": 1}, {"v": "x", "d": None, "f": 2.5}]
    for data in (mixed, iter(mixed), pd.DataFrame(mixed)):
        table = joined(data, [1, 2], read_schema("int"), as_=as_)
        first, second = dicts(table)
        assert (first["v"], second["v"]) == ((1, "x") if as_ == "polars" else ("1", '"x"'))
        assert (first["d"], second["d"]) == ({"a": 1}, None)
        assert (first["f"], second["f"]) == (1.0, 2.5)


@pytest.mark.parametrize(
    "values",
    [
        [{"a": 1}, {"b": 2}],
        [{}, {"a": {"b": 1}}],
        [[1], [2.5]],
        [[{"a": 1}], [{"a": True}]],
        [1, True],
        [1, math.inf, 2**60 + 1],
    ],
)
def test_a_later_value_is_not_cut_to_the_type_of_the_first(values):
    """polars takes the type of the first ones, and drops what it has no room for."""
    table = joined([{"v": value} for value in values], [1] * len(values), read_schema("int"),
                   as_="polars")  # fmt: skip
    found = table["v"].to_list()
    assert [*map(repr, found)] == [*map(repr, values)]


def test_nested_values_of_one_type_keep_it():
    rows = [{"v": [{"a": 1.5, "t": "x"}]}, {"v": [{"a": math.nan, "t": None}]}, {"v": None}]
    table = joined(rows, [1, 2, 3], read_schema("int"), as_="polars")
    assert table.schema["v"] == pl.List(pl.Struct({"a": pl.Float64, "t": pl.String}))


def test_complex_numbers_survive():
    """Their column raised an error of Arrow's when all rows had been answered."""
    column = pd.Series([1 + 2j, 3j])
    for values in (column, column.tolist()):
        data = pd.DataFrame({"z": values}) if values is column else [{"z": z} for z in values]
        for as_, expected in (("polars", [1 + 2j, 3j]), ("arrow", ['"(1+2j)"', '"3j"'])):
            table = joined(data, [1, 2], read_schema("int"), as_=as_)
            assert [row["z"] for row in dicts(table)] == expected


def test_what_is_numpys_is_written_as_pythons_in_arrow():
    values = [np.int64(1), np.array([True]), np.float32(0.5), np.longdouble(2), "x"]
    frame = pd.DataFrame({"o": pd.Series(values, dtype=object)})
    table = joined(frame, [1] * 5, read_schema("int"), as_="arrow")
    assert table["o"].to_pylist() == ["1", "[true]", "0.5", '"2.0"', '"x"']


def test_python_objects_of_polars_are_texts_in_arrow():
    frame = pl.DataFrame([pl.Series("o", [{"a": 1}, "x"], dtype=pl.Object)])
    assert joined(frame, [1, 2], read_schema("int"), as_="arrow")["o"].to_pylist() == [
        '{"a": 1}',
        '"x"',
    ]


def test_dtypes_of_the_table_are_kept_in_its_own_library():
    at = [datetime(2026, 1, 31, tzinfo=UTC)]
    given = {"day": [date(2026, 1, 31)], "at": at, "level": ["a"]}
    frame = pl.DataFrame(given, schema_overrides={"level": pl.Enum(["a", "b"])})
    new = joined(frame, [1], read_schema("int"), as_="polars")
    assert new.select(frame.columns).equals(frame)
    assert new.schema["level"] == pl.Enum(["a", "b"])
    table = frame.to_arrow()
    assert joined(table, [1], read_schema("int"), as_="arrow").select(frame.columns).equals(table)


@pytest.mark.parametrize(
    "views",
    [
        pa.array(["x", "y"], pa.string_view()),
        pa.array([b"x", b"y"], pa.binary_view()),
        pa.array([["x"], []], pa.list_view(pa.string())),
    ],
)
def test_views_of_arrow_are_repeated_as_others_are(views):
    table = joined(pa.table({"v": views}), [[1, 2], [3]], read_schema("[int]"), as_="arrow")
    first, second = views.to_pylist()
    assert table.schema.field("v").type == views.type
    assert table["v"].to_pylist() == [first, first, second]


@pytest.mark.parametrize("as_", KINDS)
def test_a_new_column_needs_a_name_of_its_own(as_):
    with pytest.raises(FrameError, match=r"the table has a column or index 'lines\.name' already"):
        joined([{"lines.name": 1}], [None], INVOICE, as_=as_, rows="lines")


def test_an_index_that_becomes_a_column_needs_a_name_of_its_own():
    frame = pd.DataFrame({"a": [1]}, index=pd.Index([7], name="value"))
    with pytest.raises(FrameError, match="the table has a column or index 'value' already"):
        joined(frame, [1], read_schema("int"), as_="polars")


def test_a_name_of_the_index_is_no_name_for_a_column():
    """The frame could neither be sorted by it nor given another index."""
    frame = pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(7, 8)], names=["k", None]))
    with pytest.raises(FrameError, match="the table has a column or index 'k' already"):
        joined(frame, [{"k": 1}], read_schema("k: int"))
    assert joined(frame, [1], read_schema("int"))["value"].tolist() == [1]


def test_two_columns_of_one_name_are_for_pandas_alone():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert [*joined(frame, [1], read_schema("int")).columns] == ["a", "a", "value"]
    with pytest.raises(FrameError, match="two columns 'a', which --as arrow cannot have"):
        joined(frame, [1], read_schema("int"), as_="arrow")


@pytest.mark.parametrize("as_", KINDS)
def test_a_field_that_an_iterator_brings_late_loses_no_run(as_):
    rows = read_table(iter([{"a": 1}, {"a": 2, "value": "late"}]))
    check_columns(rows, read_schema("int"), as_=as_, rows=None)
    assert [*rows.numbers()] == [0, 1]
    assert dicts(join(rows, [7, 8], read_schema("int"), as_=as_, rows=None)) == [
        {"a": 1, "value_": None, "value": 7},
        {"a": 2, "value_": "late", "value": 8},
    ]


def test_a_library_that_is_missing_is_told_before_the_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    frame = pd.DataFrame({"a": ["x"]})
    with pytest.raises(MissingExtraError, match="pyarrow is not installed"):
        joined(frame, [1], read_schema("int"), as_="polars")
    assert joined(["x"], [1], read_schema("int"), as_="polars").to_dicts() == [
        {"text": "x", "value": 1}
    ]
