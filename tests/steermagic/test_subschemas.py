"""Finding the plain schema behind references and "or null"."""

from __future__ import annotations

import pytest

from steermagic.subschemas import plain, subschema

STRING = {"type": "string"}
ROOT = {"$defs": {"a/b": STRING, "loop": {"$ref": "#/$defs/loop"}}}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (STRING, STRING),
        ({"$ref": "#/$defs/a~1b"}, STRING),
        ({"anyOf": [{"$ref": "#/$defs/a~1b"}, {"type": "null"}]}, STRING),
        ({"allOf": [STRING]}, STRING),
        ({"type": ["string", "null"]}, STRING),
        ({"type": ["string", "integer"]}, {"type": ["string", "integer"]}),
        ({"anyOf": [STRING, {"type": "integer"}]}, {"anyOf": [STRING, {"type": "integer"}]}),
        ({"$ref": "#/$defs/a~1b", "maxLength": 3}, {**STRING, "maxLength": 3}),
        ({**STRING, "allOf": [{"maxLength": 3}]}, {**STRING, "maxLength": 3}),
        (
            {"anyOf": [STRING, {"type": "null", "title": "x"}], "maxLength": 3},
            {**STRING, "maxLength": 3},
        ),
        ({"$ref": "#/$defs/loop"}, {}),
        ({"$ref": "#/nowhere"}, {}),
        (True, {}),
    ],
)
def test_plain(node, expected):
    assert plain(node, ROOT) == expected


def test_a_path_leads_to_a_field_of_a_record_or_of_an_item():
    record = {"type": "object", "properties": {"a": {"properties": {"b": STRING}}}}
    assert subschema(record, ["a", "b"]) == STRING
    assert subschema({"type": "array", "items": record}, ["a", "b"]) == STRING
    assert subschema(record, ["a", "c"]) == {}
    assert subschema(record, ["x", "y"]) == {}
