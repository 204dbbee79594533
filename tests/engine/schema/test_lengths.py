"""No value is shorter than its schema is said to be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine.mask_compiler import ITEM_SEPARATOR, KEY_SEPARATOR
from steer_engine.schema import read_schema, validation_error
from steer_engine.schema.lengths import least_bytes

NODE = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
    "required": ["n"],
}
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


def written(value):
    separators = (ITEM_SEPARATOR, KEY_SEPARATOR)
    return json.dumps(value, ensure_ascii=False, separators=separators).encode()


def described(value):
    """Return a schema that is as narrow on `value` as lengths, counts and names can be."""
    if isinstance(value, str):
        return {"type": "string", "minLength": len(value)}
    if isinstance(value, list):
        first, rest = value[:2], value[2:]
        prefix = {"prefixItems": [described(each) for each in first]} if first else {}
        items = {"items": {"anyOf": [described(each) for each in rest]}} if rest else {}
        return {"type": "array", "minItems": len(value)} | prefix | items
    if isinstance(value, dict):
        properties = {name: described(each) for name, each in value.items()}
        required = list(value)[:2]
        return {"type": "object", "properties": properties, "required": required} | (
            {"minProperties": len(value)}
        )
    return {"type": {bool: "boolean", int: "integer"}.get(type(value), "null")}


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
    assert least_bytes(schema) == len(written(shortest))


@given(VALUES)
def test_no_value_is_shorter(value):
    schema = read_schema(described(value))
    assert validation_error(schema, value) is None
    assert least_bytes(schema) <= len(written(value))


def test_of_a_long_chain_of_references_little_is_said():
    chain = {
        f"s{n}": {"type": "array", "items": {"$ref": f"#/$defs/s{n + 1}"}, "minItems": 1}
        for n in range(400)
    }
    document = {"$ref": "#/$defs/s0", "$defs": chain | {"s400": {"type": "null"}}}
    assert 1 <= least_bytes(read_schema(document)) <= 804
