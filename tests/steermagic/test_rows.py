"""`--rows PATH`: a row for each item of a list."""

from __future__ import annotations

import pytest

from steer_engine import column_plan, read_schema, rows_of
from steermagic.errors import FrameError
from steermagic.rows import explode_record, explode_schema

LINE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "parts": {"type": "array", "items": {"type": "integer"}},
    },
}
LINES = {"type": "array", "items": {"$ref": "#/$defs/Line"}}
TAGS = {"type": "array", "items": {"type": "string"}}
INVOICE = read_schema(
    {
        "type": "object",
        "properties": {
            "vendor": {"type": "string"},
            "lines": {"anyOf": [LINES, {"type": "null"}]},
            "order": {"type": "object", "properties": {"tags": TAGS}},
        },
        "$defs": {"Line": LINE},
    }
)


def columns(path: str, schema=INVOICE) -> list[tuple[str, str]]:
    return [(c.name, c.kind) for c in column_plan(explode_schema(schema, path))]


def test_the_item_takes_the_place_of_its_list():
    expected = [
        ("vendor", "string"),
        ("lines.name", "string"),
        ("lines.parts", "list"),
        ("order.tags", "list"),
    ]
    assert columns("lines") == expected
    assert columns("lines", rows_of(INVOICE)) == expected


def test_a_path_leads_through_objects_and_lists():
    assert ("order.tags", "string") in columns("order.tags")
    assert ("lines.parts", "integer") in columns("lines.parts")


def test_a_record_is_repeated_for_each_item():
    record = {"vendor": "A", "lines": [{"name": "x", "parts": [1, 2]}, {"name": "y", "parts": []}]}
    lines = list(explode_record(record, ["lines"]))
    assert [line["lines"]["name"] for line in lines] == ["x", "y"]
    assert {line["vendor"] for line in lines} == {"A"}
    parts = list(explode_record(record, ["lines", "parts"]))
    assert [part["lines"] for part in parts] == [
        {"name": "x", "parts": 1},
        {"name": "x", "parts": 2},
    ]


@pytest.mark.parametrize("lines", [[], None])
def test_a_record_without_items_has_no_row(lines):
    assert list(explode_record({"vendor": "A", "lines": lines}, ["lines"])) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("line", "--rows line: there is no field 'line'; did you mean 'lines'?"),
        ("vendor", "--rows vendor: 'vendor' is not a list, so it has no items"),
        ("vendor.x", "--rows vendor.x: there is no field 'x'"),
        ("order.tag", "--rows order.tag: there is no field 'tag'; did you mean 'tags'?"),
    ],
)
def test_a_path_to_no_list_is_refused(path, message):
    with pytest.raises(FrameError) as caught:
        explode_schema(INVOICE, path)
    assert str(caught.value) == message


BASE = {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]}
BESIDE = {"properties": {"x": {"type": "integer"}}, "required": ["x"]}
NULL = {"type": "null"}


@pytest.mark.parametrize(
    "item",
    [
        {"$ref": "#/$defs/Base", **BESIDE},
        {"allOf": [{"$ref": "#/$defs/Base"}], **BESIDE},
        {"anyOf": [{"$ref": "#/$defs/Base"}, NULL], **BESIDE},
    ],
)
def test_what_stands_beside_a_reference_is_a_column_too(item):
    """The model had to write it, and it was dropped."""
    fields = {"k": {"type": "string"}, "l": {"type": "array", "items": item}}
    schema = read_schema({"type": "object", "properties": fields, "$defs": {"Base": BASE}})
    expected = [("k", "string"), ("l.n", "string"), ("l.x", "integer")]
    assert sorted(columns("l", schema)) == expected


def test_an_all_of_beside_the_fields_or_the_items_hides_neither():
    lines = {"type": "array", "items": BASE, "allOf": [{"minItems": 1}]}
    record = {"type": "object", "properties": {"l": lines}, "allOf": [{"required": ["l"]}]}
    assert columns("l", read_schema(record)) == [("l.n", "string")]


def test_a_reference_that_leads_in_a_circle_ends():
    schema = read_schema({"type": "object", "properties": {"a": {"$ref": "#"}}})
    with pytest.raises(FrameError):
        explode_schema(schema, "a.a.a")


def test_a_reference_into_the_list_goes_on_naming_what_it_named():
    name = {"$ref": "#/properties/lines/items/properties/name"}
    line = {"type": "object", "properties": {"name": {"type": "string"}, "alias": name}}
    lines = {"type": "array", "items": line}
    invoice = {"type": "object", "properties": {"vendor": name, "lines": lines}}
    expected = [("vendor", "string"), ("lines.name", "string"), ("lines.alias", "string")]
    schema = read_schema({"$id": "https://example.org/invoice", **invoice})
    assert columns("lines", schema) == expected
    assert columns("lines", rows_of(schema)) == expected
