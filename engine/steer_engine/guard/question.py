"""What is asked of a value, and of the keywords of a schema."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from steer_engine.guard.values import Cell, Container, Kind, PartialValue
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict
from steer_engine.schema.document import JsonSchema

AnyValue = TypeVar("AnyValue", bound=PartialValue)
Total = TypeVar("Total")

EVERY_KIND: frozenset[Kind] = frozenset(
    ("null", "boolean", "number", "string", "array", "object", "absent")
)


@dataclass(frozen=True, slots=True)
class Blame:
    """The keyword that makes a value invalid, where it stands, and the value."""

    keyword: str
    schema_pointer: str
    value_pointer: str


class Question(ABC):
    """Something that a value satisfies or does not; asked of one value, it is answered once."""

    __slots__ = ()

    @abstractmethod
    def judge(self, value: PartialValue) -> Verdict:
        """Work out the answer."""

    def verdict(self, value: PartialValue) -> Verdict:
        """Return the answer."""
        answer = value.answers.get(self)
        if answer is None:
            # What was decided when less of it was written is decided.
            answer = value.known.get(self, OPEN)
            if answer is OPEN:
                answer = self.judge(value)
            value.answers[self] = answer
        return answer

    def watched(self, value: PartialValue) -> Verdict:
        """Return the answer to one who stands outside `value` and waits for it to be decided."""
        answer = self.verdict(value)
        if answer is OPEN:
            value.watchers[self] = None
        return answer


class Keyword(ABC, Generic[AnyValue]):
    """A keyword at one place of the document; `kinds` are those of which it says anything."""

    __slots__ = ("name", "pointer")
    kinds: frozenset[Kind] = EVERY_KIND

    def __init__(self, name: str, pointer: str) -> None:
        self.name = name
        self.pointer = pointer

    @abstractmethod
    def verdict(self, value: AnyValue) -> Verdict:
        """Return whether `value` satisfies it."""

    def blame(self, value: AnyValue, pointer: str) -> Blame:
        """Return what makes `value`, at `pointer`, invalid; only where it is."""
        del value
        return Blame(self.name, self.pointer, pointer)

    def branches(self) -> tuple[Subschema, ...]:
        """Return the subschemas that it applies to the very same value."""
        return ()


class Folding(Keyword[Container], Generic[Total]):
    """A keyword that adds something up over the finished members of a container.

    A total is kept on each member, so that one more costs one step, whatever went before.
    """

    __slots__ = ()

    @abstractmethod
    def start(self) -> Total:
        """Return the total over no members."""

    @abstractmethod
    def with_cell(self, total: Total, cell: Cell) -> Total:
        """Return the total over one more member."""

    def total(self, cell: Cell | None) -> Total:
        """Return the total over the members up to `cell`."""
        waiting: list[Cell] = []
        while cell is not None and self not in cell.totals:
            waiting.append(cell)
            cell = cell.previous
        total = self.start() if cell is None else cast("Total", cell.totals[self])
        for each in reversed(waiting):
            total = each.totals[self] = self.with_cell(total, each)
        return total


class Subschema(Question):
    """A schema of the document: all of its keywords, by the kind of value they speak of."""

    __slots__ = ("checks", "pointer", "schema")

    def __init__(self, pointer: str, schema: JsonSchema) -> None:
        self.pointer = pointer
        self.schema = schema
        self.checks: dict[Kind, tuple[Keyword[Any], ...]] = dict.fromkeys(EVERY_KIND, ())

    def judge(self, value: PartialValue) -> Verdict:
        """Work out whether `value` satisfies all keywords."""
        result = VALID
        for check in self.checks[value.kind]:
            verdict = check.verdict(value)
            if verdict is INVALID:
                return INVALID
            if verdict is OPEN:
                result = OPEN
        return result

    def blame(self, value: PartialValue, pointer: str) -> Blame:
        """Return what makes `value`, at `pointer`, invalid; only where it is."""
        for check in self.checks[value.kind]:
            if check.verdict(value) is INVALID:
                return check.blame(value, pointer)
        return Blame("", self.pointer, pointer)

    def branches(self) -> set[Subschema]:
        """Return the subschemas that are applied to the very same value."""
        return {
            branch
            for checks in self.checks.values()
            for check in checks
            for branch in check.branches()
        }
