"""Objects whose keys may come in any order, each once and all that are required."""

import itertools
import json

import pytest

from steer_engine import in_any_order, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows

VOCABULARY = FakeBackend().vocabulary
COMPILER = GrammarCompiler(VOCABULARY)
PERSON = in_any_order(read_schema("name: str, age: int, known: bool = true"))
OPEN = in_any_order(
    read_schema({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
)


def accepts(schema, text):
    matcher, mask = COMPILER.compile(schema).matcher(), allocate_mask(VOCABULARY.vocab_size)
    for token in VOCABULARY.tokenize(text, parse_special=False):
        matcher.fill_mask(mask)
        if not (allows(mask, token) and matcher.accept(token)):
            return False
    return matcher.is_accepting


@pytest.mark.parametrize("keys", list(itertools.permutations(["name", "age", "known"])))
def test_every_order_is_accepted(keys):
    value = {"name": "Ada", "age": 36, "known": True}
    assert accepts(PERSON, json.dumps({key: value[key] for key in keys}))


@pytest.mark.parametrize(
    "text",
    [
        '{"age": 1, "known": true}',
        '{"age": 1, "name": "x", "age": 2, "known": true}',
        '{"age": "x", "name": "x"}',
        '{"age": 1, "name": "x", "other": 1}',
    ],
)
def test_a_key_that_is_missing_twice_wrong_or_unknown_is_not(text):
    assert not accepts(PERSON, text)


def test_other_keys_may_come_before_and_after_but_once():
    assert accepts(OPEN, '{"z": 1, "a": 2, "y": null}')
    assert not accepts(OPEN, '{"z": 1, "a": 2, "z": null}')
    assert not accepts(OPEN, '{"z": 1, "y": 2}')


def test_without_the_mark_the_order_is_the_schemas():
    assert not accepts(read_schema("name: str, age: int"), '{"age": 1, "name": "x"}')
