"""Objects whose keys may come in any order, each once and all that are required."""

import itertools
import json

import pytest

from steer_engine import in_any_order, read_schema
from steer_engine.schema.lowering import lowered

PERSON = in_any_order(read_schema("name: str, age: int, known: bool = true"))
OPEN = in_any_order(
    read_schema({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
)


@pytest.mark.parametrize("keys", list(itertools.permutations(["name", "age", "known"])))
def test_every_order_is_accepted(walk, keys):
    value = {"name": "Ada", "age": 36, "known": True}
    assert walk(PERSON, json.dumps({key: value[key] for key in keys})).is_complete


@pytest.mark.parametrize(
    "text",
    [
        '{"age": 1, "known": true}',
        '{"age": 1, "name": "x", "age": 2, "known": true}',
        '{"age": "x", "name": "x"}',
        '{"age": 1, "name": "x", "other": 1}',
    ],
)
def test_a_key_that_is_missing_twice_wrong_or_unknown_is_not(walk, text):
    assert not walk(PERSON, text).is_complete


def test_other_keys_may_come_before_and_after_but_once(walk):
    assert walk(OPEN, '{"z": 1, "a": 2, "y": null}').is_complete
    assert not walk(OPEN, '{"z": 1, "a": 2, "z": null}').is_complete
    assert not walk(OPEN, '{"z": 1, "y": 2}').is_complete


NEEDED = {
    "type": "object",
    "propertyNames": {"enum": ["food", "fun", "price", "a", "e"]},
    "additionalProperties": {"type": "integer"},
    "minProperties": 5,
}


@pytest.mark.parametrize(
    "more", [{}, {"required": ["fun"]}, {"properties": {"a": {"minimum": 0}, "e": {}}}]
)
def test_names_that_are_all_needed_come_in_any_order_and_once(walk, more):
    value = {"e": 1, "price": 2, "food": 3, "a": 4, "fun": 5}
    assert walk(NEEDED | more, json.dumps(value)).is_complete
    twice = '{"food": 1, "food": 2, "fun": 3, "a": 4, "e": 5}'
    assert walk(NEEDED | more, twice).text == '{"food": 1, "f'
    assert "anyOf" not in lowered(NEEDED | more).masked


def test_names_that_are_all_needed_may_be_said_in_several_places(walk):
    names = {"propertyNames": NEEDED["propertyNames"], "type": "object"}
    document = {"allOf": [names], "minProperties": 5}
    assert walk(document, '{"food": 1, "food": 2}').text == '{"food": 1, "f'


def test_without_the_mark_the_order_is_the_schemas(walk):
    assert not walk(read_schema("name: str, age: int"), '{"age": 1, "name": "x"}').is_complete
