"""What remains of a run, however it ended."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steermagic.runs import finished_items

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
    kept = finished_items(broken)
    assert kept == items[: len(kept)]
    ends = [len(json.dumps(items[:n], ensure_ascii=False)) for n in range(1, len(items) + 1)]
    assert len(kept) == sum(end <= len(broken) for end in ends)


@pytest.mark.parametrize(
    ("text", "items"),
    [("", []), ("[", []), ("[1", []), ("[1,", [1]), ("[1, 2", [1]), ("[1, 2]", [1, 2]),
     ('{"a": [1, 2', []), ("[]", [])],
)  # fmt: skip
def test_finished_items(text, items):
    assert finished_items(text) == items
