"""What is said about a document that is no JSON Schema."""

import pytest

from steer_engine.errors import SchemaError
from steer_engine.schema import doubts, read_schema


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
        ({"pattern": "("}, "'(' is no regular expression of ECMA-262: a `(` is not closed (at /p"),
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
            {"$defs": {"A": {"$id": "http://x.org/", "items": {"$ref": "#/$defs/B"}}, "B": {}}},
            "`$ref` to '#/$defs/B' at /$defs/A/items names nothing",
        ),
        (
            {
                "$ref": "#/$defs/a0",
                "$defs": {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(999)}
                | {"a999": {}},
            },
            "refers to itself without an end, or on and on",
        ),
        ({"$ref": "#/x-a", "x-a": {"type": "str"}}, "unknown type 'str' at /x-a/type"),
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
        {"$ref": "#/$defs/a~1b%25/c", "$defs": {"a/b%": {"c": {}}}},
        {"$ref": "#/anyOf/1", "anyOf": [{}, {"type": "string"}]},
        {"properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}}},
        {"const": {"$ref": "nowhere.json"}, "default": {"$ref": "#/nowhere"}},
        {"$id": "http://x.org/a", "items": {"$ref": "#/$defs/A"}, "$defs": {"A": {}}},
        {"$ref": "#/x-a", "x-a": {"type": "string", "x-b": {}, "items": {"$ref": "#/x-a/x-b"}}},
    ],
)
def test_references_that_stay_inside_are_left_as_they_are(document):
    assert read_schema(document).document == document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"type": "integer", "maximun": 3}, "'maximun' at the root of the schema has no effect"),
        (
            {"type": "object", "properties": {"a": {"minLenght": 3}}},
            "'minLenght' at /properties/a of the schema has no effect; did you mean 'minLength'?",
        ),
        ({"type": "object", "requird": ["a"]}, "did you mean 'required'?"),
    ],
)
def test_a_keyword_that_looks_misspelt_is_told(document, message):
    [doubt] = doubts(read_schema(document))
    assert message in doubt


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("uuid4", "uuid"),
        ("ipv4network", "ipv4"),
        ("datetime", "date-time"),
        ("url", "uri"),
        ("e-mail", "email"),
        ("ip", "ipv4"),
        ("Date", "date"),
    ],
)
def test_an_unknown_format_is_told_with_the_nearest(name, meant):
    schema = read_schema({"properties": {"a": {"type": ["string", "null"], "format": name}}})
    [doubt] = doubts(schema)
    where = "at /properties/a of the schema"
    assert doubt == f"the unknown format {name!r} {where} has no effect; did you mean {meant!r}?"


def test_a_format_like_no_other_is_told_too():
    [doubt] = doubts(read_schema({"format": "q"}))
    assert doubt.endswith("has no effect; a `pattern` would have one")


@pytest.mark.parametrize(
    "document",
    [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "password"},
        {"type": "integer", "format": "int32"},
        {"type": "number", "format": "money"},
        {"properties": {"format": {"const": "a"}}},
    ],
)
def test_the_usual_formats_are_no_doubt(document):
    assert doubts(read_schema(document)) == ()


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ({"verbatm": True}, "`x-steer` at /items has no mark 'verbatm'; did you mean 'verbatim'?"),
        ({"x": 1, "order": "any"}, "has no mark 'x'; use 'order' or 'verbatim'"),
        (True, "`x-steer` at /items is an object"),
        ({"order": "schema"}, 'the only `order` of an `x-steer` is "any"'),
    ],
)
def test_a_mark_that_nobody_reads_is_refused(mark, message):
    with pytest.raises(SchemaError) as caught:
        read_schema({"type": "array", "items": {"type": "string", "x-steer": mark}})
    assert message in str(caught.value)


def test_data_is_not_taken_for_a_schema():
    with pytest.raises(SchemaError, match="'a' is no keyword of JSON Schema: this looks like data"):
        read_schema({"a": 1})


@pytest.mark.parametrize("keyword", ["example", "x-note", "markdownDescription", "enumNames"])
def test_an_unknown_keyword_is_an_annotation(keyword):
    schema = read_schema({"type": "integer", keyword: 1})
    assert schema.document[keyword] == 1
    assert doubts(schema) == ()
