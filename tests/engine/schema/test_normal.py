"""Fail closed: what no mask enforces is refused, and the mask accepts nothing that is invalid."""

import json

import pytest

from steer_engine.errors import SchemaError, UnenforceableError
from steer_engine.schema import lower, read_schema, refuse_unenforceable, validation_error

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
OPTIONS = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "json_allowed_escapes": '"\\bfnrt',  # see `normal`: with \u a key could pass for another key
}


@pytest.fixture(scope="module")
def accepts():
    """Whether the mask of a schema lets a JSON text through; None if it does not compile."""
    llguidance = pytest.importorskip("llguidance")
    tokenizer = llguidance.LLTokenizer("byte")

    def accepts(schema, *texts):
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            json.dumps(lower(schema)), overrides=OPTIONS
        )
        compiled = llguidance.LLMatcher(tokenizer, grammar, log_level=0)
        if compiled.is_error():
            return None
        return any(passes(compiled.deep_copy(), text) for text in texts)

    def passes(matcher, text):
        tokens = tokenizer.tokenize_bytes(text.encode())
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    return accepts


def spellings(value):
    """JSON texts of one value, among them one with every key escaped."""
    plain = json.dumps(value, ensure_ascii=False)
    yield plain
    yield json.dumps(value)
    if isinstance(value, dict):
        items = ((escaped(key), json.dumps(item)) for key, item in value.items())
        yield "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}"


def escaped(text):
    return '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_mask_accepts_nothing_that_the_official_suite_calls_invalid(draft, shared, accepts):
    """No exception is needed: `format` is stricter here, the rest is refused or exact."""
    n_tests = 0
    for path in sorted((shared / "json-schema-test-suite/tests" / draft).glob("*.json")):
        for group in json.loads(path.read_text()):
            document = group["schema"]
            if isinstance(document, dict):
                document = {"$schema": DRAFTS[draft]} | document
            try:
                schema = read_schema(document)
                refuse_unenforceable(schema)
            except SchemaError:
                continue
            for case in group["tests"]:
                accepted = accepts(schema, *spellings(case["data"]))
                assert case["valid"] or not accepted, (path.stem, group["description"], case)
                n_tests += accepted is not None
    assert n_tests > 400


@pytest.mark.parametrize(
    ("document", "texts"),
    [
        # bounds that a float does not hold
        ({"type": "integer", "maximum": 2**53 + 3}, [str(2**53 + 4)]),
        ({"type": "integer", "minimum": 2**53 + 1, "maximum": 2**60}, [str(2**53)]),
        ({"type": "integer", "minimum": -(2**53) - 3, "maximum": 0}, [str(-(2**53) - 4)]),
        ({"type": "integer", "maximum": 2**63 - 1}, [str(2**63), str(2**64)]),
        ({"type": "integer", "exclusiveMaximum": 2**80}, [str(2**80)]),
        ({"const": 2**63 + 1}, [str(2**63), str(2**63 + 2)]),
        # keys that are spelled in another way
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, ['{"\\u0061": "x"}']),
        (
            {"type": "object", "patternProperties": {"^a": {"type": "integer"}}},
            ['{"\\u0061": "x"}'],
        ),
        ({"type": "object", "properties": {"a/": False}}, ['{"a\\/": 1}', '{"a/": 1}']),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, ['{"a": 1, "a": "x"}']),
        # siblings of a reference, and references to odd places
        (
            {"$ref": "#/$defs/A", "maximum": 5, "$defs": {"A": {"type": "integer", "minimum": 0}}},
            ["6", "-1", '"x"'],
        ),
        ({"items": {"$ref": "#A"}, "$defs": {"A": {"$anchor": "A", "type": "integer"}}}, ['["x"]']),
        ({"items": {"$ref": "#/x-a/0"}, "x-a": [{"type": "integer"}]}, ['["x"]']),
        (
            {"$ref": "#/$defs/a~1b%25%22", "$defs": {'a/b%"': {"type": "integer"}}},
            ['"x"'],
        ),
        (
            {
                "allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/x/A"}],
                "$defs": {"A": {"minimum": 1}},
                "x": {"A": {"type": "integer", "maximum": 2}},
            },
            ["0", "3", '"x"'],
        ),
        # formats are assertions
        ({"format": "ipv4"}, ['"1.2.3.999"']),
        ({"type": "string", "format": "uuid"}, ['"x"']),
        ({"minLength": 2.0}, ['"a"']),
        (True, ["nonsense"]),
        (False, ["1", "null"]),
        # fixed form
        ({"type": "array", "items": {"type": "integer"}}, ["[1,2]", "[ 1]", "[1,  2]"]),
    ],
)
def test_what_must_not_pass(document, texts, accepts):
    schema = read_schema(document)
    refuse_unenforceable(schema)
    assert not accepts(schema, *texts)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"type": "integer", "maximum": 2**63 - 1}, str(2**53)),
        ({"type": "integer", "maximum": 2**53 + 3}, str(2**53 + 2)),
        ({"items": {"$ref": "#A"}, "$defs": {"A": {"$anchor": "A", "type": "integer"}}}, "[1, 2]"),
        ({"items": {"$ref": "#/x-a/0"}, "x-a": [{"type": "integer"}]}, "[1]"),
        ({"type": "object", "properties": {"next": {"$ref": "#"}}}, '{"next": {"next": {}}}'),
        ({"format": "int32", "x-more": 1, "type": "integer", "title": "T"}, "5"),
        ({"not": False, "uniqueItems": False, "then": False, "minContains": 1}, "[1, 1]"),
        ({"$defs": {"unused": {"not": {}}}, "type": "integer"}, "5"),
        ({"const": {"not": 1, "uniqueItems": True}}, '{"not": 1, "uniqueItems": true}'),
        ({"properties": {"not": {"type": "integer"}}, "type": "object"}, '{"not": 5}'),
        ({"pattern": "^[\\x00-\\x1f]$"}, '"\\n"'),
        (True, '{"a": [1, null]}'),
    ],
)
def test_what_must_pass(document, text, accepts):
    schema = read_schema(document)
    refuse_unenforceable(schema)
    assert validation_error(schema, json.loads(text)) is None
    assert accepts(schema, text)


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"uniqueItems": True}, "uniqueItems"),
        ({"not": {"type": "null"}}, "not"),
        ({"not": True}, "not"),
        ({"if": {}, "then": {"minimum": 1}}, "if"),
        ({"if": {}, "else": False}, "if"),
        ({"contains": {}}, "contains"),
        ({"propertyNames": {"pattern": "a"}}, "propertyNames"),
        ({"dependentRequired": {"a": ["b"]}}, "dependentRequired"),
        ({"dependentSchemas": {"a": {"minProperties": 2}}}, "dependentSchemas"),
        ({"dependencies": {"a": ["b"]}}, "dependencies"),
        ({"additionalItems": False}, "additionalItems"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
        ({"unevaluatedItems": {"type": "string"}}, "unevaluatedItems"),
        ({"$dynamicRef": "#a"}, "$dynamicRef"),
        ({"$recursiveRef": "#"}, "$recursiveRef"),
        ({"format": "regex"}, "format"),
        ({"const": 2**64}, "const"),
        ({"enum": [{"a": [-(2**64)]}]}, "enum"),
        ({"enum": ["a\x00b"]}, "enum"),
        ({"const": {"a\x7f": 1}}, "const"),
        ({"pattern": "a\x01"}, "pattern"),
        ({"pattern": "[\\x01]"}, "pattern"),
        ({"pattern": "\\x01-\\x02"}, "pattern"),
        ({"pattern": "\\[\\x01-a"}, "pattern"),
        ({"pattern": "\\u001f"}, "pattern"),
        ({"minimum": 2**63}, "minimum"),
        ({"exclusiveMaximum": -1e30}, "exclusiveMaximum"),
    ],
)
def test_refusals_name_the_place_and_the_keyword(schema, keyword):
    document = {"properties": {"tags": {"$ref": "#/$defs/T"}}, "$defs": {"T": schema}}
    with pytest.raises(UnenforceableError) as caught:
        refuse_unenforceable(read_schema(document))
    assert caught.value.keyword == keyword
    assert caught.value.pointer == "/$defs/T"
    assert f"`{keyword}" in str(caught.value)
    assert "at /$defs/T cannot be enforced while decoding yet; remove it" in str(caught.value)


def test_the_message_as_it_is_written_in_the_manual():
    with pytest.raises(UnenforceableError) as caught:
        refuse_unenforceable(read_schema({"properties": {"tags": {"uniqueItems": True}}}))
    assert str(caught.value) == (
        "`uniqueItems` at /properties/tags cannot be enforced while decoding yet; "
        "remove it or check it yourself afterwards"
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"if": {"minimum": 1}},
        {"if": {"minimum": 1}, "then": True, "else": {}},
        {"dependentRequired": {"a": []}},
        {"dependentSchemas": {"a": True}},
        {"dependencies": {}},
        {"propertyNames": True},
        {"unevaluatedProperties": {}},
        {"additionalItems": True},
        {"format": "password"},
        {"maxContains": 3},
        {"contentSchema": {"not": {}}},
    ],
)
def test_what_says_nothing_is_left_out(schema):
    refuse_unenforceable(read_schema(schema))
    assert lower(read_schema(schema)) == {}


def test_schemas_keep_their_place_and_unused_definitions_go():
    document = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/A", "description": "x"},
            "b": {"$ref": "#/properties/a"},
        },
        "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}, "B": {"$ref": "#/$defs/A"}},
    }
    assert lower(read_schema(document)) == {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/properties/a"}},
        "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}},
    }


def test_definitions_of_one_name_do_not_meet():
    document = {
        "allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/x/A"}],
        "$defs": {"A": {"minimum": 1}},
        "x": {"A": {"maximum": 2}},
    }
    assert lower(read_schema(document)) == {
        "allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A_2"}],
        "$defs": {"A": {"minimum": 1}, "A_2": {"maximum": 2}},
    }
