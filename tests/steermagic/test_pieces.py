"""Tokens become text and lines, whatever their bytes are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import Step
from steermagic.pieces import Speller, percent_of, pieces
from steermagic.printable import printable


def step(text: str, pointer: str = "", **fields) -> Step:
    return Step(0, text.encode(), fields.pop("origin", "chosen"), pointer, **fields)


def lines(steps):
    shown = [""]
    for piece in pieces(steps):
        shown += [""] if piece.begins_line else []
        shown[-1] += piece.text
    return shown


@given(st.text(min_size=1).map(lambda text: text.encode("utf-8", "replace")), st.data())
def test_tokens_that_split_a_character_show_it_once(written, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)), max_size=6)))
    parts = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    steps = [Step(0, part, "chosen", "") for part in parts]
    assert "".join(piece.text for piece in pieces(steps)) == printable(written.decode())


def test_a_narrowed_part_speaks_for_a_character():
    steps = [
        Step(0, "é".encode()[:1], "narrowed", "", wanted=b"x"),
        Step(1, "é".encode()[1:], "forced", ""),
    ]
    assert [(piece.text, piece.step.origin) for piece in pieces(steps)] == [("é", "narrowed")]


def test_bytes_that_are_no_text_are_shown_as_such():
    steps = [Step(0, b"\xc3a", "chosen", ""), Step(0, b"\xe2", "forced", "")]
    assert "".join(piece.text for piece in pieces(steps)) == "�a�"


def test_a_step_gives_its_piece_at_once_or_not_at_all():
    speller = Speller()
    assert speller.take(Step(0, b"\xe2\x82", "chosen", "")) is None
    assert speller.take(Step(0, b"\xac", "chosen", "")).text == "€"
    assert speller.end() is None


def test_each_item_of_a_list_begins_a_line_after_the_comma():
    steps = [
        step("[", "/0"), step("{", "/0"), step("1", "/0/a"), step("}", "/0"),
        step(",", "/1"), step(" ", "/1"), step("{", "/1"), step("2", "/1/a"), step("}]", ""),
    ]  # fmt: skip
    assert lines(steps) == ["[{1}, ", "{2}]"]


def test_the_parts_of_one_object_stand_on_one_line():
    assert lines([step("{", ""), step("1", "/a"), step("2", "/b")]) == ["{12"]


def test_a_line_that_gets_too_long_ends_with_a_value():
    steps = [step("x", "/a")] * 500 + [step("y", "/b")] * 3
    assert lines(steps) == ["x" * 500, "yyy"]


def test_thoughts_stand_on_lines_of_their_own():
    steps = [step("hm", is_thought=True), step("so", is_thought=True), step("{")]
    assert lines(steps) == ["hmso", "{"]


@pytest.mark.parametrize(
    ("logprob", "words"),
    [
        (-1e-9, "over 99%"),
        (-20.0, "under 1%"),
        (math.log(0.5), "50%"),
        (None, "under 1%"),
    ],
)
def test_probabilities_are_rounded_to_whole_percents(logprob, words):
    assert percent_of(logprob) == words
