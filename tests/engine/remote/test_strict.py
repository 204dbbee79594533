"""Schemas in the subset of strict servers, and their answers read back."""

import json

import pytest

from steer_engine import read_schema, validation_error
from steer_engine.remote.strict import strict_form


def said(schema):
    form = strict_form(read_schema(schema).document)
    return None if form is None else form.document


def one(property_schema, *, required=True):
    """What is said of the only property of an object."""
    document = {"type": "object", "properties": {"a": property_schema}}
    found = said({**document, "required": ["a"]} if required else document)
    return None if found is None else found["properties"]["a"]


def test_objects_are_closed_and_their_properties_required_in_order():
    found = said({"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "null"}}})
    assert found == {
        "type": "object",
        "properties": {"b": {"type": ["string", "null"]}, "a": {"type": "null"}},
        "required": ["b", "a"],
        "additionalProperties": False,
    }
    assert list(found["properties"]) == ["b", "a"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "minLength": 2}, {"type": "string"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "format": "uri"}, {"type": "string"}),
        ({"pattern": "^a"}, {"type": "string", "pattern": "^a"}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1}),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"enum": ["x", None]}, {"type": ["string", "null"], "enum": ["x", None]}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"type": "null", "description": "d", "title": "t"}, {"type": "null", "description": "d"}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]},
         {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 2, "uniqueItems": True},
         {"type": "array", "items": {"type": "null"}, "maxItems": 2}),
        ({"type": ["array", "null"], "items": {"type": "string"}},
         {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}),
        ({"allOf": [{"type": "string"}, {"pattern": "a"}]}, {"type": "string", "pattern": "a"}),
        ({"type": "string", "not": {}, "anyOf": [{"minLength": 2}]}, {"type": "string"}),
    ],
)  # fmt: skip
def test_what_has_no_words_is_left_out(schema, expected):
    assert one(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"type": ["string", "null"]}),
        ({"enum": ["x"]}, {"type": ["string", "null"], "enum": ["x", None]}),
        ({"anyOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"anyOf": [{"type": "null"}]}, {"anyOf": [{"type": "null"}]}),
        ({"type": "array", "items": {"type": "null"}},
         {"anyOf": [{"type": "array", "items": {"type": "null"}}, {"type": "null"}]}),
    ],
)  # fmt: skip
def test_a_property_that_may_be_missing_may_be_null(schema, expected):
    assert one(schema, required=False) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "patternProperties": {"^a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "array"},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"allOf": [True]},
        {"enum": [{"a": 1}]},
        {"not": {"type": "string"}},
        {"type": "array", "items": {"$ref": "#"}},
        {"$ref": "#/properties/a", "properties": {"a": {"type": "string"}}},
    ],
)
def test_what_would_come_out_as_something_else_is_not_said(schema):
    assert said(schema) is None


def test_definitions_are_said_too_and_may_refer_to_each_other():
    tree = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"v": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
                "required": ["v"],
            }
        },
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}},
        "required": ["root"],
    }
    form = strict_form(read_schema(tree).document)
    node = form.document["$defs"]["node"]
    assert node["properties"]["next"] == {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}
    assert node["required"] == ["v", "next"]
    text = '{"root": {"v": 1, "next": {"v": 2, "next": null}}}'
    assert json.loads(form.read(text)) == {"root": {"v": 1, "next": {"v": 2}}}


def read(schema, text):
    read_in = read_schema(schema)
    value = json.loads(strict_form(read_in.document).read(text))
    assert validation_error(read_in, value) is None
    return value


def test_nulls_that_stand_for_missing_properties_are_taken_out():
    schema = {
        "type": "object",
        "properties": {
            "may_be_missing": {"type": "string"},
            "may_be_null": {"type": ["string", "null"]},
            "must_be_there": {"type": ["integer", "null"]},
            "named": {"enum": ["x", None]},
            "list": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        },
        "required": ["must_be_there"],
        "$defs": {"item": {"type": "object", "properties": {"a": {"type": "string"}}}},
    }
    text = (
        '{"may_be_missing": null, "may_be_null": null, "must_be_there": null, "named": null,'
        ' "list": [{"a": null}, {"a": "x"}]}'
    )
    assert read(schema, text) == {
        "may_be_null": None,
        "must_be_there": None,
        "named": None,
        "list": [{}, {"a": "x"}],
    }


def test_what_is_no_object_is_wrapped():
    rows = {"type": "array", "items": {"type": "string"}}
    assert said(rows)["properties"]["answer"] == rows
    assert read(rows, '{"answer": ["a"]}') == ["a"]
    with pytest.raises(ValueError, match="no object with the property 'answer' alone"):
        strict_form(rows).read("[]")
    with pytest.raises(ValueError, match="Expecting"):
        strict_form(rows).read("Sure!")
