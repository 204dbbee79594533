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
     ('{"a": [1, 2', []), ("[]", []), (" [1,\n23 ,4", [1, 23]), ("[1] 2, 3", [1])],
)  # fmt: skip
def test_finished_items(text, items):
    assert finished_items(ANY_LIST, text) == items


def test_what_was_broken_off_is_valid_as_far_as_it_is_kept():
    schema = read_schema({"type": "array", "items": {"additionalProperties": {"type": "integer"}}})
    text = '[{"k": 1}, {"k": 2, "k": 3}, {"k": 4}, '
    assert finished_items(schema, text) == [{"k": 1}]
    assert finished_items(schema, '[{"k": 1}, {"k": "x"}, ') == [{"k": 1}]


def test_what_no_mask_prevents_fails_the_row_alone():
    with pytest.raises(RowError, match="nested too deeply"):
        read_record(read_schema(True), "[" * 9000 + "]" * 9000)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"type": "number", "exclusiveMaximum": 1}, "0.99999999999999999999"),
        ({"type": "number", "exclusiveMinimum": 0}, f"0.{'0' * 400}1"),
        ({"not": {"type": "integer"}}, "1.00000000000000000001"),
        ({"uniqueItems": True}, "[1.1, 1.10000000000000000001]"),
        ({"not": {"const": 0}}, "1e-9999999999999999999999"),
    ],
)
def test_a_number_that_is_valid_only_with_more_digits_than_a_float_fails_the_row(document, text):
    with pytest.raises(RowError, match="more digits than a float holds, and rounded"):
        read_record(read_schema(document), text)


@pytest.mark.parametrize("text", ["{", '{"a": "x"}', '{"a": 1e999}', '{"a": %s}' % ("7" * 5000)])
def test_what_the_mask_should_have_prevented_is_a_defect(text):
    with pytest.raises(DefectError, match="please report it"):
        read_record(read_schema("a: int"), text)


def test_a_key_that_is_there_twice_is_a_defect():
    with pytest.raises(DefectError, match="the key 'b' is there twice"):
        read_record(read_schema({}), '{"a": 1, "b": 2, "b": 3}')
