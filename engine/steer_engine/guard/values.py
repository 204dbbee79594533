"""Values of which a beginning is written.

A value never changes: what is written next makes a new one, which shares the finished parts. So
what has been found out about a value can be kept on it (`answers`, `Cell.totals`) and is right for
every text that begins the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from steer_engine.guard.distinct import Distinct, with_item
from steer_engine.guard.spelling import decoded, whole
from steer_engine.pointers import pointer_to
from steer_engine.schema.equality import canonical

if TYPE_CHECKING:
    from steer_engine.guard.question import Question
    from steer_engine.guard.verdict import Verdict

Kind: TypeAlias = Literal["null", "boolean", "number", "string", "array", "object", "absent"]

_NOTHING_KNOWN: Mapping[Question, Verdict] = MappingProxyType({})


class PartialValue:
    """A JSON value, complete (`is_done`) or with its end still to come.

    `answers` are the verdicts on it; `known` those on the same value when less of it was written;
    `watchers` the questions that someone outside has asked and that are open.
    """

    __slots__ = ("_canonical", "answers", "is_done", "kind", "known", "watchers")

    def __init__(self, kind: Kind, *, is_done: bool) -> None:
        self.kind: Kind = kind
        self.is_done = is_done
        self.answers: dict[Question, Verdict] = {}
        self.known = _NOTHING_KNOWN
        self.watchers: dict[Question, None] = {}
        self._canonical: Hashable = None

    @property
    def canonical(self) -> Hashable:
        """The same for equal values; only of a complete one."""
        if self._canonical is None:
            self._canonical = canonical(plain(self))
        return self._canonical


class Absent(PartialValue):
    """A value that must come and of which nothing is written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("absent", is_done=False)


class Named(PartialValue):
    """true, false or null: known from its first letter."""

    __slots__ = ("value",)

    def __init__(self, value: bool | None) -> None:  # noqa: FBT001 - the value itself
        super().__init__("null" if value is None else "boolean", is_done=True)
        self.value = value


class Number(PartialValue):
    """A number, or the first characters of one."""

    __slots__ = ("text",)

    def __init__(self, text: str, *, is_done: bool) -> None:
        super().__init__("number", is_done=is_done)
        self.text = text


class String(PartialValue):
    """A string, or the first characters of one: the pieces before, the last one, what waits."""

    __slots__ = ("_carry", "_length", "_piece", "_previous")

    def __init__(self, text: str = "", *, is_done: bool) -> None:
        super().__init__("string", is_done=is_done)
        self._previous: String | None = None
        self._piece = text
        self._length = len(text)
        self._carry = b""

    @property
    def size(self) -> int:
        """How many characters (code points) it has at least."""
        return self._length + bool(self._carry)

    @property
    def carry(self) -> bytes:
        """The bytes at the end that do not make a character yet."""
        return self._carry

    @property
    def text(self) -> str:
        """The characters so far."""
        pieces = [self._piece]
        before = self._previous
        while before is not None:
            pieces.append(before._piece)  # noqa: SLF001 - its own
            before = before._previous  # noqa: SLF001
        return "".join(reversed(pieces))

    def grown(self, data: bytes) -> String:
        """Return the string with `data`, which begins with `carry`, written after it."""
        piece, carry = decoded(data)
        longer = String(piece, is_done=False)
        longer._previous, longer._carry = self, carry
        longer._length += self._length
        return longer

    def ended(self, data: bytes) -> String:
        """Return the complete string, whose last bytes are `data`, beginning with `carry`."""
        return String(self.text + whole(data), is_done=True)


class Cell:
    """The finished members of a container as a list: those before, and the last one.

    `totals` holds what the keywords have added up over them.
    """

    __slots__ = ("count", "key", "previous", "totals", "value")

    def __init__(self, previous: Cell | None, key: str | None, value: PartialValue) -> None:
        self.previous = previous
        self.key = key
        self.value = value
        self.count: int = 1 if previous is None else previous.count + 1
        self.totals: dict[object, object] = {}

    @property
    def step(self) -> str | int:
        """The last token of the member's JSON pointer."""
        return self.count - 1 if self.key is None else self.key


class Container(PartialValue):
    """An array or object: its finished members, and the open one."""

    __slots__ = ("is_promised", "key", "keys", "last", "member", "writing")

    def __init__(
        self,
        kind: Literal["array", "object"],
        last: Cell | None,
        keys: Distinct,
        *,
        is_done: bool,
        key: str | None = None,
        member: PartialValue | None = None,
        writing: String | None = None,
        is_promised: bool = False,
    ) -> None:
        super().__init__(kind, is_done=is_done)
        self.last = last
        self.keys = keys  # of the finished members
        self.key = key  # of the open one
        self.member = member  # the open one
        self.writing = writing  # a property name that is not complete
        self.is_promised = is_promised  # another member must come: there is a comma

    @property
    def count(self) -> int:
        """How many members are finished."""
        return 0 if self.last is None else self.last.count

    @property
    def size(self) -> int:
        """How many members it has at least."""
        return self.count + (self.member is not None or self.is_promised)

    @property
    def step(self) -> str | int:
        """The last token of the open member's JSON pointer."""
        return self.count if self.key is None else self.key

    def ended(self) -> Container:
        """Return the container as if it ended here; an open number ends with it."""
        last = self.last
        if isinstance(self.member, Number):
            last = Cell(last, self.key, Number(self.member.text, is_done=True))
        keys = self.keys if self.key is None else with_item(self.keys, self.key)
        kind: Literal["array", "object"] = "array" if self.kind == "array" else "object"
        return Container(kind, last, keys, is_done=True)

    def cells(self) -> list[Cell]:
        """Return the finished members, the first one first."""
        cells: list[Cell] = []
        cell = self.last
        while cell is not None:
            cells.append(cell)
            cell = cell.previous
        return cells[::-1]

    def members(self, pointer: str) -> Iterator[tuple[str, str | None, PartialValue]]:
        """Yield pointer, key and value of each member, the open one last."""
        for cell in self.cells():
            yield pointer_to(pointer, cell.step), cell.key, cell.value
        if self.member is not None:
            yield pointer_to(pointer, self.step), self.key, self.member


def plain(value: PartialValue) -> object:
    """Return a complete value as Python objects; its numbers are int or Decimal."""
    if isinstance(value, Container):
        if value.kind == "array":
            return [plain(cell.value) for cell in value.cells()]
        return {cell.key: plain(cell.value) for cell in value.cells()}
    if isinstance(value, Number):
        return exact_number(value.text)
    if isinstance(value, String):
        return value.text
    return value.value if isinstance(value, Named) else None


_MAX_EXPONENT = 10**15  # beyond it decimal gives up; no two such numbers need telling apart
_MAX_DIGITS = 4000  # more of them make int() refuse


def exact_number(text: str) -> int | Decimal:
    """Return the number that `text` spells, exactly."""
    if len(text) <= _MAX_DIGITS and text.lstrip("-").isdecimal():
        return int(text)
    mantissa, mark, exponent = text.replace("E", "e").partition("e")
    if not mark:
        return Decimal(mantissa)
    digits = exponent.lstrip("+-0")[: len(str(_MAX_EXPONENT)) + 1] or "0"
    sign = "-" if exponent.startswith("-") else ""
    return Decimal(f"{mantissa}e{sign}{min(int(digits), _MAX_EXPONENT)}")


def rounded_number(text: str) -> int | Decimal:
    """Return the number that is read from `text`: of one that is not whole, the float for it."""
    return exact_number(text if text.lstrip("-").isdecimal() else repr(float(text)))
