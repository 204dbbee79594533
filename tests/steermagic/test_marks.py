"""Marks show what was copied, and leave the text what it is."""

from hypothesis import given
from hypothesis import strategies as st

from steermagic.marks import MarkedText, Span
from steermagic.printable import printable


@given(
    st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4)
)
def test_the_parts_are_the_text(text, places):
    spans = tuple(
        Span(min(a, b), min(max(a, b), len(text)), "a")
        for a, b in places
        if min(a, b) < len(text) and a != b
    )
    parts = MarkedText("x", text, spans).parts()
    assert "".join(part.text for part in parts) == printable(text)


def test_overlapping_spans_name_all_their_fields():
    spans = (Span(0, 7, "who", "/who"), Span(4, 7, "family", "/family"))
    first, second = MarkedText("x", "Ann Lee", spans).parts()
    assert (first.text, first.labels, first.ended, first.pointers) == (
        "Ann ", ("who",), (), ("/who",),
    )  # fmt: skip
    assert (second.labels, second.ended) == (("who", "family"), ("who", "family"))
    assert second.pointers == ("/who", "/family")


def test_of_a_long_text_what_is_near_is_shown():
    text = MarkedText("x", "a" * 5000 + "Ann" + "b" * 5000, (Span(5000, 5003, "who"),))
    before, marked, after = (part.text for part in text.parts())
    assert before.endswith("… " + "a" * 120)
    assert (marked, after[:121]) == ("Ann", "b" * 120 + " ")
    assert len(before + after) < 1000
    assert [len(part.text) for part in text.parts(max_length=5000)] == [5000, 3, 5000]
