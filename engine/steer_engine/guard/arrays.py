"""The keywords about arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from steer_engine.guard.compiler import Place
from steer_engine.guard.distinct import NOTHING, Distinct, holds, with_item
from steer_engine.guard.question import Blame, Folding, Keyword, Subschema
from steer_engine.guard.values import Cell, Container
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict


class Items(Folding[bool]):
    """`prefixItems` and `items`; the total is whether all items are valid."""

    __slots__ = ("_first", "_rest")
    kinds = frozenset({"array"})

    def __init__(self, pointer: str, first: list[Subschema | None], rest: Subschema | None) -> None:
        super().__init__("items", pointer)
        self._first = first
        self._rest = rest

    def start(self) -> bool:
        """No item is invalid."""
        return True

    def with_cell(self, total: bool, cell: Cell) -> bool:  # noqa: FBT001 - a total
        """Look at one more item."""
        schema = self._schema_at(cell.count - 1)
        return total and (schema is None or schema.verdict(cell.value) is VALID)

    def verdict(self, value: Container) -> Verdict:
        """Valid before its end only where nothing is said of what may follow."""
        if not self.total(value.last):
            return INVALID
        result = VALID
        schema = self._schema_at(value.count)
        if value.member is not None and schema is not None:
            result = schema.watched(value.member)
        if result is INVALID or value.is_done:
            return result
        return result if self._rest is None and value.size >= len(self._first) else OPEN

    def blame(self, value: Container, pointer: str) -> Blame:
        """Blame what makes the first invalid item so."""
        for index, (where, _, item) in enumerate(value.members(pointer)):
            schema = self._schema_at(index)
            if schema is not None and schema.verdict(item) is INVALID:
                return schema.blame(item, where)
        return super().blame(value, pointer)

    def _schema_at(self, index: int) -> Subschema | None:
        return self._first[index] if index < len(self._first) else self._rest


class Contains(Folding[int]):
    """`contains` with `minContains` and `maxContains`; the total is how many items match."""

    __slots__ = ("_least", "_max_items", "_most", "_schema")
    kinds = frozenset({"array"})

    def __init__(self, place: Place, least: float, most: float | None) -> None:
        super().__init__("contains", place.pointer)
        self._schema = place.certain("contains")
        self._least = least
        self._most = most
        self._max_items = place.number("maxItems")

    def start(self) -> int:
        """No item matches."""
        return 0

    def with_cell(self, total: int, cell: Cell) -> int:
        """Count one more item."""
        return total + (self._schema.verdict(cell.value) is VALID)

    def verdict(self, value: Container) -> Verdict:
        """Too many is for good; too few where no room is left for those that are missing."""
        least = self.total(value.last)
        missed = value.count - least
        if value.member is not None:
            match = self._schema.watched(value.member)
            least += match is VALID
            missed += match is INVALID
        if self._most is not None and least > self._most:
            return INVALID
        if value.is_done:
            return VALID if least >= self._least else INVALID
        if self._max_items is not None and self._max_items - missed < self._least:
            return INVALID
        return VALID if self._most is None and least >= self._least else OPEN

    def n_missing(self, value: Container) -> int:
        """Return how many of the items that have to match are not complete yet."""
        return math.ceil(self._least) - self.total(value.last)

    def blame(self, value: Container, pointer: str) -> Blame:
        """Blame the limit that is not kept."""
        too_many = self._most is not None and self.total(value.last) >= self._most
        name = "maxContains" if too_many else "contains"
        if not too_many and self._least > 1:
            name = "minContains"
        return Blame(name, self.pointer, pointer)


class UniqueItems(Folding["tuple[Distinct, bool]"]):
    """`uniqueItems`; the total is the different items, and whether there are no others."""

    __slots__ = ()
    kinds = frozenset({"array"})

    def start(self) -> tuple[Distinct, bool]:
        """No item is there twice."""
        return NOTHING, True

    def with_cell(self, total: tuple[Distinct, bool], cell: Cell) -> tuple[Distinct, bool]:
        """Look for one more item among those before it."""
        items, is_unique = total
        item = cell.value.canonical
        if not is_unique or holds(items, item):
            return items, False
        return with_item(items, item), True

    def verdict(self, value: Container) -> Verdict:
        """An item counts once it is complete."""
        _, is_unique = self.total(value.last)
        if not is_unique:
            return INVALID
        return VALID if value.is_done else OPEN


def of_arrays(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what is said about arrays."""
    first, rest = place.many("prefixItems"), place.one("items")
    if rest is not None or any(first):
        yield Items(place.pointer, first, rest)
    if "contains" in place.schema:
        least, most = place.number("minContains"), place.number("maxContains")
        least = 1 if least is None else least
        if least > 0 or most is not None:
            yield Contains(place, least, most)
    if place.schema.get("uniqueItems") is True:
        yield UniqueItems("uniqueItems", place.pointer)
