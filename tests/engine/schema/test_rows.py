"""Lists of rows."""

import pytest

from steer_engine.schema import is_object, is_rows, read_schema, row_of, rows_of, validation_error


def test_rows_of_a_record():
    schema = read_schema("name: str", name="Dog")
    rows = rows_of(schema)
    assert rows.name == "Dog"
    assert rows == read_schema("[name: str]", name="Dog")
    assert is_rows(rows)
    assert not is_rows(schema)
    assert is_object(schema)
    assert not is_object(rows)


@pytest.mark.parametrize(
    "document",
    [
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "integer"}}},
        {"$ref": "#/definitions/A", "definitions": {"A": {"type": "integer"}}},
        {"type": "integer", "anyOf": [{"$ref": "#/x-odd/a"}], "x-odd": {"a": {"minimum": 0}}},
        {
            "$id": "http://x.org/a",
            "allOf": [{"$ref": "http://x.org/a#A"}],
            "$defs": {"A": {"$anchor": "A", "type": "integer"}},
        },
    ],
)
def test_references_go_on_naming_what_they_named(document):
    rows = read_schema(rows_of(read_schema(document)).document)
    assert validation_error(rows, [1, 2]) is None
    assert validation_error(rows, [1, "a"]) is not None


def test_a_recursive_record():
    document = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    rows = rows_of(read_schema(document))
    assert rows.document["items"]["properties"]["next"] == {"$ref": "#/items"}
    assert validation_error(rows, [{"next": {"next": []}}]) is not None
    assert validation_error(rows, [{"next": {"next": {}}}]) is None


def test_rows_of_anything():
    assert rows_of(read_schema(True)).document == {"type": "array", "items": True}
    assert not is_rows(rows_of(read_schema("str | None")))


def test_references_are_followed_to_see_rows():
    definitions = {"A": {"type": "object"}, "L": {"type": "array", "items": {"$ref": "#/$defs/A"}}}
    assert is_rows(read_schema({"$ref": "#/$defs/L", "$defs": definitions}))
    assert not is_rows(
        read_schema({"type": "array", "prefixItems": [{}], "items": {"type": "object"}})
    )
    assert not is_rows(read_schema(True))


def test_a_row_of_parts_names_what_the_whole_names():
    record = read_schema(
        {
            "$id": "https://example.org/a",
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/properties/a"}},
            "$defs": {"A": {"type": "integer"}},
        }
    )
    row = row_of(record, {"type": "object", "properties": {"c": {"$ref": "#/properties/b"}}})
    assert validation_error(row, {"c": 1}) is None
    assert validation_error(row, {"c": "x"}) is not None
