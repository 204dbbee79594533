"""The steering view: safe in an untrusted notebook, and the same at every run."""

from __future__ import annotations

import math
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import Step
from steermagic.display import SteerView, Text, cell_view, pieces

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
VIEW = SteerView("tiny <i>", (FORCED, CHOSEN, NARROWED))


def html(view: SteerView) -> str:
    return view._repr_html_()


def test_every_token_says_how_it_came_about():
    titles = re.findall(r'title="([^"]*)"', html(VIEW))
    assert titles == [
        "forced: the schema allows nothing else here",
        "chosen by the model (87%)",
        "narrowed (3%): the model wanted &quot;\\&quot;Sure&quot; (62%), which the schema forbids",
    ]


def test_the_header_tells_model_tokens_and_share():
    assert "<b>tiny &lt;i&gt;</b> · 3 tokens · 33% forced" in html(VIEW)
    assert repr(VIEW) == "tiny <i> · 3 tokens · 33% forced"
    assert repr(SteerView("m", ())) == "m · 0 tokens · 0% forced"
    assert repr(SteerView("m", (CHOSEN,))) == "m · 1 token · 0% forced"


def test_the_html_has_only_what_a_notebook_keeps():
    tags = set(re.findall(r"<(\w+)", html(VIEW)))
    attributes = set(re.findall(r'\s([\w-]+)="', html(VIEW)))
    assert tags == {"div", "span", "b"}
    assert attributes == {"style", "title"}


@given(st.text(), st.text())
def test_what_a_model_writes_is_never_markup(text, model):
    step = Step(
        0, text.encode("utf-8", "replace"), "narrowed", "", wanted=text.encode("utf-8", "replace")
    )
    assert set(re.findall(r"<(/?\w*)", html(SteerView(model, (step,))))) <= {
        "div", "/div", "span", "/span", "b", "/b",
    }  # fmt: skip


@given(st.text(min_size=1).map(lambda text: text.encode("utf-8", "replace")), st.data())
def test_tokens_that_split_a_character_show_it_once(written, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(written)), max_size=6)))
    parts = [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    steps = [Step(0, part, "chosen", "") for part in parts]
    assert "".join(piece.text for piece in pieces(steps)) == written.decode()


def test_a_narrowed_part_speaks_for_a_character():
    steps = [
        Step(0, "é".encode()[:1], "narrowed", "", wanted=b"x"),
        Step(1, "é".encode()[1:], "forced", ""),
    ]
    assert [(piece.text, piece.step.origin) for piece in pieces(steps)] == [("é", "narrowed")]


def test_bytes_that_are_no_text_are_shown_as_such():
    steps = [Step(0, b"\xc3a", "chosen", ""), Step(0, b"\xe2", "forced", "")]
    assert "".join(piece.text for piece in pieces(steps)) == "�a�"


def test_a_long_answer_is_cut_under_its_cell_only():
    steps = (FORCED,) * 500
    assert html(cell_view("m", steps)).count("title=") == 400
    assert "100 more tokens: %steer view shows all" in html(cell_view("m", steps))
    assert html(SteerView("m", steps)).count("title=") == 500


def test_probabilities_are_rounded_to_whole_percents():
    steps = [Step(0, b"a", "chosen", "", logprob=value) for value in (-1e-9, -20.0, math.log(0.5))]
    titles = re.findall(r"chosen by the model \(([^)]*)\)", html(SteerView("m", tuple(steps))))
    assert titles == ["over 99%", "under 1%", "50%"]


def test_a_terminal_gets_marks_that_need_no_colour(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[4;34m1\x1b[0m\x1b[1;4;33m<b>2\x1b[0m" in repr(VIEW)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in repr(VIEW)


@pytest.mark.parametrize("text", ["a", "a\nb"])
def test_text_is_shown_without_quotes(text):
    assert repr(Text(text)) == str(Text(text)) == text
