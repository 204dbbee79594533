import pytest

from steer_engine.text_forms.expressions import Reference
from steer_engine.text_forms.gbnf import read_gbnf
from steer_engine.text_forms.lexing import lexes_exactly


def is_exact(text, *terminals):
    rules = read_gbnf(text)
    ends = {name: rules.pop(name) for name in terminals}
    return lexes_exactly(rules, ends, "root")


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("x y", True),
        ("x x", False),  # the first x would take all of it
        ("x* y", False),
        ("(x y)*", True),
        ("x z", False),  # z begins as x goes on
        ("x | z", True),  # nothing follows either
        ("(x | z) y", False),  # "ab" may be x y, or the beginning of z
    ],
)
def test_the_longest_terminal_is_right_where_nothing_after_it_looks_like_more(root, expected):
    text = f'root ::= {root}\nx ::= "a"+\ny ::= "b"\nz ::= "ab" "c"'
    assert is_exact(text, "x", "y", "z") is expected


def test_a_rival_that_goes_on_as_what_follows_begins_is_noticed():
    text = 'root ::= x y | z\nx ::= "a"\ny ::= "b"\nz ::= "abc"'
    assert not is_exact(text, "x", "y", "z")


def test_characters_that_share_their_first_byte_are_no_reason_to_trust():
    text = 'root ::= x y\nx ::= "é"+\ny ::= "è"'
    assert not is_exact(text, "x", "y")


def test_what_follows_is_seen_through_rules_that_may_be_empty():
    text = 'root ::= x nothing x\nnothing ::= y?\nx ::= "a"+\ny ::= "b"'
    assert not is_exact(text, "x", "y")


def test_references_to_rules_are_not_terminals():
    assert lexes_exactly({"root": Reference("x")}, {"x": read_gbnf('root ::= "a"')["root"]}, "root")
