"""Numbers of which the first characters are written: between which bounds they end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TypeAlias

from steer_engine.guard.values import exact_number

Exact: TypeAlias = "int | Decimal"

_PARTS = re.compile(
    r"(?P<sign>-?)(?P<whole>[0-9]*)(?P<point>\.?)(?P<fraction>[0-9]*)"
    r"(?P<mark>[eE]?)(?P<direction>[+-]?)(?P<exponent>[0-9]*)"
)
_INFINITY = Decimal("Infinity")
_EXACT = Context(prec=100_000)  # digits, more than a number in a text has


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from `low` to `high`; `has_low` and `has_high` tell whether the ends belong."""

    low: Exact
    high: Exact
    has_low: bool
    has_high: bool

    def holds(self, number: Exact) -> bool:
        """Return whether `number` lies between the ends."""
        above = number > self.low or (self.has_low and number == self.low)
        return above and (number < self.high or (self.has_high and number == self.high))

    def negated(self) -> Span:
        """Return the span of the negative numbers."""
        return Span(-self.high, -self.low, self.has_high, self.has_low)


def span_of(text: str, *, exponents: bool) -> Span:
    """Return where the number lies that begins with `text`.

    Without `exponents` none can follow digits: then more digits only add to the size.
    """
    match = _PARTS.match(text)
    if match is None:
        return Span(-_INFINITY, _INFINITY, has_low=False, has_high=False)
    size = _size(match, text.lstrip("-"), exponents=exponents)
    return size.negated() if match["sign"] else size


def _size(match: re.Match[str], text: str, *, exponents: bool) -> Span:
    if not match["whole"]:
        return Span(0, _INFINITY, has_low=True, has_high=False)
    mantissa = exact_number(text.partition("e")[0].partition("E")[0].rstrip("."))
    if match["mark"]:
        return _size_with_exponent(match, text, mantissa)
    if exponents:
        return Span(0, _INFINITY, has_low=mantissa == 0, has_high=False)
    if not match["point"] and mantissa != 0:
        return Span(mantissa, _INFINITY, has_low=True, has_high=False)
    step = Decimal((0, (1,), -len(match["fraction"])))
    return Span(mantissa, _EXACT.add(Decimal(mantissa), step), has_low=True, has_high=False)


def _size_with_exponent(match: re.Match[str], text: str, mantissa: Exact) -> Span:
    if mantissa == 0:
        return Span(0, 0, has_low=True, has_high=True)
    so_far = exact_number(text) if match["exponent"] else mantissa
    if match["direction"] == "-":
        return Span(0, so_far, has_low=False, has_high=True)
    if match["direction"] or match["exponent"]:
        return Span(so_far, _INFINITY, has_low=True, has_high=False)
    return Span(0, _INFINITY, has_low=False, has_high=False)


def may_become(text: str, number: Exact, *, exponents: bool) -> bool:
    """Return whether the number that begins with `text` can still be `number`."""
    if not span_of(text, exponents=exponents).holds(number):
        return False
    match = _PARTS.match(text)
    written = "" if match is None else (match["whole"] + match["fraction"]).lstrip("0")
    digits = "".join(map(str, Decimal(number).as_tuple().digits)).lstrip("0")
    # However the point is moved, the digits stay: after those of `number` only zeros may come.
    return digits.startswith(written) or written.rstrip("0") == digits.rstrip("0")


def fraction_of(text: str) -> str:
    """Return the digits after the point."""
    match = _PARTS.match(text)
    return "" if match is None else match["fraction"]
