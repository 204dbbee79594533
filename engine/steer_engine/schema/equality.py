"""When two JSON values are equal, and when a number is a multiple of another: exactly.

Numbers mean what their decimal text says. A float stands for the shortest text that reads back as
it, so that 0.1 is a tenth.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

Number: TypeAlias = "int | float | Decimal | Fraction"


def canonical(value: object) -> Hashable:
    """Return a key that two values share if and only if JSON Schema calls them equal.

    1, 1.0 and `Decimal("1.0")` are equal, 1 and true are not, and an object has no order.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return bool, value  # Python takes True for 1
    if isinstance(value, float):
        return exact(value)
    if isinstance(value, Mapping):
        return frozenset((key, canonical(item)) for key, item in value.items())
    if isinstance(value, Sequence):
        return list, tuple(canonical(item) for item in value)
    if isinstance(value, int | Decimal | Fraction):
        return value
    raise TypeError(f"a {type(value).__name__} is not JSON")


def exact(number: Number) -> int | Decimal | Fraction:
    """Return `number` as its text says it: a float becomes a `Decimal`."""
    return Decimal(repr(number)) if isinstance(number, float) else number


def is_multiple(number: Number, step: Number) -> bool:
    """Return whether `number` is a whole multiple of `step`, which is not zero.

    No digit is lost, and 1e400 costs no more than 1.
    """
    dividend, divisor = exact(number), exact(step)
    if isinstance(dividend, Fraction) or isinstance(divisor, Fraction):
        return (Fraction(dividend) / Fraction(divisor)).denominator == 1
    (digits, exponent), (step_digits, step_exponent) = _scaled(dividend), _scaled(divisor)
    shift = exponent - step_exponent
    if digits == 0:
        return True
    if shift >= 0:
        return digits * pow(10, shift, step_digits) % step_digits == 0
    # 10 ** -shift can only divide what has at least so many digits.
    return -shift <= digits.bit_length() and digits % (step_digits * 10**-shift) == 0


def _scaled(number: int | Decimal) -> tuple[int, int]:
    """Return whole `digits` and `exponent`: the size of `number` is digits * 10 ** exponent."""
    if isinstance(number, int):
        return abs(number), 0
    _, digits, exponent = number.as_tuple()
    return int(Decimal((0, digits, 0))), int(exponent)  # by way of text, 4,300 digits is the end
