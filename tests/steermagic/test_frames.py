"""Frames: the schema decides the columns and their types, the records never do."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer_engine import JsonValue, read_schema, rows_of
from steermagic.errors import MissingExtraError
from steermagic.frames import to_frame

DTYPES = {
    "word": "str",
    "level": "category",
    "count": "Int64",
    "share": "float64",
    "is_open": "boolean",
    "day": "datetime64[us]",
    "at": "datetime64[us, UTC]",
    "clock": "object",
    "length": "timedelta64[us]",
    "id": "str",
    "mail": "str",
    "page": "str",
    "either": "object",
    "place.city": "str",
    "place.lat": "float64",
    "tags": "object",
    "extra": "object",
}


def nullable(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"anyOf": [schema, {"type": "null"}]}


def text(format_: str) -> dict[str, JsonValue]:
    return {"type": "string", "format": format_}


PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "lat": {"type": "number"}},
    "required": ["city", "lat"],
    "additionalProperties": False,
}
FIELDS: dict[str, JsonValue] = {
    "word": {"type": ["string", "null"]},
    "level": {"enum": ["low", "high", None]},
    "count": {"type": ["integer", "null"]},
    "share": {"type": ["number", "null"]},
    "is_open": {"type": ["boolean", "null"]},
    "day": nullable(text("date")),
    "at": nullable(text("date-time")),
    "clock": nullable(text("time")),
    "length": nullable(text("duration")),
    "id": nullable(text("uuid")),
    "mail": nullable(text("email")),
    "page": nullable(text("uri")),
    "either": {"type": ["string", "integer", "null"]},
    "place": nullable(PLACE),
    "tags": nullable({"type": "array", "items": {"type": "string"}}),
    "extra": {"type": ["object", "null"], "additionalProperties": {"type": "integer"}},
}
SCHEMA = read_schema({"type": "object", "properties": FIELDS, "required": list(FIELDS)})

WORDS = st.text(max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
VALUES: dict[str, st.SearchStrategy[JsonValue]] = {
    "word": WORDS,
    "level": st.sampled_from(["low", "high"]),
    "count": st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9).map(float),
    "share": NUMBERS,
    "is_open": st.booleans(),
    "day": st.dates().map(str),
    "at": st.datetimes(timezones=st.timezones()).filter(lambda t: 1 < t.year < 9999).map(
        lambda t: t.astimezone(tz=None).isoformat().replace("+00:00", "Z")
    ),
    "clock": st.times().map(lambda t: f"{t.isoformat()}Z"),
    "length": st.integers(0, 99).map("P{}D".format) | st.integers(0, 99).map("PT{}M3.5S".format),
    "id": st.uuids().map(str),
    "mail": st.just("a@example.org"),
    "page": st.just("https://example.org/"),
    "either": WORDS | st.integers(),
    "place": st.fixed_dictionaries({"city": WORDS, "lat": NUMBERS}),
    "tags": st.lists(WORDS, max_size=3),
    "extra": st.dictionaries(WORDS, st.integers(), max_size=2),
}  # fmt: skip
RECORDS = st.fixed_dictionaries({name: st.none() | value for name, value in VALUES.items()})


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=4))
def test_the_schema_alone_decides_the_dtypes(records):
    frame = to_frame(records, SCHEMA)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert list(frame.columns) == list(DTYPES)
    assert len(frame) == len(records)


def test_zero_rows_have_all_columns():
    assert {n: str(d) for n, d in to_frame([[]], rows_of(SCHEMA)).dtypes.items()} == DTYPES


def test_values_arrive():
    record: dict[str, JsonValue] = dict.fromkeys(FIELDS)
    record |= {
        "word": "é",
        "level": "low",
        "count": 2.0,
        "share": 1,
        "is_open": True,
        "day": "2026-01-31",
        "at": "2026-01-31T01:00:00+02:00",
        "clock": "09:30:00Z",
        "length": "P1DT2H",
        "place": {"city": "Ulm", "lat": 48.4},
        "tags": ["a"],
    }
    first, second = to_frame([record, dict.fromkeys(FIELDS)], SCHEMA).to_dict("records")
    assert first["count"] == 2
    assert first["level"] == "low"
    assert first["day"] == pd.Timestamp("2026-01-31")
    assert first["at"] == pd.Timestamp("2026-01-30T23:00Z")
    assert first["clock"].replace(tzinfo=None) == time(9, 30)
    assert first["length"] == pd.Timedelta(hours=26)
    assert (first["place.city"], first["tags"]) == ("Ulm", ["a"])
    assert all(pd.isna(value) for value in second.values())


def test_categories_are_all_values_in_the_schemas_order():
    frame = to_frame([{"level": "high"}], SCHEMA)
    assert list(frame["level"].cat.categories) == ["low", "high"]


def test_a_list_gives_a_row_for_each_item():
    assert to_frame([[{"word": "a"}, {"word": "b"}]], rows_of(SCHEMA))["word"].tolist() == [
        "a",
        "b",
    ]


def test_scalars_make_one_column():
    assert to_frame(["a"], read_schema({"type": "string"}))["value"].tolist() == ["a"]
    many = read_schema({"type": "array", "items": {"type": "integer"}})
    assert to_frame([[1, 2]], many)["value"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 2**63),
        ("day", "0000-01-01"),
        ("at", "2016-12-31T23:59:60Z"),
        ("at", "2024-05-01T12:00:00.123456789Z"),
        ("length", "PT0.0000001S"),
        ("length", "P1M"),
        ("length", "P"),
        ("length", "P200000000D"),
    ],
)
def test_a_value_that_no_dtype_can_hold_is_kept_as_it_is(field, value):
    frame = to_frame([{field: value}, {field: None}], SCHEMA)
    assert frame[field].dtype == object
    assert frame[field][0] == value


def test_microseconds_arrive():
    record = {"at": "2024-05-01T12:00:00.123456000Z", "length": "P9999DT1M0.1234560S"}
    [at], [length] = (to_frame([record], SCHEMA)[name] for name in record)
    assert at == datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert length == timedelta(days=9999, minutes=1, microseconds=123456)


def test_a_number_beyond_floats_is_kept_as_it_is():
    assert to_frame([{"share": 10**400}], SCHEMA)["share"][0] == 10**400


def test_half_a_surrogate_pair_can_be_stored():
    assert to_frame([{"word": "a\ud800"}], SCHEMA)["word"][0] == "a?"


def test_rows_repeat_the_rest():
    schema = read_schema("vendor: str, lines: list[{name: str, price: float}]")
    record = {"vendor": "A", "lines": [{"name": "x", "price": 1}, {"name": "y", "price": 2}]}
    frame = to_frame([record], schema, rows="lines")
    assert frame.to_dict("list") == {
        "vendor": ["A", "A"],
        "lines.name": ["x", "y"],
        "lines.price": [1.0, 2.0],
    }


@pytest.mark.parametrize(("form", "library"), [("polars", "polars"), ("arrow", "pyarrow")])
def test_a_library_that_is_missing_is_named_with_its_extra(form, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError) as caught:
        to_frame([], SCHEMA, as_=form)
    assert str(caught.value) == (
        f'{library} is not installed; run: pip install "steermagic[{form}]"'
    )


def test_an_arrow_table_has_the_same_columns():
    pytest.importorskip("pyarrow")
    records: list[JsonValue] = [{"word": "a", "count": 1, "either": "b"}, {"either": 1}]
    table = to_frame(records, SCHEMA, as_="arrow")
    assert table.column_names == list(DTYPES)
    assert table["count"].to_pylist() == [1, None]
    assert table["either"].to_pylist() == ['"b"', "1"]
    assert table.schema.metadata is None


ARROW_FIELDS = read_schema(
    """
    word: str
    level: "low" | "high" | None
    count: int | None
    share: float
    is_open: bool | None
    day: date | None
    at: datetime | None
    clock: time | None
    tags: list[str]
    levels: list["a" | "b"]
    lines: list[{name: str, price: float | None}]
    extra: dict[str, int]
    extras: list[dict[str, int]]
    either: str | int
    """
).document["properties"]
ARROW_SCHEMA = read_schema(
    {"type": "object", "properties": {**ARROW_FIELDS, "length": FIELDS["length"]}}
)
ARROW_RECORD: dict[str, JsonValue] = {
    "word": "a\ud800",
    "level": "high",
    "count": 2.0,
    "share": 1,
    "is_open": True,
    "day": "2026-01-31",
    "at": "2026-01-31T01:00:00+02:00",
    "clock": "09:30:00Z",
    "length": "P1D",
    "tags": ["x"],
    "levels": ["b"],
    "lines": [{"name": "pen", "price": 2}],
    "extra": {"k": 1},
    "extras": [{}],
    "either": "b",
}


@pytest.mark.parametrize("records", [[], [dict.fromkeys(ARROW_RECORD)], [ARROW_RECORD]])
def test_the_schema_alone_decides_the_types_of_arrow(records):
    pytest.importorskip("pyarrow")
    types = {f.name: str(f.type) for f in to_frame(records, ARROW_SCHEMA, as_="arrow").schema}
    assert types == {
        "word": "string",
        "level": "dictionary<values=string, indices=int32, ordered=0>",
        "count": "int64",
        "share": "double",
        "is_open": "bool",
        "day": "timestamp[us]",
        "at": "timestamp[us, tz=UTC]",
        "clock": "time64[us]",
        "length": "duration[us]",
        "tags": "list<item: string>",
        "levels": "list<item: string>",
        "lines": "list<item: struct<name: string, price: double>>",
        "extra": "string",
        "extras": "string",
        "either": "string",
    }


def test_values_arrive_in_arrow():
    pytest.importorskip("pyarrow")
    table = to_frame([ARROW_RECORD], ARROW_SCHEMA, as_="arrow")
    [row] = table.to_pylist()
    assert (row["word"], row["level"], row["count"], row["share"]) == ("a?", "high", 2, 1.0)
    assert row["at"] == pd.Timestamp("2026-01-30T23:00Z")
    assert (row["clock"], row["length"]) == (time(9, 30), pd.Timedelta(days=1))
    assert row["lines"] == [{"name": "pen", "price": 2.0}]
    assert (row["extra"], row["extras"], row["either"]) == ('{"k": 1}', "[{}]", '"b"')
    assert table["level"].chunk(0).dictionary.to_pylist() == ["low", "high"]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("count", 2**70, str(2**70)),
        ("day", "0000-01-01", "0000-01-01"),
        ("length", "P200000000D", "P200000000D"),
        ("clock", "09:30:00+02:00", "09:30:00+02:00"),
        ("clock", "09:30:00.1234567Z", "09:30:00.1234567Z"),
        ("tags", ["\ud800"], '["\\ud800"]'),
    ],
)
def test_a_value_that_no_type_of_arrow_can_hold_is_text(field, value, text):
    pytest.importorskip("pyarrow")
    table = to_frame([{field: value}, {field: None}], ARROW_SCHEMA, as_="arrow")
    assert table[field].to_pylist() == [text, None]
