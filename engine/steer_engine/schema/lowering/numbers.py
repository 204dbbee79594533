"""The keywords of numbers, as the mask compiler takes them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from steer_engine.schema.document import JsonObject, JsonValue
from steer_engine.schema.equality import canonical
from steer_engine.schema.lowering.facts import Facts
from steer_engine.schema.lowering.reading import NUMBERS, type_of

_MAX_BOUND = 2**53  # the mask compiler computes bounds in floats
_MAX_NEAR = 10**16  # with no more digits than `_N_HELD`, then zeros
_N_HELD = 15  # digits that every float holds
_MAX_DIGITS = 9  # of a number, after the point
_MAX_REMAINDERS = 1000  # that the automaton for multiples of a number tells apart
_MAX_EXCLUDED = 16
_MAX_WAYS = 32


@dataclass(frozen=True, slots=True)
class _Range:
    """Numbers between two ends; an end that is open does not belong to them."""

    low: Decimal | None = None
    high: Decimal | None = None
    is_open_low: bool = False
    is_open_high: bool = False

    def is_empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        is_open = self.is_open_low or self.is_open_high
        return self.low > self.high or (self.low == self.high and is_open)

    def keywords(self) -> JsonObject:
        kept: JsonObject = {}
        if self.low is not None:
            kept["exclusiveMinimum" if self.is_open_low else "minimum"] = _plain(self.low)
        if self.high is not None:
            kept["exclusiveMaximum" if self.is_open_high else "maximum"] = _plain(self.high)
        return kept


def number_keywords(facts: Facts) -> list[JsonObject]:
    """Return what the mask can say of numbers, in alternatives; the rest is noted as not exact."""
    ranges = [_range(facts)]
    for number in _excluded(facts):
        ranges = [part for each in ranges for part in _split(each, number)]
    ranges = [each for each in ranges if not each.is_empty()]
    step = _step(facts)
    steps: list[JsonObject] = [{}] if step is None else [{"multipleOf": _plain(step)}]
    if "fraction" in facts.types:
        _check_open_ends(facts, ranges)
        steps += list[JsonObject]({"multipleOf": _plain(each)} for each in _coarser(step))
        longer = [part for each in ranges for part in _shortened(each)]
        ranges += longer
    if len(ranges) * len(steps) > _MAX_WAYS:
        _note(facts, "multipleOf", "there are too many ranges to count in them")
        steps = [{}]
    return [{**each.keywords(), **step} for each in ranges for step in steps]


def _range(facts: Facts) -> _Range:
    """Return the range that the bounds leave, or one around it that the mask compiler can hold."""
    found = _Range()
    for is_open, low, high in (
        (False, "minimum", "maximum"),
        (True, "exclusiveMinimum", "exclusiveMaximum"),
    ):
        for end in _bounds(facts, low, ROUND_FLOOR):
            if found.low is None or (end, is_open) > (found.low, found.is_open_low):
                found = replace(found, low=end, is_open_low=is_open)
        for end in _bounds(facts, high, ROUND_CEILING):
            if found.high is None or (-end, is_open) > (-found.high, found.is_open_high):
                found = replace(found, high=end, is_open_high=is_open)
    return found


def _bounds(facts: Facts, keyword: str, rounding: str) -> Iterator[Decimal]:
    for value, schema in facts.said.get(keyword, ()):
        end = _decimal(value)
        if end is not None and _is_held(end):
            yield end
            continue
        reason = "it is beyond the numbers that the mask computes with"
        facts.analysis.note(schema, keyword, reason)
        near = None if end is None else _near(end, rounding)
        if near is not None:
            yield near


def _near(end: Decimal, rounding: str) -> Decimal | None:
    """Return a bound near `end`, in the direction of `rounding`, that is read as it is, if any."""
    if abs(end) > _MAX_NEAR:
        is_nearer_zero = (end > 0) == (rounding == ROUND_FLOOR)
        return Decimal(_MAX_NEAR).copy_sign(end) if is_nearer_zero else None
    rounded = Context(prec=_N_HELD, rounding=rounding).plus(end)
    if _n_digits(rounded) > _MAX_DIGITS:
        rounded = rounded.quantize(Decimal(1).scaleb(-_MAX_DIGITS), rounding=rounding)
    return rounded


def _excluded(facts: Facts) -> list[Decimal]:
    """Return the excluded numbers, if the mask can leave them out."""
    values = {canonical(v): v for v, _ in facts.excluded if type_of(v) in NUMBERS}.values()
    numbers = [number for number in map(_decimal, values) if number is not None]
    if len(numbers) <= _MAX_EXCLUDED and all(map(_is_held, numbers)):
        return numbers
    for value, schema in facts.excluded:
        if type_of(value) in NUMBERS:
            facts.analysis.note(schema, "not", "the mask cannot leave out these numbers")
    return []


def _is_held(number: Decimal) -> bool:
    """Tell whether the mask compiler reads a bound as it is: all its digits fit into a float."""
    n_digits = _n_digits(number)
    return n_digits <= _MAX_DIGITS and abs(number.scaleb(n_digits)) <= _MAX_BOUND


def _split(part: _Range, number: Decimal) -> tuple[_Range, ...]:
    inside = (part.low is None or part.low <= number) and (part.high is None or number <= part.high)
    if not inside:
        return (part,)
    return (
        replace(part, high=number, is_open_high=True),
        replace(part, low=number, is_open_low=True),
    )


def _check_open_ends(facts: Facts, ranges: list[_Range]) -> None:
    """Note an open whole end that the mask compiler forgets, as in 1 < x < 1.5."""
    for each in ranges:
        if each.low is None or each.high is None or each.high - each.low >= 1:
            continue
        if (each.is_open_low and each.low == int(each.low)) or (
            each.is_open_high and each.high == int(each.high)
        ):
            reason = "the mask compiler forgets an exclusive bound beside another so near"
            for keyword in ("exclusiveMinimum", "exclusiveMaximum"):
                _note(facts, keyword, reason)
            for value, schema in facts.excluded:
                if type_of(value) in NUMBERS:
                    facts.analysis.note(schema, "not", reason)


def _shortened(part: _Range) -> Iterator[_Range]:
    """Yield ranges for the numbers that the mask compiler forgets below 1.25, such as 1.2.

    Their digits are the first digits of the bound; the same goes for -1.2 above -1.25.
    """
    if part.high is not None and part.high > 0:
        for end in _cut(part.high):
            yield replace(part, high=end, is_open_high=False)
    if part.low is not None and part.low < 0:
        for end in _cut(part.low):
            yield replace(part, low=end, is_open_low=False)


def _cut(end: Decimal) -> Iterator[Decimal]:
    for n_digits in range(1, _n_digits(end)):
        yield end.quantize(Decimal(1).scaleb(-n_digits), rounding=ROUND_DOWN)


def _step(facts: Facts) -> Decimal | None:
    """Return the number whose multiples are allowed, if the mask can count in it."""
    said = [_decimal(value) for value, _ in facts.said.get("multipleOf", ())]
    steps = [Fraction(each) for each in said if each is not None]
    if not steps:
        return None
    joined = steps[0]
    for each in steps[1:]:
        joined = _least_common_multiple(joined, each)
    step = Decimal(joined.numerator) / Decimal(joined.denominator)
    if _n_remainders(step) <= _MAX_REMAINDERS:
        return step
    _note(facts, "multipleOf", "the mask cannot count in steps of this size")
    return None


def _coarser(step: Decimal | None) -> Iterator[Decimal]:
    """Yield the steps between multiples of `step` that have fewer digits: of 0.25, it is 0.5.

    The mask compiler would have these multiples written with all digits, as 0.50.
    """
    for n_digits in range(1, _n_digits(step) if step is not None else 0):
        joined = _least_common_multiple(Fraction(step or 1), Fraction(1, 10**n_digits))
        yield Decimal(joined.numerator) / Decimal(joined.denominator)


def _least_common_multiple(one: Fraction, other: Fraction) -> Fraction:
    numerator = math.lcm(one.numerator * other.denominator, other.numerator * one.denominator)
    return Fraction(numerator, one.denominator * other.denominator)


def _n_remainders(step: Decimal) -> int:
    """Return how many remainders an automaton tells apart; more than it may if it cannot at all."""
    if _n_digits(step) > _MAX_DIGITS:
        return _MAX_REMAINDERS + 1
    left = int(step.scaleb(_n_digits(step)))
    if left >= 2**31:
        return _MAX_REMAINDERS + 1
    for factor in (2, 5):
        while left % factor == 0:
            left //= factor
    return left


def _n_digits(number: Decimal) -> int:
    """Return how many digits `number` has after the point."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _decimal(value: JsonValue) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(repr(value))


def _plain(number: Decimal) -> int | float:
    return int(number) if number == int(number) else float(number)


def _note(facts: Facts, keyword: str, reason: str) -> None:
    for _, schema in facts.said.get(keyword, ()):
        facts.analysis.note(schema, keyword, reason)
