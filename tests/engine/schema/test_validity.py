"""What is said about a document that is no JSON Schema."""

import pytest

from steer_engine.errors import SchemaError
from steer_engine.schema import read_schema


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"type": "strin"}, "unknown type 'strin' at /type; did you mean 'string'?"),
        ({"type": "str"}, "unknown type 'str' at /type; did you mean 'string'?"),
        ({"type": "zzz"}, "unknown type 'zzz' at /type; use one of string, integer"),
        ({"type": ["string", "nul"]}, "unknown type 'nul' at /type/1; did you mean 'null'?"),
        (
            {"properties": {"a": {"type": "int"}}},
            "unknown type 'int' at /properties/a/type; did you mean 'integer'?",
        ),
        (
            {"properties": {"a": "string"}},
            '\'string\' at /properties/a is not a schema; write for example {"type": "string"}',
        ),
        ({"properties": {"a": "int"}}, 'write for example {"type": "integer"}'),
        ({"properties": {"a": 5}}, "5 at /properties/a is not a schema"),
        ({"items": [{}]}, "write `prefixItems`, or name the older draft in `$schema`"),
        ({"required": "a"}, "'a' is not of type 'array' at /required"),
        ({"minLength": -1}, "-1 is less than the minimum of 0 at /minLength"),
        ({"enum": "x" * 500}, "… at /enum"),
        ({"pattern": "("}, "'(' at /pattern is no regular expression Python can read"),
        ({"patternProperties": {"[": {}}}, "at /patternProperties/["),
        (
            {"$ref": "https://x.org/a.json"},
            "at the root leads out of this document; refused: never fetched",
        ),
        ({"items": {"$ref": "other.json#/a"}}, "`$ref` to 'other.json#/a' at /items"),
        (
            {"items": {"$ref": "#/$defs/Cat"}, "$defs": {"Car": {}}},
            "`$ref` to '#/$defs/Cat' at /items names nothing; did you mean '#/$defs/Car'?",
        ),
        ({"items": {"$ref": "#/zzz"}}, "`$ref` to '#/zzz' at /items names nothing"),
        ({"items": {"$ref": "#nowhere"}}, "names nothing"),
        ({"$ref": "#/x-a", "x-a": {"$ref": "#/x-b"}}, "`$ref` to '#/x-b' at /x-a names nothing"),
        ({"$ref": "#"}, "refers to itself without an end"),
        (
            {"anyOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"allOf": [{"$ref": "#"}]}}},
            "without an end",
        ),
        (
            {
                "$defs": {"A": {"$id": "http://x.org/", "items": {"$ref": "#/$defs/B"}}, "B": {}},
                "$ref": "#/$defs/B",
            },
            "`$id` at /$defs/A begins a document inside the document",
        ),
        (
            {"$defs": {"A": {"$id": "http://x.org/", "$anchor": "foo"}}, "$ref": "#foo"},
            "names nothing",
        ),
    ],
)
def test_the_message_is_one_line_with_the_place(document, message):
    with pytest.raises(SchemaError) as caught:
        read_schema(document)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "document",
    [
        {"properties": {"next": {"$ref": "#"}}},
        {"$id": "http://x.org/a", "items": {"$ref": "http://x.org/a#/$defs/A"}, "$defs": {"A": {}}},
        {"$id": "http://x.org/a", "items": {"$ref": "a#/$defs/A"}, "$defs": {"A": {}}},
        {"$id": "urn:uuid:1", "items": {"$ref": "urn:uuid:1"}},
        {"items": {"$ref": "#foo"}, "$defs": {"A": {"$anchor": "foo"}}},
        {"$ref": "#/$defs/a~1b%25/c", "$defs": {"a/b%": {"c": {}}}},
        {"$ref": "#/anyOf/1", "anyOf": [{}, {"type": "string"}]},
        {"properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}}},
        {"const": {"$ref": "nowhere.json"}, "default": {"$ref": "#/nowhere"}},
        {"$defs": {"A": {"$id": "http://x.org/"}}, "$ref": "#/$defs/A"},
    ],
)
def test_references_that_stay_inside_are_fine(document):
    assert read_schema(document).document == document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"type": "integer", "maximun": 3}, "unknown keyword 'maximun' at the root; did you mean"),
        (
            {"type": "object", "properties": {"a": {"minLenght": 3}}},
            "unknown keyword 'minLenght' at /properties/a; did you mean 'minLength'?",
        ),
        ({"type": "object", "requird": ["a"]}, "did you mean 'required'?"),
        ({"a": 1}, "'a' is no keyword of JSON Schema: this looks like data"),
    ],
)
def test_a_keyword_that_is_misspelt_is_not_taken_for_an_annotation(document, message):
    with pytest.raises(SchemaError) as caught:
        read_schema(document)
    assert message in str(caught.value)


@pytest.mark.parametrize("keyword", ["example", "x-note", "markdownDescription", "enumNames"])
def test_an_unknown_keyword_is_an_annotation(keyword):
    assert read_schema({"type": "integer", keyword: 1}).document[keyword] == 1
