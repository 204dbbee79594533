"""Polars frames have typed lists, and types that the data does not decide."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer_engine import JsonValue, read_schema
from steermagic.frames import to_frame

pl = pytest.importorskip("polars")

SCHEMA = read_schema(
    """
    word: str
    level: "low" | "high" | None
    count: int | None
    share: float
    is_open: bool
    day: date | None
    at: datetime | None
    clock: time | None
    tags: list[str]
    levels: list["a" | "b"]
    scores: list[float]
    lines: list[{name: str, price: float | None}]
    extra: dict[str, int]
    """
)
DTYPES = {
    "word": pl.String,
    "level": pl.Enum(["low", "high"]),
    "count": pl.Int64,
    "share": pl.Float64,
    "is_open": pl.Boolean,
    "day": pl.Date,
    "at": pl.Datetime("us", "UTC"),
    "clock": pl.Time,
    "tags": pl.List(pl.String),
    "levels": pl.List(pl.Enum(["a", "b"])),
    "scores": pl.List(pl.Float64),
    "lines": pl.List(pl.Struct({"name": pl.String, "price": pl.Float64})),
    "extra": pl.Object,
}
NUMBERS = st.floats(allow_nan=False) | st.integers(-9, 9)
LINE = st.fixed_dictionaries({"name": st.text(max_size=3), "price": st.none() | NUMBERS})
RECORDS = st.fixed_dictionaries(
    {
        "word": st.text(max_size=3),
        "level": st.sampled_from(["low", "high", None]),
        "count": st.none() | st.integers(-9, 9),
        "share": NUMBERS,
        "is_open": st.booleans(),
        "day": st.none() | st.dates().map(str),
        "at": st.none() | st.just("2026-01-31T01:00:00+02:00"),
        "clock": st.none() | st.just("09:30:00Z"),
        "tags": st.lists(st.text(max_size=3), max_size=2),
        "levels": st.lists(st.sampled_from("ab"), max_size=2),
        "scores": st.lists(NUMBERS, max_size=3),
        "lines": st.lists(LINE, max_size=2),
        "extra": st.just({"a": 1}),
    }
)


@settings(max_examples=40, deadline=None)
@given(st.lists(RECORDS, max_size=3))
def test_the_schema_alone_decides_the_dtypes(records):
    assert dict(to_frame(records, SCHEMA, as_="polars").schema) == DTYPES


def test_a_value_that_no_dtype_can_hold_is_kept_as_it_is():
    frame = to_frame([{"count": 2**70, "day": "0000-01-01"}], SCHEMA, as_="polars")
    assert frame["count"].to_list() == [2**70]
    assert frame["day"].to_list() == ["0000-01-01"]


def test_the_offset_of_a_time_is_kept():
    frame = to_frame([{"clock": "09:30:00Z"}, {"clock": "09:30:00+02:00"}], SCHEMA, as_="polars")
    assert frame["clock"].to_list() == ["09:30:00Z", "09:30:00+02:00"]


def test_a_duration_beyond_64_bits_is_kept():
    duration = {"type": "string", "format": "duration"}
    schema = read_schema({"type": "object", "properties": {"d": duration}})
    frame = to_frame([{"d": "P200000000D"}], schema, as_="polars")
    assert frame["d"].to_list() == ["P200000000D"]


def test_a_recursive_list_has_no_dtype():
    schema = read_schema(
        {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
        }
    )
    record = {"children": [{"children": []}]}
    assert to_frame([record], schema, as_="polars")["children"].to_list() == [record["children"]]


@pytest.mark.parametrize("as_", ["polars", "arrow"])
def test_keys_that_a_type_has_no_room_for_are_kept(as_):
    """An open object in a list lost the keys that its schema does not name."""
    line = {"type": "object", "properties": {"n": {"type": "string"}}}
    items = {"type": "array", "items": {"type": "array", "items": line}}
    schema = read_schema({"type": "object", "properties": {"l": items}})
    lines: list[JsonValue] = [[{"n": "x", "colour": "red"}], [{"n": "y"}, {}]]
    table = to_frame([{"l": lines}, {"l": None}], schema, as_=as_)
    [found, missing] = table["l"].to_list() if as_ == "polars" else table["l"].to_pylist()
    assert (found if as_ == "polars" else json.loads(found), missing) == (lines, None)
    table = to_frame([{"l": lines[1:]}], schema, as_=as_)
    assert "struct" in str(table.schema).lower()


@pytest.mark.parametrize("as_", ["polars", "arrow"])
def test_what_stands_beside_a_reference_is_in_the_type(as_):
    base = {"type": "object", "properties": {"n": {"type": "string"}}}
    item = {"$ref": "#/$defs/Base", "properties": {"x": {"type": "integer"}}}
    fields = {"l": {"type": "array", "items": item}}
    schema = read_schema({"type": "object", "properties": fields, "$defs": {"Base": base}})
    records: list[JsonValue] = [{"l": [{"n": "a", "x": 1}]}]
    table = to_frame(records, schema, as_=as_)
    assert (table.to_dicts() if as_ == "polars" else table.to_pylist()) == records


@pytest.mark.parametrize("items", [{"type": "object"}, {"type": ["string", "integer"]}])
def test_a_list_of_anything_has_no_dtype(items):
    schema = read_schema(
        {"type": "object", "properties": {"all": {"type": "array", "items": items}}}
    )
    frame = to_frame([{"all": [{"a": 1}]}, {"all": None}], schema, as_="polars")
    assert frame.schema["all"] == pl.Object
    assert frame["all"].to_list() == [[{"a": 1}], None]
