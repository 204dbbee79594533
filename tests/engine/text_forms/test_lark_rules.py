import pytest

from steer_engine import LarkGrammar, UnsatisfiableError
from steer_engine.text_forms import lark_of
from steer_engine.text_forms.lark_rules import endless_rules


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("start: start", ["start"]),
        ("start: x\nx: x", ["start", "x"]),
        ("start: T | x\nx: T x", ["x"]),
        ("start: T | (T x)\nx: y+\ny: T x", ["x", "y"]),
        ("start: T x?\nx: x{1,3}", ["x"]),
        ("?start: x -> name\n!x: x T\n%ignore T\nT: A", ["start", "x"]),
        ("start: x\nx[capture]: T x", ["start", "x"]),
    ],
)
def test_a_rule_that_only_leads_to_itself_has_no_end(text, rules):
    assert sorted(endless_rules(text)) == rules


@pytest.mark.parametrize(
    "text",
    [
        "",
        "start: T",
        "start: x*\nx: T",
        "start: T start?",
        "start: T [start]",
        "start: T (start | T) | T",
        "start: x{0,3}\nx: T start | T",
        "start: x~0..3\nx: T start | T",
        "start: T\n     | start T",
        "start: T\nunused: unused",
        "start: x::5\nx::_: x::_",
        "start: %json { }\n",
    ],
)
def test_a_rule_with_an_end_is_let_through(text):
    assert endless_rules(text) == []


def test_words_inside_texts_and_comments_are_no_rules():
    assert lark_of(LarkGrammar('start: "start" // start\nT: /start/'))
    with pytest.raises(UnsatisfiableError, match="the rule start"):
        lark_of(LarkGrammar('start: "a" start'))
