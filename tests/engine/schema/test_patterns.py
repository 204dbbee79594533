"""Patterns as ECMA-262 means them, and what the mask compiler gets of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llguidance import LLMatcher, LLTokenizer

from steer_engine.backends.fake import FakeBackend
from steer_engine.errors import RowError, SchemaError, UnsatisfiableError
from steer_engine.grammar import GrammarCompiler
from steer_engine.schema import read_schema
from steer_engine.schema.patterns import check_pattern, masked_pattern, matches

COMPILER = GrammarCompiler(FakeBackend().vocabulary)
BYTES = LLTokenizer("byte")
OPTIONS = {"json_allowed_escapes": '"\\bfnrt', "whitespace_flexible": False}


def mask_allows(pattern, text):
    grammar = LLMatcher.grammar_from_json_schema(
        json.dumps({"type": "string", "pattern": pattern}), overrides=OPTIONS
    )
    matcher = LLMatcher(BYTES, grammar, log_level=0)
    if matcher.is_error():
        assert "nsatisfiable" in matcher.get_error(), (pattern, matcher.get_error())
        return False
    spelling = list(json.dumps(text, ensure_ascii=False).encode())
    return matcher.try_consume_tokens(spelling) == len(spelling) and matcher.is_accepting()


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^\d\w\s$", ["1a\ufeff", "0_\u2028"], ["١a ", "1é ", "1a\x1c"]),
        (r"^\D\W\S$", ["١é\x1c"], ["1a\ufeff"]),
        (r"a$", ["a", "ba"], ["a\n"]),
        (r"^.$", ["😀", "\x85"], ["\n", "\r", "\u2028", "ab"]),
        (r"^[^]$", ["\n", "a"], ["", "ab"]),
        (r"[]", [], ["", "a"]),
        (r"^\cC\ca$", ["\x03\x01"], ["Ca"]),
        (r"^\/\-\@$", ["/-@"], []),
        (r"^[\w-.]$", ["-", ".", "a"], [","]),
        (r"^[\b]\0$", ["\b\0"], ["b0"]),
        (r"^{a}]$", ["{a}]"], []),
        (r"^\x41\u0042\u{1F600}\uD83D\uDE00$", ["AB😀😀"], []),
        (r"^\p{Lu}\P{Lu}$", ["Éé", "A1"], ["éÉ"]),
        (r"^[\p{Script=Greek}\d]+$", ["αβ1"], ["a"]),
        (r"^\p{sc=Grek}\p{gc=Nd}\p{ASCII}\p{Any}$", ["α٣a😀"], []),
        (r"\bfoo\b", ["a foo!", "é foo"], ["afoo", "foo_"]),
        (r"\Boo", ["foo"], ["oo"]),
        (r"^(?<year>\d{4})-\k<year>$", ["2024-2024"], ["2024-2025"]),
        (r"^(?:(a)|b)\1$", ["aa", "b"], ["ab", "a"]),
        (r"^\1(a)$", ["a"], ["aa"]),
        (r"^(a\1)$", ["a"], ["aa"]),
        (r"^(?:(a)|(b)\1)+$", ["ab", "aba"], ["aba "]),
        (r"(?<=\$)\d", ["$1"], ["€1"]),
        (r"(?<!\$)\b\d", ["€1"], ["$1"]),
        (r"(?<=\1(a))b", ["aab", "xaab"], ["b"]),
        (r"^(?!.*bad).*$", ["good"], ["a bad one"]),
        (r"^(?i:k)$", ["k", "K", "\u212a"], ["l"]),
        (r"^(?s:.)(?m:^)a", ["\na"], ["xa"]),
        (r"^(?:(?<a>x)|(?<a>y))\k<a>$", ["xx", "yy"], ["xy"]),
        (r"^a{2,3}?b{0}c{1,}$", ["aac", "aaacc"], ["ac", "aabc"]),
        ("", ["", "a"], []),
    ],
)
def test_what_matches(pattern, right, wrong):
    assert [matches(pattern, text) for text in right] == [True] * len(right)
    assert [matches(pattern, text) for text in wrong] == [False] * len(wrong)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "[", "a**", "*", "{2}", "a{2,1}", "[b-a]", "\\", "a++"),
        *(r"\Z", r"\a", r"\_x\A", r"\1", r"\k<a>", r"\p{Foo}", r"\pL", r"\u{110000}", r"\c1"),
        *("(?P<a>b)", "(?i)a", "(?>a)", "(?#a)", "(?<a>b)(?<a>c)", "(?<=a)*", "^*", r"\b+"),
        *("(?ii:a)", "(?i-i:a)", r"\p{Script=Foo}", r"\x4", "[\\d", r"\01", "(" * 60 + ")" * 60),
    ],
)
def test_what_is_no_pattern(pattern):
    with pytest.raises(SchemaError, match="is no regular expression of ECMA-262: "):
        check_pattern(pattern)
    with pytest.raises(SchemaError):
        matches(pattern, "")
    with pytest.raises(SchemaError):
        masked_pattern(pattern)


def test_what_is_too_large():
    with pytest.raises(SchemaError, match="repeats more often than anyone can write"):
        matches("a{99999999999999999999}", "a")


def test_a_search_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr("steer_engine.schema.patterns._TIMEOUT_S", 0.1)
    with pytest.raises(RowError, match="takes too long on a text of 5000 characters"):
        matches("(x+x+)+y", "x" * 5000)


TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "ba",
    "aa",
    "bab",
    "xay",
    "a\n",
    "\n",
    "é",
    "😀",
    "1",
    "-",
    'a"b',
    "\\",
]


@pytest.mark.parametrize(
    "pattern",
    [
        *("a", "^a", "a$", "^a$", "^a|b$", "(^a|b)c?$", "(?:^|b)a", "a(?:$|b)", "^(?:^a)$$", "^$"),
        *("^$|a", "[^a]", "^.$", "^[^]$", "[]", "^(?:a|[])$", r"^\w+$", r"\s", r"^\p{L}+$", r"\\"),
        *("a^", "$a", "a^b", "b^a|^a", "^(?:a^|b)c?$", "(?:a$)*b", "a(?:b^)?"),
        *("^a*?$", "^(?:ab?){1,2}$", '"', r"^[\x00-\x1f]$", r"^(?:\x01|a)$", r"^\x01$", r"[&&\[~]"),
    ],
)
def test_the_mask_is_exact(pattern):
    masked, exact = masked_pattern(pattern)
    assert exact
    for text in TEXTS:
        assert mask_allows(masked, text) == matches(pattern, text), (masked, text)


@pytest.mark.parametrize(
    "pattern",
    [
        *("^(?!b)a", "(?=a)", "^(?=.*a)(?=.*b)", "(?<=a)b", r"\ba", r"(a|b)\1", r"^(?<x>a)\k<x>$"),
        *("^(a$)?", "(?i:A)", "(?m:^)a", r"(?:(?=(a))\1)", r"(?i:(A))\1", r"(?:(a)|b)\1"),
        *("(?i:(?-i:a)B)", r"((a)\2){2}", "(?i:b^)|a", r"(^a|b)\1", r"(a|b$)?\1b"),
    ],
)
def test_the_mask_allows_more_where_it_is_not_exact(pattern):
    masked, exact = masked_pattern(pattern)
    assert not exact
    for text in TEXTS:
        assert mask_allows(masked, text) or not matches(pattern, text), (masked, text)


def test_nothing_can_be_said():
    assert masked_pattern("") == ("", True)
    assert masked_pattern("^[^]*$") == ("", True)
    assert masked_pattern("(?=a)") == ("", False)
    assert masked_pattern(r"(?:(?=(a))\1)") == ("", False)


@pytest.mark.parametrize(
    "pattern",
    ["a^b", "b^", "a$b", "^(?:a^)+", "(?:a^|$b){2}", "^a(?!.*)", "a(?!)", "(?<!b?)", "[]"],
)
def test_a_pattern_that_nothing_matches_is_refused(pattern):
    with pytest.raises(UnsatisfiableError):
        COMPILER.compile(read_schema({"type": "string", "pattern": pattern}))


def test_copies_of_copies_do_not_grow():
    pattern = "(a)" + "".join(rf"(\{i}\{i}\{i})" for i in range(1, 30))
    assert len(masked_pattern(pattern)[0]) < 50_000


ATOMS = st.sampled_from(
    [*"ab.^$", r"\d", r"\w", r"\s", "[ab]", "[^a]", r"\b", r"\B", r"\1", "(?=a)", "(?<!b)", r"\-"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: (
        st.tuples(inner, inner).map("".join)
        | st.tuples(inner, inner).map("|".join)
        | inner.map("({})".format)
        | st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}"])).map("(?:{0[0]}){0[1]}".format)
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text("ab1 -\n", max_size=5))
def test_the_mask_never_forbids_what_matches(pattern, text):
    try:
        check_pattern(pattern)
    except SchemaError:
        return  # a back reference without a group
    masked, exact = masked_pattern(pattern)
    is_match, allowed = matches(pattern, text), mask_allows(masked, text)
    assert allowed or not is_match
    assert allowed == is_match or not exact
