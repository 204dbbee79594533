"""What the store gives back is what it was given."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import (
    BudgetError,
    Choices,
    Confidence,
    Evidence,
    PromptTooLongError,
    Step,
    TruncatedError,
    read_schema,
)
from steermagic.errors import InterpolationError
from steermagic.runs import Row, failed_row
from steermagic.store.packing import (
    kind_of,
    packed,
    packed_failure,
    packed_steps,
    unpacked,
    unpacked_failure,
    unpacked_steps,
)

STEPS = (
    Step(3, b'{"a": ', "forced", ""),
    Step(7, b"\xc3", "narrowed", "/a", -0.12345, -0.01, b"\xff\x00", -0.5),
    Step(8, b"\xa9", "chosen", "/a", -1.5, -1.5),
    Step(9, b"hm", "chosen", "", -2.0, -2.0, is_thought=True),
    Step(1, b"}", "closed", ""),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def row(record: object, text: str, **more: object) -> Row:
    return Row(4, record, text, STEPS, is_kept=True, is_finished=True, **more)


@given(values, st.booleans())
def test_a_record_comes_back_as_it_was(record, escaped):
    text = json.dumps(record, ensure_ascii=escaped)
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # the engine writes bytes, and reads text from them
    back = unpacked(packed(row(record, text), kind="json", trace=False), number=4, trace=True)
    assert json.dumps(back.record) == json.dumps(record)  # keys in order, 1 is not 1.0
    assert back.text == text
    assert back.steps == ()


def test_numbers_beyond_64_bits_keep_their_digits():
    record = {"z": 10**300 + 1, "a": 0.1 + 0.2, "m": -0.0, "half": "\ud83d", "nul": "\0"}
    text = json.dumps(record)
    back = unpacked(packed(row(record, text), kind="json", trace=False), number=4, trace=False)
    assert repr(back.record) == repr(record)


def test_what_is_known_of_an_answer_comes_back():
    written = row(
        {"a": "é"},
        '{"a": "é"}',
        error=TruncatedError("cut short"),
        thoughts="hm",
        evidence=(Evidence("/a", 0, 3, 4),),
        confidence=(
            Confidence("/a", 0.25, 0.125, (("é", 0.75), (10**30, 0.25), (None, 0.0))),
            Confidence("/b", 1.0, 1.0),
        ),
    )
    back = unpacked(packed(written, kind="json", trace=False), number=4, trace=False)
    assert (back.evidence, back.confidence) == (written.evidence, written.confidence)
    assert (back.thoughts, back.is_finished, back.number) == ("hm", True, 4)
    assert isinstance(back.error, TruncatedError)
    assert str(back.error) == "cut short"


@pytest.mark.parametrize(
    ("asked", "text", "record"),
    [
        (read_schema("a: str"), '{"a": "1"}', {"a": "1"}),
        (Choices(("1", "2")), "1", "1"),
        (None, "1", None),
    ],
)
def test_a_record_follows_from_the_text(asked, text, record):
    columns = packed(row(record, text), kind=kind_of(asked), trace=False)
    assert unpacked(columns, number=4, trace=False).record == record


def test_steps_come_back_with_rounded_probabilities():
    first, narrowed, *rest = unpacked_steps(packed_steps(STEPS))
    assert (first, *rest) == (STEPS[0], *STEPS[2:])
    assert narrowed == Step(7, b"\xc3", "narrowed", "/a", -0.123, -0.01, b"\xff\x00", -0.5)
    assert len(packed_steps(STEPS * 100)) < 10 * len(STEPS) * 100


@pytest.mark.parametrize("trace", [True, False])
def test_steps_are_kept_for_a_trace_only(trace):
    columns = packed(row(1, "1"), kind="json", trace=trace)
    assert len(unpacked(columns, number=4, trace=True).steps) == trace * len(STEPS)
    assert unpacked(columns, number=4, trace=False).steps == ()


@pytest.mark.parametrize("kind", [BudgetError, PromptTooLongError, InterpolationError])
def test_a_failure_comes_back(kind):
    failure = packed_failure(failed_row(4, kind("too \ud83d long"), text='{"a', thoughts="hm"))
    back = unpacked_failure(failure, number=4)
    assert (back.number, back.text, back.thoughts) == (4, '{"a', "hm")
    assert not back.is_kept
    assert type(back.error) is kind
    assert str(back.error) == "too \ud83d long"
