"""Marks show what was copied, and never let a text become markup."""

import re

from hypothesis import given
from hypothesis import strategies as st

from steermagic.marks import MarkedText, Span


def shown(html: str) -> str:
    text = re.sub(r"<span [^>]*> \[[^]]*\]</span>|^<div [^>]*>.*?</div>", "", html)
    return re.sub(r"<[^>]*>", "", text)


@given(
    st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4)
)
def test_the_text_stays_what_it_is(text, places):
    spans = tuple(
        Span(min(a, b), min(max(a, b), len(text)), "a")
        for a, b in places
        if min(a, b) < len(text) and a != b
    )
    html = MarkedText("x", text, spans).html()
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown(html) == escaped.replace('"', "&quot;").replace("'", "&#x27;")


def test_overlapping_spans_name_all_their_fields():
    html = MarkedText("x", "Ann Lee", (Span(0, 7, "who"), Span(4, 7, "family"))).html()
    assert 'title="who">Ann </mark>' in html
    assert 'title="who, family">Lee</mark><span' in html
    assert "[who, family]" in html


def test_of_a_long_text_what_is_near_is_shown():
    html = MarkedText("x", "a" * 5000 + "Ann" + "b" * 5000, (Span(5000, 5003, "who"),)).html()
    assert len(html) < 1000
    assert f"{'a' * 120}<mark" in html
