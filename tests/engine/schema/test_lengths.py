"""No value is shorter than its schema is said to be."""

import json

import pytest

from steer_engine.schema import read_schema, validation_error
from steer_engine.schema.lengths import least_bytes

NODE = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
    "required": ["n"],
}


@pytest.mark.parametrize(
    ("document", "shortest"),
    [
        (True, 0),
        ({"type": "string", "minLength": 3}, "abc"),
        ({"type": ["string", "null"], "minLength": 9}, None),
        ({"type": "boolean"}, True),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2.0}, ["", ""]),
        (
            {"type": "array", "prefixItems": [{"type": "null"}, {"type": "null"}], "minItems": 3},
            [None, None, 0],
        ),
        (
            {
                "type": "object",
                "properties": {"ab": {"type": "null"}, "c": {"minLength": 5}},
                "required": ["ab", "d"],
                "minProperties": 3,
            },
            {"ab": None, "d": 0, "": 0},
        ),
        ({"anyOf": [{"type": "string", "minLength": 5}, {"type": "null"}]}, None),
        ({"type": "string", "allOf": [{"type": "string", "minLength": 2}]}, "ab"),
        ({"$ref": "#/$defs/node", "$defs": {"node": NODE}}, {"n": 0}),
        ({"type": "array", "items": {"$ref": "#"}}, []),
    ],
)
def test_the_shortest_value_is_found(document, shortest):
    schema = read_schema(document)
    assert validation_error(schema, shortest) is None
    assert least_bytes(schema) == len(json.dumps(shortest))
