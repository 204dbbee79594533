from itertools import product

import pytest

from steer_engine import SchemaError, UnsatisfiableError
from steer_engine.schema.patterns import matches
from steer_engine.text_forms.expressions import (
    Alternatives,
    Characters,
    Repeat,
    Sequence,
)
from steer_engine.text_forms.whole_pattern import whole_pattern

TEXTS = ["".join(each) for n in range(5) for each in product("ab1\n", repeat=n)]


def accepts(expression, text):
    """Whether `text` is one of the expression's, by the definition."""
    return len(text) in ends(expression, text, {0})


def ends(expression, text, starts):
    """Where a part of `text` that the expression matches can end, for each place to begin."""
    match expression:
        case Characters(ranges):
            inside = {at for at in starts if at < len(text)}
            return {at + 1 for at in inside if any(a <= ord(text[at]) <= b for a, b in ranges)}
        case Sequence(items):
            for item in items:
                starts = ends(item, text, starts)
            return starts
        case Alternatives(options):
            return set().union(*(ends(option, text, starts) for option in options))
        case Repeat(body, least, most):
            most = len(text) + least if most is None else most
            found = set()
            for n in range(most + 1):
                found |= starts if n >= least else set()
                starts = ends(body, text, starts)
            return found
    raise AssertionError(expression)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "a",
        "^ab$",
        "a|ab",
        "(^a)|(b$)",
        "^(?:a|b1)$",
        "(?:^|b)a",
        "[^a]+",
        ".*",
        r"\d{1,2}",
        r"\w+\s?",
        r"(?<name>a)b*?",
        r"\u0061[\x31-\x39]",
        "a{2}|b{1,}|1{0,2}",
        "^^a$$",
        r"\p{L}+",
        r"a[]|b",
    ],
)
def test_the_whole_text_matches_and_anchors_at_the_ends_change_nothing(pattern):
    expression = whole_pattern(pattern)
    expected = [text for text in TEXTS if matches(f"^(?:{pattern})$", text)]
    assert [text for text in TEXTS if accepts(expression, text)] == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)a", "looks ahead"),
        ("(?<!a)b", "behind"),
        (r"(a)\1", "refers back"),
        (r"\bfoo", "word boundary"),
        ("(?i:a)", "case"),
        ("a^b", "midst"),
        ("a$b", "midst"),
        ("(^a)+", "midst"),
        ("a?^b", "midst"),
        ("[", "no regular expression"),
        ("(?P<x>a)", "no regular expression"),
    ],
)
def test_what_no_mask_can_enforce_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(SchemaError, match=reason):
        whole_pattern(pattern)


@pytest.mark.parametrize("pattern", ["[]", r"[^\s\S]", "a[]b", "[]+"])
def test_a_pattern_without_texts_is_refused(pattern):
    with pytest.raises(UnsatisfiableError):
        whole_pattern(pattern)
