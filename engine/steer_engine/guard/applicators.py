"""The keywords that apply other schemas to the same value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from steer_engine.guard.compiler import Place, target_of
from steer_engine.guard.question import Blame, Folding, Keyword, Subschema
from steer_engine.guard.values import Cell, Container, PartialValue
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict, all_of, any_of, negated


class Branches(Keyword[PartialValue]):
    """A keyword that joins the verdicts of other schemas on the same value."""

    __slots__ = ("_branches",)

    def __init__(self, name: str, pointer: str, branches: list[Subschema]) -> None:
        super().__init__(name, pointer)
        self._branches = tuple(branches)

    def branches(self) -> tuple[Subschema, ...]:
        """Return the schemas."""
        return self._branches


class AllOf(Branches):
    """`allOf` and `$ref`."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """All have to hold."""
        return all_of(branch.verdict(value) for branch in self._branches)

    def blame(self, value: PartialValue, pointer: str) -> Blame:
        """Blame what the first one that fails blames."""
        broken = (branch for branch in self._branches if branch.verdict(value) is INVALID)
        return next(broken).blame(value, pointer)


class AnyOf(Branches):
    """`anyOf`."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """One has to hold."""
        return any_of(branch.verdict(value) for branch in self._branches)


class OneOf(Branches):
    """`oneOf`."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """One has to hold and the others must not."""
        n_valid, n_open = 0, 0
        for branch in self._branches:
            verdict = branch.verdict(value)
            n_valid += verdict is VALID
            n_open += verdict is OPEN
            if n_valid > 1:
                return INVALID
        if n_open:
            return OPEN
        return VALID if n_valid else INVALID


class Not(Branches):
    """`not`."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """It must not hold."""
        return negated(self._branches[0].verdict(value))


class IfThenElse(Branches):
    """`if` with `then` and `else`."""

    __slots__ = ()

    def verdict(self, value: PartialValue) -> Verdict:
        """While the condition is open, both ways have to agree."""
        condition, then, otherwise = self._branches
        verdict = condition.verdict(value)
        if verdict is VALID:
            return then.verdict(value)
        if verdict is INVALID:
            return otherwise.verdict(value)
        verdict = then.verdict(value)
        return verdict if verdict is otherwise.verdict(value) else OPEN

    def blame(self, value: PartialValue, pointer: str) -> Blame:
        """Blame what the way that was taken blames."""
        condition, then, otherwise = self._branches
        way = otherwise if condition.verdict(value) is INVALID else then
        return way.blame(value, pointer)


class DependentSchemas(Folding[frozenset[str]]):
    """`dependentSchemas`; the total is which of its properties are there."""

    __slots__ = ("_schemas",)
    kinds = frozenset({"object"})

    def __init__(self, pointer: str, schemas: dict[str, Subschema]) -> None:
        super().__init__("dependentSchemas", pointer)
        self._schemas = schemas

    def start(self) -> frozenset[str]:
        """None is there."""
        return frozenset()

    def with_cell(self, total: frozenset[str], cell: Cell) -> frozenset[str]:
        """Add one more."""
        return total | {cell.key} if cell.key in self._schemas else total

    def verdict(self, value: Container) -> Verdict:
        """Those that are there bring their schemas with them."""
        there = self._there(value)
        result = all_of(self._schemas[key].verdict(value) for key in there)
        is_settled = value.is_done or len(there) == len(self._schemas)
        return result if result is INVALID or is_settled else OPEN

    def blame(self, value: Container, pointer: str) -> Blame:
        """Blame what the first schema that fails blames."""
        schemas = (self._schemas[key] for key in self._there(value))
        return next(each for each in schemas if each.verdict(value) is INVALID).blame(
            value, pointer
        )

    def branches(self) -> tuple[Subschema, ...]:
        """Return the schemas."""
        return tuple(self._schemas.values())

    def _there(self, value: Container) -> frozenset[str]:
        there = self.total(value.last)
        return there | {value.key} if value.key in self._schemas else there


def of_applicators(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what schemas for the same value say."""
    here, schema = place.pointer, place.schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield AllOf("$ref", here, [place.compiler.at(target_of(reference))])
    every = [branch for branch in place.many("allOf") if branch is not None]
    if every:
        yield AllOf("allOf", here, every)
    some = place.many("anyOf")
    if some and all(some):
        yield AnyOf("anyOf", here, [branch for branch in some if branch is not None])
    one = schema.get("oneOf")
    if isinstance(one, list):
        yield OneOf("oneOf", here, [place.certain("oneOf", index) for index in range(len(one))])
    if "not" in schema:
        yield Not("not", here, [place.certain("not")])
    if "if" in schema and (place.one("then") or place.one("else")):
        ways = [place.one(way) or _ANYTHING for way in ("then", "else")]
        yield IfThenElse("if", here, [place.certain("if"), *ways])
    dependent = {key: each for key, each in place.named("dependentSchemas").items() if each}
    if dependent:
        yield DependentSchemas(here, dependent)


_ANYTHING = Subschema("", schema=True)
