"""Objects whose keys may come in any order, each once and all that are required."""

import itertools
import json

import pytest

from steer_engine import in_any_order, read_schema

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


def test_keys_that_are_all_needed_may_come_in_any_order(walk):
    names = ["a", "b", "c", "d", "e"]
    scores = {"type": "object", "propertyNames": {"enum": names}, "minProperties": 5}
    value = dict.fromkeys(names, 1)
    assert walk(in_any_order(read_schema(scores)), json.dumps(value)).is_complete
    assert walk(
        in_any_order(read_schema(scores)), json.dumps(dict(reversed(value.items())))
    ).is_complete


def test_without_the_mark_the_order_is_the_schemas(walk):
    assert not walk(read_schema("name: str, age: int"), '{"age": 1, "name": "x"}').is_complete
