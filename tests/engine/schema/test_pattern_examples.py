"""A short text that a pattern matches is found for the patterns that schemas have."""

import pytest

from steer_engine.schema.patterns import matches
from steer_engine.schema.patterns.examples import example


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^\d+\.\d+\.\d+$", "0.0.0"),
        ("foo$", "foo"),
        ("^(https?|ftp)://[^/]+", "ftp://a"),
        ("^[A-Z]{2}[0-9]{3}$", "AA000"),
        ("(?:)", ""),
        ("^[^a-z]x*$", "0"),
        ("[\u00e9\u00e8]", "\u00e9"),
    ],
)
def test_a_short_match_is_found(pattern, text):
    assert example(pattern) == text
    assert matches(pattern, text)


@pytest.mark.parametrize("pattern", ["^(?=b)[ab]$", "(", r"^(a)\1$"])
def test_what_is_found_is_a_match_or_nothing(pattern):
    assert example(pattern) is None
