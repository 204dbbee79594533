"""`const` and `enum`: a value that is one of those given, also as far as it is written."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from steer_engine.guard.compiler import Place
from steer_engine.guard.numerals import may_become
from steer_engine.guard.question import Folding, Keyword, Question
from steer_engine.guard.values import Cell, Container, Number, PartialValue, String, exact_number
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict, any_of
from steer_engine.schema.document import JsonValue
from steer_engine.schema.equality import canonical

_MAX_COMPARED = 100  # numbers, arrays or objects with which the beginning of a value is compared


class Constants(Keyword[PartialValue]):
    """`enum`, and `const` as an enum of one."""

    __slots__ = ("_question",)

    def __init__(self, name: str, pointer: str, question: Among) -> None:
        super().__init__(name, pointer)
        self._question = question

    def verdict(self, value: PartialValue) -> Verdict:
        """Return whether it is one of them."""
        return self._question.verdict(value)


class Among(Question):
    """Whether a value is one of those given. The beginning of a value has to begin one of them."""

    __slots__ = ("_containers", "_exponents", "_longest", "_numbers", "_strings", "_values")

    def __init__(self, values: list[JsonValue], *, exponents: bool) -> None:
        self._values: frozenset[Hashable] = frozenset(map(canonical, values))
        self._exponents = exponents
        self._strings = sorted(value for value in values if isinstance(value, str))
        self._longest = max(map(len, self._strings), default=0)
        self._numbers = [
            exact_number(repr(value))
            for value in values
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        containers = [value for value in values if isinstance(value, list | dict)]
        self._containers: list[Keyword[Container]] | None = None
        if len(containers) <= _MAX_COMPARED:
            self._containers = [Beginning(value, exponents=exponents) for value in containers]

    def judge(self, value: PartialValue) -> Verdict:
        """Work out whether it is."""
        if value.is_done:
            return VALID if value.canonical in self._values else INVALID
        if isinstance(value, String):
            return OPEN if self._begins_with(value) else INVALID
        if isinstance(value, Number):
            return OPEN if self._may_be_number(value) else INVALID
        if isinstance(value, Container) and self._containers is not None:
            return any_of(each.verdict(value) for each in self._containers)
        return OPEN

    def _begins_with(self, value: String) -> bool:
        if value.size > self._longest:
            return False
        text = value.text
        first = bisect_left(self._strings, text)
        return first < len(self._strings) and self._strings[first].startswith(text)

    def _may_be_number(self, value: Number) -> bool:
        return len(self._numbers) > _MAX_COMPARED or any(
            may_become(value.text, number, exponents=self._exponents) for number in self._numbers
        )


class Beginning(Folding[bool]):
    """Whether an array or object that is not complete can become the given one."""

    __slots__ = ("_is_object", "_members")

    def __init__(self, whole: list[JsonValue] | dict[str, JsonValue], *, exponents: bool) -> None:
        super().__init__("const", "")
        self._is_object = isinstance(whole, dict)
        items: Iterable[tuple[str | int, JsonValue]] = (
            whole.items() if isinstance(whole, dict) else enumerate(whole)
        )
        self._members = {step: Among([item], exponents=exponents) for step, item in items}

    def start(self) -> bool:
        """No member differs."""
        return True

    def with_cell(self, total: bool, cell: Cell) -> bool:  # noqa: FBT001 - a total
        """Compare one more member."""
        expected = self._members.get(cell.step)
        return total and expected is not None and expected.verdict(cell.value) is VALID

    def verdict(self, value: Container) -> Verdict:
        """Compare the members there are."""
        is_object = value.kind == "object"
        if is_object != self._is_object or value.size > len(self._members):
            return INVALID
        if not self.total(value.last):
            return INVALID
        if value.member is None:
            return OPEN
        expected = self._members.get(value.step)
        if expected is None or expected.watched(value.member) is INVALID:
            return INVALID
        return OPEN


def of_constants(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what `const` and `enum` say."""
    exponents = place.compiler.exponents
    if "const" in place.schema:
        among = Among([place.schema["const"]], exponents=exponents)
        yield Constants("const", place.pointer, among)
    values = place.schema.get("enum")
    if isinstance(values, list):
        yield Constants("enum", place.pointer, Among(values, exponents=exponents))
