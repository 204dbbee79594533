"""From the text of an answer to its value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import DefectError, RowError, read_schema
from steer_engine.records import finished_items, read_record

ANY_LIST = read_schema({"type": "array", "minItems": 9})

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.lists(JSON, max_size=4), st.data())
def test_a_list_that_was_broken_off_keeps_its_complete_items(items, data):
    text = json.dumps(items, ensure_ascii=False)
    broken = text[: data.draw(st.integers(0, len(text)))]
    kept = finished_items(ANY_LIST, broken)
    assert kept == items[: len(kept)]
    ends = [len(json.dumps(items[:n], ensure_ascii=False)) for n in range(1, len(items) + 1)]
    assert len(kept) == sum(end <= len(broken) for end in ends)


@pytest.mark.parametrize(
    ("text", "items"),
    [("", []), ("[", []), ("[1", []), ("[1,", [1]), ("[1, 2", [1]), ("[1, 2]", [1, 2]),
     ('{"a": [1, 2', []), ("[]", [])],
)  # fmt: skip
def test_finished_items(text, items):
    assert finished_items(ANY_LIST, text) == items


def test_what_was_broken_off_is_valid_as_far_as_it_is_kept():
    schema = read_schema({"type": "array", "items": {"additionalProperties": {"type": "integer"}}})
    text = '[{"k": 1}, {"k": 2, "k": 3}, {"k": 4}, '
    assert finished_items(schema, text) == [{"k": 1}]
    assert finished_items(schema, '[{"k": 1}, {"k": "x"}, ') == [{"k": 1}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e999", "a number that is too large (1e999)"),
        ("7" * 5000, "a number that is too large"),
        ("[" * 9000 + "]" * 9000, "nested too deeply"),
    ],
)
def test_what_no_mask_prevents_fails_the_row_alone(text, words):
    with pytest.raises(RowError) as caught:
        read_record(read_schema(True), text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["{", '{"a": "x"}'])
def test_what_the_mask_should_have_prevented_is_a_defect(text):
    with pytest.raises(DefectError, match="please report it"):
        read_record(read_schema("a: int"), text)


def test_a_key_that_is_there_twice_is_a_defect():
    with pytest.raises(DefectError, match="the key 'b' is there twice"):
        read_record(read_schema({}), '{"a": 1, "b": 2, "b": 3}')
