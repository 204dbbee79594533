"""The keywords about kinds of values, numbers and strings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from steer_engine.guard.compiler import Never, Place, Undecided
from steer_engine.guard.numerals import Exact, fraction_of, span_of
from steer_engine.guard.question import EVERY_KIND, Keyword
from steer_engine.guard.values import (
    Container,
    Kind,
    Number,
    String,
    exact_number,
    rounded_number,
)
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict
from steer_engine.schema.equality import is_multiple
from steer_engine.schema.formats import FORMATS, check_format
from steer_engine.schema.patterns import matches


class Integer(Keyword[Number]):
    """`type: integer`: a number without a fraction, however it is spelled."""

    __slots__ = ("_exponents",)
    kinds = frozenset({"number"})

    def __init__(self, pointer: str, *, exponents: bool) -> None:
        super().__init__("type", pointer)
        self._exponents = exponents

    def verdict(self, value: Number) -> Verdict:
        """Without exponents a digit other than 0 after the point decides."""
        if value.is_done:
            return _is(is_multiple(exact_number(value.text), 1))
        is_broken = not self._exponents and fraction_of(value.text).strip("0") != ""
        return INVALID if is_broken else OPEN


class Bound(Keyword[Number]):
    """`minimum`, `exclusiveMinimum`; with `is_upper` `maximum`, `exclusiveMaximum`."""

    __slots__ = ("_exponents", "_is_exclusive", "_is_upper", "_limit")
    kinds = frozenset({"number"})

    def __init__(self, name: str, place: Place, limit: Exact) -> None:
        super().__init__(name, place.pointer)
        self._limit = limit
        self._is_upper = name.endswith("aximum")
        self._is_exclusive = name.startswith("exclusive")
        self._exponents = place.compiler.exponents

    def verdict(self, value: Number) -> Verdict:
        """Of a prefix, both ends of what it can become are looked at.

        A number must keep the bound as it is written, and as the float that is read from it.
        """
        if value.is_done:
            ways = exact_number(value.text), rounded_number(value.text)
            return _is(all(map(self._allows, ways)))
        span = span_of(value.text, exponents=self._exponents)
        if self._allows(span.low) and self._allows(span.high):
            return VALID
        return OPEN if self._reaches(span.low, span.has_low, span.high, span.has_high) else INVALID

    def _allows(self, number: Exact) -> bool:
        """Return whether `number` keeps the bound."""
        if number == self._limit:
            return not self._is_exclusive
        return number < self._limit if self._is_upper else number > self._limit

    def _reaches(self, low: Exact, has_low: bool, high: Exact, has_high: bool) -> bool:  # noqa: FBT001
        """Return whether some number from `low` to `high` keeps the bound."""
        near, has_near = (low, has_low) if self._is_upper else (high, has_high)
        if near == self._limit:
            return has_near and not self._is_exclusive
        return near < self._limit if self._is_upper else near > self._limit


class MultipleOf(Keyword[Number]):
    """`multipleOf`, in decimal arithmetic."""

    __slots__ = ("_exponents", "_n_decimals", "_step")
    kinds = frozenset({"number"})

    def __init__(self, place: Place, step: float) -> None:
        super().__init__("multipleOf", place.pointer)
        self._step = exact_number(repr(step))
        self._exponents = place.compiler.exponents
        self._n_decimals = max(0, -int(Decimal(self._step).as_tuple().exponent))

    def verdict(self, value: Number) -> Verdict:
        """Without exponents, more decimals than the step has are too many."""
        if value.is_done:
            return _is(is_multiple(exact_number(value.text), self._step))
        beyond = fraction_of(value.text)[self._n_decimals :]
        return INVALID if not self._exponents and beyond.strip("0") else OPEN


class AtLeast(Keyword[String | Container]):
    """`minLength`, `minItems`, `minProperties`."""

    __slots__ = ("_limit", "kinds")

    def __init__(self, name: str, pointer: str, kind: Kind, limit: float) -> None:
        super().__init__(name, pointer)
        self.kinds = frozenset({kind})
        self._limit = limit

    def verdict(self, value: String | Container) -> Verdict:
        """What is written only grows."""
        if value.size >= self._limit:
            return VALID
        return INVALID if value.is_done else OPEN


class AtMost(Keyword[String | Container]):
    """`maxLength`, `maxItems`, `maxProperties`."""

    __slots__ = ("_limit", "kinds")

    def __init__(self, name: str, pointer: str, kind: Kind, limit: float) -> None:
        super().__init__(name, pointer)
        self.kinds = frozenset({kind})
        self._limit = limit

    def verdict(self, value: String | Container) -> Verdict:
        """What is written only grows."""
        if value.size > self._limit:
            return INVALID
        return VALID if value.is_done else OPEN


class WholeText(Keyword[String]):
    """`pattern` or `format`, once the string is complete: a beginning decides nothing."""

    __slots__ = ("_check",)
    kinds = frozenset({"string"})

    def __init__(self, name: str, pointer: str, check: Callable[[str], bool]) -> None:
        super().__init__(name, pointer)
        self._check = check

    def verdict(self, value: String) -> Verdict:
        """Both are checked as a whole."""
        return _is(self._check(value.text)) if value.is_done else OPEN


class WrongKind(Never):
    """`type` for the kinds that it does not name."""

    __slots__ = ("kinds",)

    def __init__(self, pointer: str, kinds: frozenset[Kind]) -> None:
        super().__init__("type", pointer)
        self.kinds = kinds


class SomeKind(Undecided):
    """`type` before anything is written."""

    __slots__ = ()
    kinds = frozenset({"absent"})


def of_type(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what `type` says."""
    if "type" not in place.schema:
        return
    named = place.schema["type"]
    types = {str(each) for each in named} if isinstance(named, list) else {str(named)}
    right = types | ({"number"} if "integer" in types else set())
    yield SomeKind("type", place.pointer)
    yield WrongKind(place.pointer, EVERY_KIND - right - {"absent"})
    if "integer" in types and "number" not in types:
        yield Integer(place.pointer, exponents=place.compiler.exponents)


def of_numbers(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what is said about numbers."""
    for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        limit = place.number(name)
        if limit is not None:
            yield Bound(name, place, exact_number(repr(limit)))
    step = place.number("multipleOf")
    if step is not None:
        yield MultipleOf(place, step)


_SIZES: tuple[tuple[str, str, Kind], ...] = (
    ("minLength", "maxLength", "string"),
    ("minItems", "maxItems", "array"),
    ("minProperties", "maxProperties", "object"),
)


def of_sizes(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what is said about lengths and counts."""
    for smallest, largest, kind in _SIZES:
        least, most = place.number(smallest), place.number(largest)
        if least is not None and least > 0:
            yield AtLeast(smallest, place.pointer, kind, least)
        if most is not None:
            yield AtMost(largest, place.pointer, kind, most)


def of_texts(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what is said about strings."""
    pattern, format_name = place.schema.get("pattern"), place.schema.get("format")
    if isinstance(pattern, str):
        yield WholeText("pattern", place.pointer, partial(matches, pattern))
    if isinstance(format_name, str) and format_name in FORMATS:
        yield WholeText("format", place.pointer, partial(check_format, format_name))


def _is(truth: bool) -> Verdict:  # noqa: FBT001 - an answer becomes a verdict
    return VALID if truth else INVALID
