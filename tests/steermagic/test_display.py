"""The steering view: safe in an untrusted notebook, and the same at every run."""

from __future__ import annotations

import json
import math
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_html import HOSTILE, markup
from steer_engine import Confidence, Step
from steermagic.display import SteerView, Text
from steermagic.marks import MarkedText, Span
from steermagic.runs import Row

FORCED = Step(1, b'{"a": ', "forced", "")
CHOSEN = Step(2, b"1", "chosen", "/a", logprob=math.log(0.874))
NARROWED = Step(
    3,
    b"<b>2",
    "narrowed",
    "/a",
    logprob=math.log(0.0301),
    wanted=b'"Sure',
    wanted_logprob=math.log(0.61999),
)
COLUMNS = (("a", ("a",)),)
TAGS = {
    "b", "div", "span", "details", "summary", "pre", "table", "thead", "tbody", "tr", "th", "td",
    "mark",
}  # fmt: skip


ATTRIBUTES = {
    "style", "title",  # kept
    "class", "data-origin", "data-place", "data-places", "data-p", "data-wanted", "data-wanted-p",
    "data-odds",
}  # fmt: skip


def assert_safe(page: str) -> None:
    tags, attributes = markup(page)
    assert tags <= TAGS
    assert attributes <= ATTRIBUTES


def row(*steps: Step, number: int = 0, record=None, **fields) -> Row:
    return Row(number, record, "", steps, is_kept=record is not None, **fields)


def view(*steps: Step, model: str = "m", **fields) -> SteerView:
    return SteerView(model, (row(*steps),), **fields)


VIEW = view(FORCED, CHOSEN, NARROWED, model="tiny <i>")


def html(view: SteerView) -> str:
    return view._repr_html_()


def test_dollar_signs_are_no_formulas():
    assert html(VIEW).startswith('<div class="steermagic-view tex2jax_ignore mathjax_ignore"')


def test_every_token_says_how_it_came_about():
    titles = re.findall(r'title="([^"]*)" data-origin', html(VIEW))
    assert titles == [
        "forced: the schema allows nothing else here",
        "chosen by the model (87%)",
        "narrowed (3%): the model wanted &quot;\\&quot;Sure&quot; (62%), which the schema forbids",
    ]


def test_closing_and_thoughts_are_told():
    closed = Step(1, b"}", "closed", "")
    thought = Step(1, b"hm", "chosen", "", logprob=math.log(0.5), is_thought=True)
    unknown = Step(1, b"x", "narrowed", "", logprob=math.log(0.5))
    titles = re.findall(r'title="([^"]*)" data-origin', html(view(thought, closed, unknown)))
    assert titles == [
        "thought before the answer (50%)",
        "closed: max_tokens was used up, and this is a short way to a valid end",
        "chosen by the model (50%)",
    ]


def test_the_header_tells_model_tokens_and_share():
    assert re.search(r"<b>tiny &lt;i&gt;</b> <span[^>]*>· 3 tokens · 33% forced<", html(VIEW))
    assert repr(VIEW) == "tiny <i> · 3 tokens · 33% forced"
    assert repr(view()) == "m · 0 tokens · 0% forced"
    assert repr(view(CHOSEN)) == "m · 1 token · 0% forced"


def test_the_bar_and_the_legend_show_what_there_is():
    assert re.findall(r"width:([\d.]+)%.*?title=\"(.*?)\"", html(VIEW)) == [
        ("33.33", "33% forced"),
        ("33.33", "33% chosen"),
        ("33.33", "33% narrowed"),
    ]
    assert "narrowed:" in html(VIEW)
    assert "narrowed:" not in html(view(FORCED, CHOSEN))


def test_tokens_cells_and_marks_of_one_value_have_one_place():
    full = SteerView(
        "m",
        (row(FORCED, CHOSEN, record={"a": "Ann"}),),
        COLUMNS,
        (MarkedText("mail", "by Ann", (Span(3, 6, "a", "/a"),)),),
    )
    assert re.findall(r'data-places?="([^"]*)"', html(full)) == [
        "0", "0/a", "0/a", "[&quot;0/a&quot;]",
    ]  # fmt: skip
    assert re.search(r"<td [^>]*>Ann</td>", html(full))


def test_a_cell_tells_the_alternatives_of_its_value():
    confidence = (Confidence("/a", 0.8, 0.8, (("yes", 0.8), ("no", 0.2))),)
    full = SteerView("m", (row(CHOSEN, record={"a": "yes"}, confidence=confidence),), COLUMNS)
    assert 'title="&quot;yes&quot; 80% · &quot;no&quot; 20%" data-place="0/a"' in html(full)


def test_the_rows_of_a_table_stand_on_lines_of_their_own():
    two = SteerView("m", (row(CHOSEN), row(CHOSEN, CHOSEN, number=1)))
    assert [line.count("data-origin") for line in html(two).split("<div>")[1:]] == [1, 2]


def test_the_table_has_the_items_of_lists_and_says_how_many_are_left_out():
    full = SteerView("m", (row(CHOSEN, record=[{"a": i} for i in range(30)]),), COLUMNS)
    assert "table · 30 rows" in html(full)
    assert html(full).count("<td") == 20
    assert "10 more rows stand in the frame" in html(full)
    assert 'data-place="0/19/a"' in html(full)


def test_json_is_indented():
    assert "{\n  &quot;a&quot;: 1\n}" in html(view_of_record({"a": 1}))


def view_of_record(record, columns=COLUMNS):
    return SteerView("m", (row(CHOSEN, record=record),), columns)


def test_the_html_has_only_what_a_notebook_keeps_or_can_do_without():
    tags, attributes = markup(html(VIEW))
    assert tags <= TAGS
    assert attributes == ATTRIBUTES - {"data-odds", "data-places"}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20])
def test_hostile_text_is_text_wherever_it_stands(text):
    step = Step(0, text.encode(), "narrowed", f"/{text[:1000]}", wanted=text.encode())
    full = SteerView(
        text,
        (row(step, record={text: text}, confidence=(Confidence("/a", 1, 1, ((text, 1.0),)),)),),
        ((text, (text,)),),
        (MarkedText(text, f"a{text}b", (Span(1, 1 + len(text), text),)),),
        max_tokens=400,
    )
    page = html(full)
    assert_safe(page)
    assert not re.search("[\x1b\u202e]", page)
    assert not re.search("[\x1b\u202e]", repr(full))
    assert len(page) < 1_100_000  # the token itself is shown whole, all else is shortened


@given(st.text(), st.text())
def test_what_a_model_writes_is_never_markup(text, model):
    spelled = text.encode("utf-8", "replace")
    step = Step(0, spelled, "narrowed", "", wanted=spelled)
    page = html(view_of_record({"a": text}))
    assert_safe(html(view(step, model=model)))
    assert_safe(page)


def test_data_attributes_can_be_read_back():
    odds = (("<b>\u202e", 0.75),)
    confidence = (Confidence("/a", 1, 1, odds),)
    page = html(SteerView("m", (row(CHOSEN, record={"a": 1}, confidence=confidence),), COLUMNS))
    written = re.search(r'data-odds="([^"]*)"', page)[1]
    assert json.loads(written.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")) == [
        ['"<b>\\u202e"', "75%"]
    ]


def test_a_long_answer_is_cut_under_its_cell_only(wishing):
    steps = (FORCED,) * 500
    assert html(view(*steps, max_tokens=400)).count("data-origin=") == 400
    assert "100 more tokens: %steer view shows all" in html(view(*steps, max_tokens=400))
    assert html(view(*steps)).count("data-origin=") == 500


def test_a_terminal_gets_marks_that_need_no_colour(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[4;34m1\x1b[0m\x1b[1;4;33m<b>2\x1b[0m" in repr(VIEW)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in repr(VIEW)


@pytest.mark.parametrize("text", ["a", "a\nb"])
def test_text_is_shown_without_quotes(text):
    assert repr(Text(text)) == str(Text(text)) == text


def test_text_gives_no_orders_to_a_terminal():
    assert str(Text("\x1b[2Jx")) == "\\x1b[2Jx"
