"""Columns are decided by the schema alone."""

import pytest

from steer_engine.errors import SchemaError
from steer_engine.schema import Column, ColumnKind, column_plan, read_schema, rows_of
from steer_engine.schema.shapes import closed_object


def kinds(source):
    return {column.name: column.kind.value for column in column_plan(read_schema(source))}


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("str", "string"),
        ("str | None", "string"),
        ('"a" | "b"', "category"),
        ('"a" | None', "category"),
        ("int", "integer"),
        ("int 0..5 | None", "integer"),
        ("1 | 2 | None", "integer"),
        ("float", "number"),
        ("int | float", "number"),
        ("1 | 2.5", "number"),
        ("bool | None", "boolean"),
        ("True | False", "boolean"),
        ("date | None", "date"),
        ("datetime", "datetime"),
        ("time", "time"),
        ("uuid", "uuid"),
        ("email", "email"),
        ("url", "uri"),
        ("/a+/", "string"),
        ("verbatim", "string"),
        ('str | "a"', "string"),
        ("int | str", "mixed"),
        ("date | int", "mixed"),
        ("1 | 'a'", "mixed"),
        ("None", "mixed"),
        ("list[str]", "list"),
        ("list[{a: str}] | None", "list"),
        ("dict[str, int]", "object"),
        ("dict | None", "object"),
        ("{}", "object"),
        ("{a: str} | {b: str}", "object"),
        ("{a: str} | int", "mixed"),
    ],
)
def test_kinds(type_, kind):
    assert kinds(f"f: {type_}") == {"f": kind}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string", "format": "duration"}, "duration"),
        ({"type": "string", "format": "ipv4"}, "string"),
        ({"const": "a"}, "category"),
        ({"const": [1]}, "list"),
        ({"const": {}}, "object"),
        ({"minimum": 0}, "mixed"),
        (True, "mixed"),
        ({"oneOf": [{"const": "a"}, {"const": "b"}, {"type": "null"}]}, "category"),
        ({"allOf": [{"$ref": "#/$defs/N"}], "minimum": 1}, "integer"),
        ({"$ref": "#/$defs/N"}, "integer"),
        ({"type": "integer", "anyOf": [{"minimum": 0}, {"maximum": -5}]}, "integer"),
        ({"anyOf": [{"$ref": "#/$defs/N"}, True]}, "integer"),
    ],
)
def test_kinds_of_json_schema(schema, kind):
    document = {**closed_object({"f": schema}), "$defs": {"N": {"type": "integer"}}}
    assert kinds(document) == {"f": kind}


def test_categories_keep_the_order_of_the_schema():
    (column,) = column_plan(read_schema('f: "z" | "a" | None'))
    assert column == Column("f", ("f",), ColumnKind.CATEGORY, ("z", "a"))


def test_nested_objects_are_flattened():
    plan = column_plan(read_schema("a: str, addr: {city: str, geo: {lat: float} | None}, b: int"))
    assert [(column.name, column.path) for column in plan] == [
        ("a", ("a",)),
        ("addr.city", ("addr", "city")),
        ("addr.geo.lat", ("addr", "geo", "lat")),
        ("b", ("b",)),
    ]


def test_of_two_equal_names_the_later_gets_a_number():
    plan = column_plan(read_schema('addr: {city: str}, "addr.city": int, "addr.city_2": bool'))
    assert [(column.name, column.path) for column in plan] == [
        ("addr.city", ("addr", "city")),
        ("addr.city_2", ("addr.city",)),
        ("addr.city_2_2", ("addr.city_2",)),
    ]


def test_names_are_unique_when_a_number_is_taken():
    plan = column_plan(read_schema('"a.b": str, "a.b_2": str, a: {b: str}'))
    assert [column.name for column in plan] == ["a.b", "a.b_2", "a.b_3"]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("int", "integer"),
        ("list[date]", "date"),
        ("list[list]", "list"),
        ("dict[str, int]", "object"),
        ("list[{a: str} | int]", "mixed"),
        ("list", "mixed"),
        ("true", "mixed"),
    ],
)
def test_what_is_no_record_is_one_column(source, kind):
    assert column_plan(read_schema(source)) == (Column("value", (), ColumnKind(kind)),)


def test_rows_have_the_columns_of_a_row():
    schema = read_schema("a: str, b: {c: int}")
    assert column_plan(rows_of(schema)) == column_plan(schema)
    assert column_plan(rows_of(read_schema("{a: str}" and "[a: str]")))[0].kind is ColumnKind.LIST


def test_a_tuple_is_mixed():
    assert kinds({"type": "array", "prefixItems": [{"type": "string"}]}) == {"value": "mixed"}


def test_recursion_ends_in_an_object():
    node = closed_object(
        {"v": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}
    )
    assert kinds(node) == {"v": "integer", "next": "object"}
    mutual = {
        "$ref": "#/$defs/A",
        "$defs": {
            "A": closed_object({"b": {"$ref": "#/$defs/B"}}),
            "B": closed_object({"a": {"$ref": "#/$defs/A"}}),
        },
    }
    assert kinds(mutual) == {"b.a": "object"}


def test_parts_of_an_object_are_joined():
    document = {
        "$ref": "#/$defs/Base",
        "properties": {"b": {"type": "integer"}},
        "allOf": [{"properties": {"c": {"type": "boolean"}}}],
        "$defs": {"Base": {"type": "object", "properties": {"a": {"type": "string"}}}},
    }
    assert kinds(document) == {"a": "string", "c": "boolean", "b": "integer"}


def test_an_object_that_does_not_say_so_may_be_anything():
    assert kinds({"properties": {"a": {"type": "string"}}}) == {"value": "mixed"}


def test_columns_without_end_are_refused():
    definitions = {
        f"d{i}": closed_object(
            {"l": {"$ref": f"#/$defs/d{i + 1}"}, "r": {"$ref": f"#/$defs/d{i + 1}"}}
        )
        for i in range(40)
    }
    definitions["d40"] = {"type": "integer"}
    with pytest.raises(SchemaError, match="over 10000 columns"):
        column_plan(read_schema({"$ref": "#/$defs/d0", "$defs": definitions}))
