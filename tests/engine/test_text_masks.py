import time
from contextlib import suppress

import pytest

from steer_engine import (
    Choices,
    GbnfGrammar,
    LarkGrammar,
    Regex,
    SchemaError,
    SchemaSyntaxError,
    UnsatisfiableError,
    text_error,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask

VOCABULARY = FakeBackend().vocabulary
COMPILER = GrammarCompiler(VOCABULARY)
EXPRESSION = r"""
root ::= term ([-+*] term)*
term ::= [0-9]+ | "(" root ")"
"""

# form, texts it accepts, texts it refuses
TABLE = [
    (Choices(("neg", "negative", "")), ["neg", "negative", ""], ["nega", "pos", "neg "]),
    (Choices(('a "b"\n', "é/\\")), ['a "b"\n', "é/\\"], ["a", "e/\\"]),
    (Regex(r"[A-Z]{2}-\d{3}"), ["AB-123"], ["AB-12", "ab-123", "AB-1234", "AB-٣٣٣"]),
    (Regex("a.b"), ["axb", "aéb", "a\x00b"], ["a\nb", "ab"]),
    (Regex("(a|ab)(c|bcd)"), ["ac", "abc", "abcd", "abbcd"], ["ab", "abcdd"]),
    (GbnfGrammar(EXPRESSION), ["1", "(1+2)*33", "((7))"], ["", "1+", "(1", "1 + 2"]),
    (GbnfGrammar('root ::= "a" root "b" | ""'), ["", "ab", "aabb"], ["a", "aab", "abab"]),
    (GbnfGrammar('root ::= x root? "b"\nx ::= "a" | "ab"'), ["ab", "abb", "aabb"], ["a", "b"]),
    (LarkGrammar('start: "x" n ("," n)*\nn: /[0-9]+/'), ["x1", "x1,22"], ["x", "x1,"]),
]


@pytest.mark.parametrize(("form", "accepted", "refused"), TABLE)
def test_a_form_accepts_its_texts_and_no_others(walk, form, accepted, refused):
    assert [text for text in accepted if not walk(form, text).is_complete] == []
    assert [text for text in refused if walk(form, text).is_complete] == []


@pytest.mark.parametrize(("form", "accepted", "refused"), TABLE)
def test_a_text_that_nobody_has_checked_is_judged_by_its_form(form, accepted, refused):
    assert [text for text in accepted if text_error(form, text)] == []
    assert [text for text in refused if not text_error(form, text)] == []


def test_equal_forms_are_compiled_once():
    assert COMPILER.compile(Regex("x+")) is COMPILER.compile(Regex("x+"))


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ('start: "a" b', 'unknown name: "b"', 1),
        ("start: x\nx: /(?=a)a/", "look-around", 2),
        ('start: "a"\nstart: "b"', "duplicate", 2),
        ('start: %json {"not": {}}', "not", 1),
    ],
)
def test_a_lark_grammar_that_cannot_be_read_is_refused_with_its_place(text, reason, line):
    with pytest.raises(SchemaSyntaxError, match=reason) as raised:
        COMPILER.compile(LarkGrammar(text))
    assert raised.value.line == line
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", 'foo: "a"', "root = a"])
def test_what_is_no_lark_grammar_is_refused_in_one_line(text):
    with pytest.raises(SchemaError) as raised:
        COMPILER.compile(LarkGrammar(text))
    assert "\n" not in str(raised.value)


def test_what_the_compiler_would_ignore_is_refused():
    text = 'start: %json {"uniqueItems": true, "x-guidance": {"lenient": true}}'
    with pytest.raises(SchemaError, match="uniqueItems"):
        COMPILER.compile(LarkGrammar(text))


@pytest.mark.parametrize(
    "form",
    [LarkGrammar("start: x\nx: x"), GbnfGrammar('root ::= "a" root'), Regex("a[]")],
)
def test_a_form_without_texts_is_refused(form):
    with pytest.raises(UnsatisfiableError):
        COMPILER.compile(form)


def test_a_text_that_is_forced_and_never_ends_does_not_hang_the_compiler():
    """llguidance would write down the forced text of `A A` until the memory is full."""
    matcher = COMPILER.compile(LarkGrammar("start: A A\nA: /a+/")).matcher()
    assert matcher.fast_forward_tokens() == []
    assert matcher.forced_bytes() == b""


@pytest.mark.parametrize(
    "form",
    [
        Choices(tuple(f"name {i} of many" for i in range(50_000))),
        Regex("(?:(?:a{0,9}){0,9}){0,9}"),
        Regex("(?:.*a){50}"),
        Regex("(?:a|b)*a(?:a|b){20}"),
        GbnfGrammar(
            "root ::= r0\n"
            + "\n".join(f"r{i} ::= r{i + 1} r{i + 1}" for i in range(40))
            + '\nr40 ::= "a"?'
        ),
        GbnfGrammar(
            "root ::= r0\n"
            + "\n".join(f"r{i} ::= r{i + 1}" for i in range(1500))
            + '\nr1500 ::= "a"?'
        ),
        GbnfGrammar("root ::= " + " | ".join(f'"{i}" root "x{i}"' for i in range(200)) + ' | "z"'),
    ],
    ids=["choices", "counts", "stars", "subset", "doubling", "chain", "many terminals"],
)
def test_a_hostile_form_is_compiled_or_refused_in_time(form):
    start = time.process_time()
    mask = allocate_mask(VOCABULARY.vocab_size)
    with suppress(SchemaError):
        COMPILER.compile(form).matcher().fill_mask(mask)
    assert time.process_time() - start < 5
