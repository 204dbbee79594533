"""Equality and multiples of JSON numbers."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine.schema.equality import canonical, exact, is_multiple

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


def equal(one, two):
    """JSON Schema's equality, word by word."""
    if isinstance(one, bool) or isinstance(two, bool) or one is None or two is None:
        return one is two
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(equal(one[key], two[key]) for key in one)
    is_number = isinstance(one, int | float) and isinstance(two, int | float)
    return exact(one) == exact(two) if is_number else one == two


@given(VALUES, VALUES)
def test_keys_are_equal_where_values_are(one, two):
    assert (canonical(one) == canonical(two)) == equal(one, two)
    assert canonical(one) == canonical(one)
    hash(canonical(one))


def test_what_is_equal():
    for one, two in [
        (1, 1.0),
        (1, Decimal("1.0")),
        (0.1, Decimal("0.1")),
        (0.5, Fraction(1, 2)),
        (-0.0, 0),
        (Decimal("1E+3"), 1000),
        ({"a": [1], "b": 2}, {"b": 2.0, "a": [1.0]}),
    ]:
        assert canonical(one) == canonical(two)
        assert hash(canonical(one)) == hash(canonical(two))


def test_what_is_not():
    for one, two in [
        (1, True),
        (0, False),
        ([1], [True]),
        ([], {}),
        ("1", 1),
        (None, False),
        (1, Decimal("1.00000000000000000000000000000000000000001")),
        ([["a", 1]], {"a": 1}),
    ]:
        assert canonical(one) != canonical(two)


def test_what_is_no_json():
    with pytest.raises(TypeError, match="a set is not JSON"):
        canonical([set()])


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9), st.integers(-30, 30))
def test_multiples_are_exact(factor, step, exponent):
    product = Decimal(factor * step).scaleb(exponent)
    divisor = Decimal(step).scaleb(exponent)
    assert is_multiple(product, divisor)
    assert not is_multiple(Fraction(product) + Fraction(divisor) / 2, divisor)
    assert is_multiple(product, divisor * 7) == (factor % 7 == 0)


@pytest.mark.parametrize(
    ("number", "step", "expected"),
    [
        (0.3, 0.1, True),
        (0.35, 0.1, False),
        (4.35, 0.01, True),
        (1e308, 0.5, True),
        (1e308, 0.123456789, False),
        (0, 0.1, True),
        (-4.5, 1.5, True),
        (5e-324, 1, False),
        (Decimal("1e999999999"), 7, False),
        (Decimal("1e999999999"), 8, True),
        (Decimal("1e-999999999"), 7, False),
    ],
)
def test_multiples(number, step, expected):
    assert is_multiple(number, step) is expected


def test_multiples_of_thousands_of_digits():
    assert not is_multiple(10**5000 + 1, 10)
    assert is_multiple(Decimal(10**5000), 10)


def test_a_float_is_what_its_text_says():
    assert exact(0.1) == Decimal("0.1")
    assert exact(7) == 7
