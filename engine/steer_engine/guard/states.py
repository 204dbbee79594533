"""The guard: whether what is being written can still become a valid value."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.errors import RowError
from steer_engine.guard.applicators import of_applicators
from steer_engine.guard.arrays import of_arrays
from steer_engine.guard.compiler import Builder, Compiler
from steer_engine.guard.constants import of_constants
from steer_engine.guard.objects import of_objects
from steer_engine.guard.position import DuplicateKeyError, Position
from steer_engine.guard.question import Blame, Subschema
from steer_engine.guard.reader import end, read
from steer_engine.guard.scalars import of_numbers, of_sizes, of_texts, of_type
from steer_engine.guard.unevaluated import of_unevaluated
from steer_engine.guard.values import Container, PartialValue
from steer_engine.guard.verdict import INVALID, OPEN, Verdict
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import JsonSchema

BUILDERS: tuple[Builder, ...] = (
    # What costs least is asked first.
    of_type,
    of_constants,
    of_sizes,
    of_numbers,
    of_texts,
    of_arrays,
    of_objects,
    of_applicators,
    of_unevaluated,
)

DUPLICATE_KEY = "duplicate key"


@dataclass(frozen=True, slots=True)
class Violation:
    """Bytes after which no valid value can come, and whom to blame.

    `n_bytes` counts the bytes of the spelling up to and with the offending one: every token that
    begins with them is wrong too. `keyword` is "duplicate key" where a key is written twice.
    """

    n_bytes: int
    keyword: str
    schema_pointer: str
    value_pointer: str


class Guard:
    """Judges values that are being written by a schema document; immutable, shared by rows.

    The `$ref`s of `document` are JSON pointers into itself. Where `exponents` is False the mask
    writes no number with an exponent, and so more can be said of the first digits of one.

    Raises:
        SchemaError: a `$ref` leads nowhere, or back to itself.
    """

    def __init__(self, document: JsonSchema, *, exponents: bool = True) -> None:
        self._compiler = Compiler(document, BUILDERS, exponents=exponents)
        self._schema = self._compiler.subschema("")

    def start(self) -> GuardState:
        """Return the state before the first byte."""
        position = Position()
        value, _ = position.value_at(0)
        self._schema.watched(value)
        return GuardState(self._schema, position, _levels_of(value))


class Level:
    """An open value as the guard knows it: the verdicts on it, and the questions that are open."""

    __slots__ = ("answers", "watchers")

    def __init__(self, value: PartialValue) -> None:
        self.answers = value.answers
        self.watchers = tuple(value.watchers)


Levels: TypeAlias = tuple[Level, ...]
"""The open values from the outermost to the last one about which something is asked."""


class GuardState:
    """Where one text stands. Advancing leaves it as it is: going back is keeping it."""

    __slots__ = ("_levels", "_position", "_schema")

    def __init__(self, schema: Subschema, position: Position, levels: Levels) -> None:
        self._schema = schema
        self._position = position
        self._levels = levels

    @property
    def value(self) -> PartialValue:
        """The value as far as it is written."""
        return self._position.value_at(0)[0]

    @property
    def pointer(self) -> str:
        """JSON pointer of the innermost open container."""
        return pointer_of(self.value)

    @property
    def verdict(self) -> Verdict:
        """What is known of the value."""
        return self._levels[0].answers.get(self._schema, OPEN)

    def advance(self, spelling: bytes) -> GuardState | Violation:
        """Return the state after `spelling`, the bytes of one token of well-formed JSON.

        Raises:
            RowError: the value nests so deeply that it cannot be judged.
        """
        try:
            position = read(self._position, spelling)
        except DuplicateKeyError as error:
            return self._duplicate(spelling, error)
        try:
            levels = self._judged(position)
            if levels is None:
                return self._violation(spelling)
        except RecursionError as error:
            raise RowError("the value nests too deeply to be judged by its schema") from error
        return GuardState(self._schema, position, levels)

    def finish(self) -> Violation | None:
        """Return what is wrong with the value if the text ends here."""
        position = end(self._position)
        if self._judged(position) is None:
            return self._blamed(position, 0)
        return None

    def _judged(self, position: Position) -> Levels | None:
        """Return what is known after what `position` has read last; None where that is invalid.

        Only the part of the value that changed is looked at, and from there outwards only as long
        as something has been decided that the value around it waits for.
        """
        depth = position.floor
        if self.verdict is INVALID:
            return None  # nothing at all is valid
        if depth >= len(self._levels):
            return self._levels  # nobody has asked about it
        if not self._levels[depth].watchers:
            return self._levels[: depth + 1]  # all that was asked is decided
        value, frame = position.value_at(depth)
        while self._decides(value, self._levels[depth]) and frame is not None:
            # The value around asks anew, and perhaps less.
            value.watchers.clear()
            value, frame, depth = position.around(value, frame), frame.parent, depth - 1
        if depth == 0 and value.answers.get(self._schema) is INVALID:
            return None
        return self._levels[:depth] + _levels_of(value)

    def _decides(self, value: PartialValue, level: Level) -> bool:
        """Ask what was open about a value; return whether something is decided now."""
        value.known = level.answers
        verdicts = [question.watched(value) for question in level.watchers]
        return verdicts.count(OPEN) < len(verdicts)

    def _violation(self, spelling: bytes) -> Violation:
        def is_invalid(n_bytes: int) -> bool:
            return self._judged(read(self._position, spelling[:n_bytes])) is None

        # What is invalid stays so: the first offending byte can be searched by halves.
        n_bytes = 1 + bisect_left(range(1, len(spelling) + 1), x=True, key=is_invalid)
        return self._blamed(read(self._position, spelling[:n_bytes]), n_bytes)

    def _blamed(self, position: Position, n_bytes: int) -> Violation:
        value, _ = position.value_at(0)
        try:
            self._schema.verdict(value)
            blame = self._schema.blame(value, "")
        except RecursionError:  # the way from the root is too long: name the place alone
            blame = Blame("", "", pointer_of(value))
        return Violation(n_bytes, blame.keyword, blame.schema_pointer, blame.value_pointer)

    def _duplicate(self, spelling: bytes, error: DuplicateKeyError) -> Violation:
        before = read(self._position, spelling[: error.n_bytes - 1])
        pointer = pointer_to(pointer_of(before.value_at(0)[0]), error.key)
        return Violation(error.n_bytes, DUPLICATE_KEY, "", pointer)


def path_of(value: PartialValue | None) -> list[PartialValue]:
    """Return the open values from `value` inwards."""
    path = []
    while value is not None:
        path.append(value)
        value = (value.member or value.writing) if isinstance(value, Container) else None
    return path


def pointer_of(value: PartialValue) -> str:
    """Return the JSON pointer of the innermost open container of `value`."""
    pointer = ""
    while isinstance(value, Container) and isinstance(value.member, Container):
        pointer = pointer_to(pointer, value.step)
        value = value.member
    return pointer


def _levels_of(value: PartialValue) -> Levels:
    levels: list[Level] = []
    for each in path_of(value):
        levels.append(Level(each))
        if not each.watchers:
            break  # nobody asks about what is inside it
    return tuple(levels)
