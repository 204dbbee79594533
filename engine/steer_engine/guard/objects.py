"""The keywords about objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from steer_engine.guard.compiler import Place
from steer_engine.guard.question import Blame, Folding, Keyword, Subschema
from steer_engine.guard.values import Cell, Container, String
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict, all_of
from steer_engine.pointers import pointer_to
from steer_engine.schema.patterns import matches

_MAX_REMEMBERED = 1000  # property names whose schemas are kept at hand
_BROKEN = -1


class Properties(Folding[int]):
    """`properties`, `patternProperties` and `additionalProperties`.

    The total is how many properties of which something is declared are there, or `_BROKEN`.
    """

    __slots__ = ("_by_key", "_declared", "_n_declared", "_patterns", "_rest")
    kinds = frozenset({"object"})

    def __init__(self, place: Place) -> None:
        super().__init__("properties", place.pointer)
        self._declared = place.named("properties")
        self._patterns = place.named("patternProperties")
        self._rest = place.one("additionalProperties")
        self._n_declared = sum(schema is not None for schema in self._declared.values())
        self._by_key: dict[str, tuple[Subschema, ...]] = {}

    @property
    def says_nothing(self) -> bool:
        """Whether every object satisfies it."""
        return not self._n_declared and self._is_silent_on_others

    @property
    def _is_silent_on_others(self) -> bool:
        return self._rest is None and not any(self._patterns.values())

    def start(self) -> int:
        """No property is there."""
        return 0

    def with_cell(self, total: int, cell: Cell) -> int:
        """Look at one more property."""
        key = cell.key or ""
        if total == _BROKEN:
            return _BROKEN
        if any(schema.verdict(cell.value) is INVALID for schema in self._schemas_of(key)):
            return _BROKEN
        return total + (self._declared.get(key) is not None)

    def verdict(self, value: Container) -> Verdict:
        """Valid before its end where all properties of which something is said are there."""
        total = self.total(value.last)
        if total == _BROKEN:
            return INVALID
        result = VALID
        if value.member is not None and value.key is not None:
            member = value.member
            result = all_of([schema.watched(member) for schema in self._schemas_of(value.key)])
            total += self._declared.get(value.key) is not None
        if result is INVALID or value.is_done:
            return result
        is_settled = self._is_silent_on_others and total == self._n_declared
        return result if is_settled else OPEN

    def blame(self, value: Container, pointer: str) -> Blame:
        """Blame what makes the first invalid property so."""
        for where, key, member in value.members(pointer):
            for schema in self._schemas_of(key or ""):
                if schema.verdict(member) is INVALID:
                    return schema.blame(member, where)
        return super().blame(value, pointer)

    def _schemas_of(self, key: str) -> tuple[Subschema, ...]:
        schemas = self._by_key.get(key)
        if schemas is None:
            if len(self._by_key) >= _MAX_REMEMBERED:
                self._by_key.clear()
            schemas = self._by_key[key] = self._looked_up(key)
        return schemas

    def _looked_up(self, key: str) -> tuple[Subschema, ...]:
        found = [schema for pattern, schema in self._patterns.items() if matches(pattern, key)]
        if key in self._declared:
            found.append(self._declared[key])
        if not found:
            found.append(self._rest)
        return tuple(schema for schema in found if schema is not None)


class PropertyNames(Folding[bool]):
    """`propertyNames`; the total is whether all names are valid."""

    __slots__ = ("_schema",)
    kinds = frozenset({"object"})

    def __init__(self, pointer: str, schema: Subschema) -> None:
        super().__init__("propertyNames", pointer)
        self._schema = schema

    def start(self) -> bool:
        """No name is invalid."""
        return True

    def with_cell(self, total: bool, cell: Cell) -> bool:  # noqa: FBT001 - a total
        """Look at one more name."""
        return total and self._allows(cell.key or "")

    def verdict(self, value: Container) -> Verdict:
        """A name may be seen to be wrong before it is complete."""
        if not self.total(value.last):
            return INVALID
        if value.key is not None and not self._allows(value.key):
            return INVALID
        if value.writing is not None and self._schema.watched(value.writing) is INVALID:
            return INVALID
        return VALID if value.is_done else OPEN

    def blame(self, value: Container, pointer: str) -> Blame:
        """Blame the object: a name has no pointer of its own."""
        name = value.writing
        if name is None:
            wrong = [
                key or "" for _, key, _ in value.members(pointer) if not self._allows(key or "")
            ]
            name = String(wrong[0], is_done=True)
        return self._schema.blame(name, pointer_to(pointer, name.text))

    def _allows(self, key: str) -> bool:
        return self._schema.verdict(String(key, is_done=True)) is VALID


class Required(Folding[int]):
    """`required`; the total is how many of its properties are there."""

    __slots__ = ("_max_properties", "_names")
    kinds = frozenset({"object"})

    def __init__(self, place: Place, names: list[str]) -> None:
        super().__init__("required", place.pointer)
        self._names = frozenset(names)
        self._max_properties = place.number("maxProperties")

    def start(self) -> int:
        """None is there."""
        return 0

    def with_cell(self, total: int, cell: Cell) -> int:
        """Count one more property; no key comes twice."""
        return total + (cell.key in self._names)

    def verdict(self, value: Container) -> Verdict:
        """A property is there as soon as its name is."""
        n_missing = len(self._names) - self.total(value.last) - (value.key in self._names)
        return _missing(value, n_missing, self._max_properties)


class DependentRequired(Folding[frozenset[str]]):
    """`dependentRequired`; the total is which of the names concerned are there."""

    __slots__ = ("_beside", "_max_properties", "_names")
    kinds = frozenset({"object"})

    def __init__(self, place: Place, beside: dict[str, list[str]]) -> None:
        super().__init__("dependentRequired", place.pointer)
        self._beside = {key: frozenset(names) for key, names in beside.items()}
        self._names = frozenset(self._beside).union(*self._beside.values())
        self._max_properties = place.number("maxProperties")

    def start(self) -> frozenset[str]:
        """None is there."""
        return frozenset()

    def with_cell(self, total: frozenset[str], cell: Cell) -> frozenset[str]:
        """Add one more name."""
        return total | {cell.key} if cell.key in self._names else total

    def verdict(self, value: Container) -> Verdict:
        """Valid before its end once nothing that is still to come can need anything."""
        there = self.total(value.last)
        if value.key in self._names:
            there |= {value.key}
        needed = frozenset[str]().union(*[self._beside[key] for key in there & self._beside.keys()])
        if needed <= there and not self._beside.keys() <= there and not value.is_done:
            return OPEN
        return _missing(value, len(needed - there), self._max_properties)


def _missing(value: Container, n_missing: int, max_properties: float | None) -> Verdict:
    """Return the verdict on an object that must get `n_missing` properties that it has not."""
    if n_missing == 0:
        return VALID
    n_written = value.count + (value.key is not None)
    is_full = max_properties is not None and n_written + n_missing > max_properties
    return INVALID if value.is_done or is_full else OPEN


def of_objects(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what is said about objects."""
    properties, names = Properties(place), place.one("propertyNames")
    if not properties.says_nothing:
        yield properties
    if names is not None:
        yield PropertyNames(place.pointer, names)
    if place.names("required"):
        yield Required(place, place.names("required"))
    beside = place.schema.get("dependentRequired")
    if isinstance(beside, dict) and any(beside.values()):
        needs = {key: _strings(names) for key, names in beside.items() if names}
        yield DependentRequired(place, needs)


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
