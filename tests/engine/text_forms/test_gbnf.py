import pytest

from steer_engine import SchemaSyntaxError
from steer_engine.text_forms.expressions import (
    Alternatives,
    Characters,
    Reference,
    Repeat,
    Sequence,
    characters,
    characters_but,
    literal,
)
from steer_engine.text_forms.gbnf import read_gbnf

A, B = literal("a"), literal("b")


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        ('"a"', A),
        ('""', Sequence(())),
        ('"ab"', Sequence((A, B))),
        ('"a" "b" # and so on', Sequence((A, B))),
        ('"a" | "b"', Alternatives((A, B))),
        ('"a" |\n  "b"', Alternatives((A, B))),
        ('| "a"', Alternatives((Sequence(()), A))),
        ('("a" |\n "b")', Alternatives((A, B))),
        ('"a"*', Repeat(A, 0, None)),
        ('"ab"+', Repeat(Sequence((A, B)), 1, None)),
        ('"a"?', Repeat(A, 0, 1)),
        ('"a"{2}', Repeat(A, 2, 2)),
        ('"a"{2,}', Repeat(A, 2, None)),
        ('"a"{ 2 , 3 }', Repeat(A, 2, 3)),
        ('"a"?*', Repeat(Repeat(A, 0, 1), 0, None)),
        ("[a-c]", Characters(((97, 99),))),
        ("[^a]", characters_but(((97, 97),))),
        ("[a-]", characters(((97, 97), (45, 45)))),
        (r"[\]\\]", characters(((93, 93), (92, 92)))),
        (r"[\x41\u00e9\U0001F600]", characters(((0x41,) * 2, (0xE9,) * 2, (0x1F600,) * 2))),
        (r'"\n\t\r\"\\"', literal('\n\t\r"\\')),
        (".", characters_but(())),
        ("root", Reference("root")),
    ],
)
def test_a_rule_is_read(body, expression):
    assert read_gbnf(f"root ::= {body}\n") == {"root": expression}


def test_rules_end_with_their_line_and_names_may_have_hyphens():
    rules = read_gbnf('\n# words\nroot ::= my-rule 2b\r\nmy-rule::="a"\n\n2b ::=\n  "b"')
    assert rules == {
        "root": Sequence((Reference("my-rule"), Reference("2b"))),
        "my-rule": A,
        "2b": B,
    }


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ("", "no rule root", 1, 1),
        ('x ::= "a"', "no rule root", 1, 1),
        ('root = "a"', "::=", 1, 6),
        ("root ::= x", "no rule x", 1, 10),
        ('root ::= "a"\nroot ::= "b"', "defined twice", 2, 1),
        ('root ::= "a', "ends before", 1, 12),
        ("root ::= [a", "ends before", 1, 12),
        ('root ::= ("a"', r"expected \)", 1, 14),
        ('root ::= "a" )', "end of the line", 1, 14),
        (r'root ::= "\q"', "no escape", 1, 11),
        (r'root ::= "\ud800"', "no character", 1, 11),
        (r'root ::= "\UFFFFFFFF"', "no character", 1, 11),
        ("root ::= [b-a]", "wrong way round", 1, 14),
        ("root ::= []", "no character", 1, 11),
        ('root ::= "a"{3,2}', "wrong way round", 1, 13),
        ('root ::= "a" |\n <tool_call>', "control tokens", 2, 2),
        ("root ::= !<x>", "control tokens", 1, 10),
        (f"root ::= {'(' * 200}", "nested too deeply", 1, 111),
        (f'root ::= "a"{"*" * 20}', "end of the line", 1, 23),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text, reason, line, column):
    with pytest.raises(SchemaSyntaxError, match=reason) as raised:
        read_gbnf(text)
    assert (raised.value.line, raised.value.column) == (line, column)


def test_a_grammar_of_very_many_rules_is_refused():
    rules = "\n".join(f'r{i} ::= "a"' for i in range(3000))
    with pytest.raises(SchemaSyntaxError, match="more than 2000 rules"):
        read_gbnf(f"root ::= r0\n{rules}")
