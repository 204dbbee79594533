"""Older drafts, read as 2020-12."""

import pytest

from steer_engine.errors import SchemaError
from steer_engine.schema import read_schema

LATEST = "https://json-schema.org/draft/2020-12/schema"


def read(draft, **keywords):
    uri = {
        4: "http://json-schema.org/draft-04/schema#",
        7: "http://json-schema.org/draft-07/schema#",
        2019: "https://json-schema.org/draft/2019-09/schema",
    }[draft]
    document = read_schema({"$schema": uri, **keywords}).document
    assert document.pop("$schema") == LATEST
    return document


def test_exclusive_bounds_were_booleans():
    old = {"minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}
    new = {"exclusiveMinimum": 0, "maximum": 9}
    assert read(4, properties={"a": old}) == {"properties": {"a": new}}
    assert read_schema(old).document == new  # without `$schema` too: it can mean nothing else
    assert read_schema({"exclusiveMinimum": True}).document == {}


def test_items_were_lists():
    first, rest = {"type": "string"}, {"type": "integer"}
    assert read(7, items=[first], additionalItems=rest) == {"prefixItems": [first], "items": rest}
    assert read(2019, items=[first]) == {"prefixItems": [first]}
    assert read(7, items=[], additionalItems=rest) == {"items": rest}
    assert read(7, items=first, additionalItems=rest) == {"items": first}


def test_dependencies_were_one_keyword():
    old = {"a": ["b"], "c": {"minProperties": 2}}
    assert read(7, dependencies=old) == {
        "dependentRequired": {"a": ["b"]},
        "dependentSchemas": {"c": {"minProperties": 2}},
    }


def test_words_beside_a_reference_meant_nothing():
    document = read(
        7,
        definitions={"A": {"type": "string"}},
        properties={"a": {"$ref": "#/definitions/A", "maxLength": 1, "description": "kept"}},
    )
    assert document["properties"]["a"] == {"$ref": "#/definitions/A", "description": "kept"}
    modern = {"$defs": {"A": {}}, "$ref": "#/$defs/A", "maxLength": 1}
    assert read_schema(modern).document == modern


def test_ids_were_also_anchors():
    assert read(4, id="http://x.org/a#") == {"$id": "http://x.org/a"}
    named = read(7, definitions={"A": {"$id": "#foo"}}, properties={"a": {"$ref": "#foo"}})
    assert named == {"definitions": {"A": {}}, "properties": {"a": {"$ref": "#/definitions/A"}}}
    assert read(7, properties={"a": {"$id": "#/properties/a"}}) == {"properties": {"a": {}}}


def test_a_reference_follows_what_was_respelled():
    document = read(7, items=[{"type": "string"}], additionalItems={"$ref": "#/items/0"})
    assert document == {
        "prefixItems": [{"type": "string"}],
        "items": {"$ref": "#/prefixItems/0"},
    }
    document = read(7, dependencies={"a": {}, "b": {"$ref": "#/dependencies/a"}})
    assert document["dependentSchemas"]["b"] == {"$ref": "#/dependentSchemas/a"}


@pytest.mark.parametrize(
    ("draft", "later"),
    [
        (4, {"const": 1}),
        (4, {"contains": {}}),
        (4, {"if": {}, "then": False}),
        (7, {"dependentRequired": {"a": ["b"]}}),
        (7, {"unevaluatedProperties": False}),
        (2019, {"prefixItems": [{}]}),
    ],
)
def test_what_a_draft_does_not_know_yet_means_nothing_in_it(draft, later):
    assert read(draft, **later) == {}


def test_what_contains_found_was_not_evaluated_in_2019():
    """`not` hides it from `unevaluatedItems`, which would see it in 2020-12."""
    found = {"contains": {"type": "string"}, "minContains": 2}
    assert read(2019, **found, unevaluatedItems=False) == {
        "unevaluatedItems": False,
        "allOf": [{"not": {"not": found}}],
    }
    assert read(2019, **found) == found


def test_a_property_called_id_is_left_alone():
    properties = {"id": {"type": "string"}, "$id": {"type": "string"}}
    assert read(4, properties=properties) == {"properties": properties}


def test_the_latest_draft_is_left_alone():
    for uri in (LATEST, "http://json-schema.org/schema#"):
        assert read_schema({"$schema": uri}).document == {"$schema": uri}


@pytest.mark.parametrize("uri", ["http://json-schema.org/draft-03/schema#", "https://x.org/mine"])
def test_unknown_dialects_are_refused(uri):
    with pytest.raises(SchemaError, match="none of the drafts 4 to 2020-12"):
        read_schema({"$schema": uri})
