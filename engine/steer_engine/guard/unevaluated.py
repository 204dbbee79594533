"""`unevaluatedProperties` and `unevaluatedItems`: what no other schema has looked at.

Whether a member is evaluated depends on which of the schemas for the same value look at it, and
on which of those turn out to count. Members that the same schemas look at are one case: what is
added up over them does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from steer_engine.guard.compiler import Place, in_place
from steer_engine.guard.distinct import holds
from steer_engine.guard.question import Blame, Folding, Keyword, Question, Subschema
from steer_engine.guard.values import Cell, Container, PartialValue
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict, all_of, any_of, negated
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import JsonObject
from steer_engine.schema.patterns import matches

Lookers: TypeAlias = frozenset[str]
"""The schemas, by pointer, that look at a member if they count."""

_MAX_REMEMBERED = 1000  # property names that are kept at hand


class HasKey(Question):
    """Whether an object has a property."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def judge(self, value: PartialValue) -> Verdict:
        """Work out whether it has."""
        if not isinstance(value, Container):
            return OPEN
        if value.key == self._key or holds(value.keys, self._key):
            return VALID
        return INVALID if value.is_done else OPEN


class Fails(Question):
    """Whether a schema is not satisfied."""

    __slots__ = ("_schema",)

    def __init__(self, schema: Subschema) -> None:
        self._schema = schema

    def judge(self, value: PartialValue) -> Verdict:
        """Ask the schema."""
        return negated(self._schema.verdict(value))


class Unevaluated(Folding["frozenset[Lookers] | None"]):
    """The total is who looks at the members that fail the schema; None if of one nobody does."""

    __slots__ = ("_by_key", "_certain", "_graph", "_place", "_schema", "kinds")

    def __init__(self, name: str, place: Place, schema: Subschema) -> None:
        super().__init__(name, place.pointer)
        self.kinds = frozenset({"object" if name == "unevaluatedProperties" else "array"})
        self._place = place
        self._schema = schema
        self._by_key: dict[str, Lookers] = {}
        # The schemas for the same value with those that they apply, each under a condition.
        self._graph: dict[str, list[tuple[str, Question | None]]] = {}
        self._certain: set[str] = set()  # those that count in any case

    def start(self) -> frozenset[Lookers] | None:
        """No member waits to be evaluated."""
        return frozenset()

    def with_cell(self, total: frozenset[Lookers] | None, cell: Cell) -> frozenset[Lookers] | None:
        """Look at one more member."""
        if total is None:
            return None
        lookers, _ = self._lookers(cell.step, cell.value)
        if lookers & self._certain or self._schema.verdict(cell.value) is VALID:
            return total
        return total | {lookers} if lookers else None

    def verdict(self, value: Container) -> Verdict:
        """One member that nothing can evaluate any more is enough."""
        total = self.total(value.last)
        if total is None:
            return INVALID
        result = all_of(self._covered(lookers, value) for lookers in total)
        has_name = value.kind == "array" or value.key is not None
        if result is not INVALID and value.member is not None and has_name:
            evaluated = self._covers(value, value.step, value.member)
            if evaluated is not VALID:
                member = any_of([evaluated, self._schema.watched(value.member)])
                result = all_of([result, member])
        return result if value.is_done or result is INVALID else OPEN

    def blame(self, value: Container, pointer: str) -> Blame:
        """Blame the first member that is not evaluated."""
        for where, key, member in value.members(pointer):
            step = key if key is not None else int(where.rpartition("/")[2])
            evaluated = self._covers(value, step, member)
            if evaluated is INVALID and self._schema.verdict(member) is INVALID:
                return Blame(self.name, self.pointer, where)
        return super().blame(value, pointer)

    def _covers(self, value: Container, step: str | int, member: PartialValue) -> Verdict:
        lookers, perhaps = self._lookers(step, member)
        return self._covered(lookers, value, perhaps)

    def _covered(
        self, lookers: Lookers, value: Container, perhaps: Lookers = frozenset()
    ) -> Verdict:
        """Return whether one of `lookers` counts; whether `perhaps` are such is open."""
        known: dict[str, Verdict] = {}

        def counts(pointer: str) -> Verdict:
            if pointer in lookers:
                return VALID
            if pointer not in known:
                known[pointer] = any_of(
                    (
                        OPEN if pointer in perhaps else INVALID,
                        *(
                            all_of((VALID if need is None else need.verdict(value), counts(branch)))
                            for branch, need in self._graph[pointer]
                        ),
                    )
                )
            return known[pointer]

        return counts(self.pointer)

    def _lookers(self, step: str | int, member: PartialValue) -> tuple[Lookers, Lookers]:
        """Return who looks at the member at `step`, and who does if it turns out to match."""
        if not self._graph:
            self._survey()
        if isinstance(step, int):
            verdicts = {pointer: self._looks_at(pointer, step, member) for pointer in self._graph}
            return _those(verdicts, VALID), _those(verdicts, OPEN)
        lookers = self._by_key.get(step)
        if lookers is None:
            if len(self._by_key) >= _MAX_REMEMBERED:
                self._by_key.clear()
            lookers = frozenset(pointer for pointer in self._graph if self._names(pointer, step))
            self._by_key[step] = lookers
        return lookers, frozenset()

    def _looks_at(self, pointer: str, index: int, member: PartialValue) -> Verdict:
        schema = self._schema_at(pointer)
        first = schema.get("prefixItems")
        is_first = isinstance(first, list) and index < len(first)
        if is_first or "items" in schema or self._asks_below(pointer, schema):
            return VALID
        if "contains" not in schema:
            return INVALID
        contains = self._place.compiler.subschema(pointer_to(pointer, "contains"))
        return contains.watched(member)

    def _names(self, pointer: str, key: str) -> bool:
        schema = self._schema_at(pointer)
        declared, patterns = schema.get("properties"), schema.get("patternProperties")
        if "additionalProperties" in schema or self._asks_below(pointer, schema):
            return True
        if isinstance(declared, dict) and key in declared:
            return True
        return isinstance(patterns, dict) and any(matches(pattern, key) for pattern in patterns)

    def _asks_below(self, pointer: str, schema: JsonObject) -> bool:
        """Return whether another `unevaluated...` has looked at everything before this one."""
        return pointer != self.pointer and self.name in schema

    def _schema_at(self, pointer: str) -> JsonObject:
        schema = self._place.compiler.resolved(pointer)
        return schema if isinstance(schema, dict) else {}

    def _survey(self) -> None:
        """Find all schemas for the same value."""
        waiting = [self.pointer]
        while waiting:
            pointer = waiting.pop()
            if pointer not in self._graph:
                self._graph[pointer] = list(self._branches(self._schema_at(pointer), pointer))
                waiting += [branch for branch, _ in self._graph[pointer]]
        waiting = [self.pointer]
        while waiting:
            pointer = waiting.pop()
            if pointer not in self._certain:
                self._certain.add(pointer)
                waiting += [branch for branch, need in self._graph[pointer] if need is None]

    def _branches(self, schema: JsonObject, pointer: str) -> Iterator[tuple[str, Question | None]]:
        """Yield the schemas that one applies to the same value, and when each one counts."""
        compiler = self._place.compiler
        for where in in_place(schema, pointer):
            yield where, None
        for name in ("anyOf", "oneOf"):
            branches = schema.get(name)
            for index in range(len(branches) if isinstance(branches, list) else 0):
                where = pointer_to(pointer, name, index)
                yield where, compiler.subschema(where)
        if "if" in schema:
            condition = compiler.subschema(pointer_to(pointer, "if"))
            yield pointer_to(pointer, "if"), condition
            if "then" in schema:
                yield pointer_to(pointer, "then"), condition
            if "else" in schema:
                yield pointer_to(pointer, "else"), Fails(condition)
        dependent = schema.get("dependentSchemas")
        for key in dependent if isinstance(dependent, dict) else ():
            yield pointer_to(pointer, "dependentSchemas", key), HasKey(key)


def of_unevaluated(place: Place) -> Iterator[Keyword[Any]]:
    """Yield what is said about members that nothing else looks at."""
    for name in ("unevaluatedProperties", "unevaluatedItems"):
        schema = place.one(name)
        if schema is not None:
            yield Unevaluated(name, place, schema)


def _those(verdicts: dict[str, Verdict], wanted: Verdict) -> Lookers:
    return frozenset(pointer for pointer, verdict in verdicts.items() if verdict is wanted)
