"""Examples are valid under the schema that was inferred from them."""

import datetime as dt
import enum
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import SchemaError, read_schema, validation_error, write_notation
from steermagic.inference import infer_schema

texts = st.one_of(
    st.sampled_from(["low", "high", "2026-01-31", "a@b.example", "https://a.example", "x:y"]),
    st.text(max_size=5),
)
scalars = st.one_of(texts, st.integers(), st.floats(-1e9, 1e9), st.booleans(), st.none())
names = st.sampled_from(["a", "b", "a b", "ü"])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=3)),
    max_leaves=12,
)
records = st.dictionaries(names, values, min_size=1, max_size=4)


def filled(value, like):
    """`value` with null for what it lacks beside the examples `like`."""
    dicts = [each for each in like if isinstance(each, dict)]
    if isinstance(value, dict):
        keys = dict.fromkeys(key for each in dicts for key in each)
        return {key: filled(value.get(key), [each.get(key) for each in dicts]) for key in keys}
    if isinstance(value, list):
        lists = [each for each in like if isinstance(each, list)]
        return [filled(item, [i for each in lists for i in each]) for item in value]
    return value


@given(st.one_of(records, st.lists(records, min_size=1, max_size=5)))
def test_an_example_is_valid_under_its_schema(example):
    schema = infer_schema(example)
    assert validation_error(schema, filled(example, [example])) is None
    assert infer_schema(json.dumps(example)) == schema


@pytest.mark.parametrize(
    ("example", "notation"),
    [
        ({"n": 1, "x": 1.5, "ok": True, "t": "a"}, "n: int\nx: float\nok: bool\nt: str"),
        ({"d": "2026-01-31", "m": "a@b.example"}, "d: date\nm: email"),
        ({"u": "https://a.example/x", "s": "note:done"}, "u: url\ns: str"),
        ({"when": "2026-01-31T09:30:00Z"}, "when: datetime"),
        ({"a": None, "b": []}, "a: str | None\nb: list"),
        ({"a": [1, 2.5, None]}, "a: list[float | None]"),
        ({"a": [1, "x"]}, "a: list[int | str]"),
        ({"a": {"b": {"c": 1}}}, "a: {\n    b: {\n        c: int\n    }\n}"),
        ([{"a": 1}, {"b": 2}], "[\n    a: int | None\n    b: int | None\n]"),
        ([{"s": w} for w in ["low", "high"] * 3], '[\n    s: "low" | "high"\n]'),
        ([{"s": w} for w in ["low", "high"]], "[\n    s: str\n]"),
    ],
)
def test_types_are_those_of_the_notation(example, notation):
    assert write_notation(infer_schema(example)) == notation


def test_a_frame_tells_its_types():
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], "Int64"),
            "x": [0.5, float("nan")],
            "t": ["a", None],
            "day": [dt.date(2026, 1, 31), None],
            "when": pd.to_datetime(["2026-01-31T09:30", None]),
            "mood": pd.Categorical(["good", None], categories=["good", "bad"]),
            "size": pd.Categorical(["S", "M"]),
            "price": [Decimal("1.5"), Decimal(2)],
            "tags": [np.array(["a"]), np.array(["b", "c"])],
            "kind": [enum.Enum("Kind", {"A": "a"})("a"), "b"],
            7: [dt.timedelta(1), dt.timedelta(2)],
        }
    )
    assert write_notation(infer_schema(frame)) == (
        "n: int | None\nx: float | None\nt: str | None\nday: date | None\nwhen: datetime | None\n"
        'mood: "good" | "bad" | None\nsize: "M" | "S"\nprice: float\ntags: list[str]\nkind: str\n'
        '"7": str'
    )


def test_categories_are_the_values_that_the_rows_have():
    frame = pd.DataFrame(
        {
            "stars": pd.Categorical([1, 2], categories=[1, 2, 3]),
            "ok": pd.Categorical([True, False]),
            "when": pd.Categorical(pd.to_datetime(["2026-01-31", "2026-02-01"])),
            "age": pd.cut(pd.Series([5, 50]), [0, 18, 99]),
        }
    )
    schema = infer_schema(frame)
    assert schema.document["properties"]["stars"] == {"enum": [1, 2, 3]}
    row = {"stars": 1, "ok": True, "when": "2026-01-31T00:00:00Z", "age": "(0, 18]"}
    assert validation_error(schema, row) is None


def test_a_polars_frame_and_a_series_are_tables():
    polars = pytest.importorskip("polars")
    assert write_notation(infer_schema(polars.DataFrame({"a": [1, None]}))) == "a: int | None"
    assert write_notation(infer_schema(pd.Series([True], name="ok"))) == "ok: bool"


SORTED = {
    "cat": ["a"] * 500 + ["b"] * 500 + ["c"] * 500,
    "flat": ["x", "y"] * 500 + [f"z{n}" for n in range(500)],
    "n": [1] * 1450 + [None] * 50,
    "mixed": [1, "x"] * 725 + [None] * 50,
    "one": [None] * 1499 + ["x"],
}
OF_SORTED = (
    'cat: "a" | "b" | "c"\nflat: str\nn: {} | None\nmixed: int | str | None\none: str | None'
)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_long_table_is_seen_to_its_end(library):
    columns = {name: values for name, values in SORTED.items() if name != "mixed"}
    if library == "pandas":
        table, expected = pd.DataFrame(SORTED), OF_SORTED.format("float")
    else:
        make = pytest.importorskip(library)
        table = (make.DataFrame if library == "polars" else make.table)(columns)
        expected = OF_SORTED.format("int").replace("mixed: int | str | None\n", "")
    assert write_notation(infer_schema(table)) == expected


def test_nulls_that_no_example_has_are_found():
    frame = pd.DataFrame({"t": ["text"] * 9000 + [None]}, index=pd.Index(["k"] * 9001, name="key"))
    frame["u"] = [f"{value}" for value in range(9001)]
    assert write_notation(infer_schema(frame)) == "key: str\nt: str | None\nu: str"


def test_choices_of_the_index_are_seen_to_its_end():
    index = pd.Index(["a", "b"] * 1000, name="key")
    frame = pd.DataFrame({"n": range(2000)}, index=index)
    assert write_notation(infer_schema(frame)) == 'key: "a" | "b"\nn: int'


@pytest.mark.parametrize("shape", ["deep", "holds itself"])
def test_a_value_that_cannot_be_walked_is_one_line(shape):
    example = inner = {}
    for _ in range(2000 if shape == "deep" else 0):
        inner["a"] = inner = {}
    inner["a"] = example if shape == "holds itself" else 1
    with pytest.raises(SchemaError, match="nested too deeply, or holds itself"):
        infer_schema(example)


@pytest.mark.parametrize(
    ("nothing", "problem"),
    [
        ("null", "an example is a JSON object or a list"),
        ("{", "the example is not JSON"),
        (None, "not a value of type NoneType"),
        (pd.DataFrame({"a": []}), "says nothing of a type"),
    ],
)
def test_what_says_nothing_is_an_error(nothing, problem):
    with pytest.raises(SchemaError, match=problem):
        infer_schema(nothing)


def test_an_empty_list_is_a_list():
    assert infer_schema([]) == read_schema({"type": "array"})


def test_infinity_is_no_number():
    assert write_notation(infer_schema({"a": [1.5, float("inf")]})) == "a: list[float | None]"
