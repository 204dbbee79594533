"""The canonical text that models read: any change here changes every prompt."""

import pytest

from steer_engine.schema import describe, read_schema, write_notation
from steer_engine.schema.shapes import closed_object

CANONICAL = '''"""An order."""
customer: {  # the buyer
    name: str  # full name
    email: email | None
} | None
urgency: "low" | "high" = "low"  # how fast
age: int 0..120
share: float 0..1.5 | None = None
"my col": dict[str, date]
code: /[A-Z]{2}\\/\\d+/
quote: verbatim
items: list[{  # the lines
    """One line."""
    name: str
    size: {
        width: float
    } | str
}]
empty: {}
tags: list[str]'''


def test_canonical_text_stays_as_it_is():
    assert write_notation(read_schema(CANONICAL)) == CANONICAL


def test_rows_stand_in_brackets():
    text = '[  # the dogs\n    """A dog."""\n    name: str\n]'
    assert write_notation(read_schema(text)) == text


def field(schema):
    return read_schema(closed_object({"f": schema}))


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string", "enum": ["a", "b"]}, 'f: "a" | "b"'),
        ({"const": "a"}, 'f: "a"'),
        ({"type": ["null", "string"]}, "f: str | None"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "f: int | None"),
        ({"enum": [None, "a"]}, 'f: "a" | None'),
        ({"type": "string", "title": "F", "$comment": "x"}, "f: str"),
        ({"type": "string", "description": ""}, "f: str"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "f: /[a-z]+/"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'f: list["a" | "b"]'),
        ({"type": "string", "default": 'say "hi"\n'}, 'f: str = "say \\"hi\\"\\n"'),
        ({"enum": ["a\nb", 1.5]}, 'f: "a\\nb" | 1.5'),
        ({"anyOf": [{"const": "a"}, {"type": "string", "enum": ["b"]}]}, 'f: "a" | "b"'),
        ({"type": "array", "default": [{"a": None}]}, 'f: list = [{"a": None}]'),
    ],
)
def test_equivalent_schemas_have_one_text(schema, text):
    assert write_notation(field(schema)) == text


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "string", "minLength": 1},
        {"type": "string", "pattern": "a"},
        {"type": "string", "pattern": "^a|b$"},
        {"type": "string", "pattern": "^(?:a)|(?:b)$"},
        {"type": "string", "format": "ipv4"},
        {"type": "string", "description": "two\nlines"},
        {"type": "string", "description": " blank "},
        {"type": "string", "default": None},
        {"type": "integer", "maximum": 5, "default": 9},
        {"type": "integer", "exclusiveMinimum": 0},
        {"type": "integer", "minimum": 5, "maximum": 1},
        {"type": "array", "items": True},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {
            "type": "object",
            "properties": {"a": {"type": "string"}},
            "additionalProperties": False,
        },
        {**closed_object({}), "minProperties": 1},
        {"type": "array", "items": {**closed_object({}), "description": 'ends in "'}},
        {"type": "array", "items": {**closed_object({}), "description": "a\\b"}},
        {"type": "array", "items": {"type": "string", "description": "each"}},
        {"oneOf": [{"type": "string"}]},
        {"anyOf": [{"enum": ["a", "bb"], "minLength": 2}, {"type": "null"}]},
        {"anyOf": [{"enum": ["a"], "description": "x"}, {"enum": ["b"]}]},
        {"enum": ["a", 1], "type": "string"},
        {"type": ["string", "integer"], "minimum": 3},
        {"enum": [["a"]]},
        {"enum": []},
    ],
)
def test_what_the_notation_cannot_say_is_not_said_wrongly(schema):
    assert write_notation(field(schema)) is None


def test_a_default_that_cannot_be_is_not_told_to_a_model():
    for wrong in ({"type": "integer", "default": "5"}, {"enum": ["a"], "default": "b"}):
        assert "=" not in describe(field(wrong))
    assert describe(field({"type": "string", "default": None})) == "f: str"
    assert describe(field({"enum": [1, "a"], "default": 1.0})) == 'f: 1 | "a" = 1.0'


@pytest.mark.parametrize(
    "document",
    [
        True,
        closed_object({}),
        {"type": "string", "format": "date"},  # `date` alone is a field of that name
        {"const": "a"},
        {"anyOf": [closed_object({"a": {"type": "string"}}), {"type": "null"}]},
        {"type": "string", "default": "x"},
        {"enum": []},
    ],
)
def test_roots_the_notation_cannot_say(document):
    schema = read_schema(document)
    assert write_notation(schema) is None
    assert describe(schema).replace(" ", "") == schema.text.replace(" ", "")


@pytest.mark.parametrize("text", ["int", "list[date]", "str | None  # or not", "dict[str, list]"])
def test_roots_that_are_no_objects(text):
    assert write_notation(read_schema(text)) == text


def test_references_are_written_out():
    document = closed_object({"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}})
    document["$defs"] = {"A": {"type": "integer"}}
    assert write_notation(read_schema(document)) == "a: int\nb: int"


def test_recursion_is_left_to_json_schema():
    document = closed_object({"next": {"$ref": "#"}})
    assert write_notation(read_schema(document)) is None


def test_doubling_references_come_to_an_end():
    definitions = {
        f"d{i}": closed_object(
            {"l": {"$ref": f"#/$defs/d{i + 1}"}, "r": {"$ref": f"#/$defs/d{i + 1}"}}
        )
        for i in range(40)
    }
    definitions["d40"] = {"type": "integer"}
    assert write_notation(read_schema({"$ref": "#/$defs/d0", "$defs": definitions})) is None
