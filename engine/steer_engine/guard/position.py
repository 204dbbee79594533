"""Where in a JSON text the writing stands."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from steer_engine.guard.distinct import NOTHING, Distinct, holds, with_item
from steer_engine.guard.values import Absent, Cell, Container, Number, PartialValue, String


class Phase(IntEnum):
    """What comes next, or what is being written."""

    VALUE = 0
    FIRST_ITEM = 1
    KEY = 2
    FIRST_KEY = 3
    COLON = 4
    AFTER_MEMBER = 5
    END = 6
    IN_STRING = 7
    IN_NAME = 8
    IN_NUMBER = 9
    IN_WORD = 10


UNTOUCHED: Final = 1 << 60
"""The depth of what changed where nothing did."""


class DuplicateKeyError(Exception):
    """A property name has been written twice; its last byte is number `n_bytes`."""

    def __init__(self, key: str, n_bytes: int) -> None:
        super().__init__(key)
        self.key = key
        self.n_bytes = n_bytes


class Frame:
    """An open container without its open member; `parent` is the one around it."""

    __slots__ = ("is_object", "key", "keys", "last", "parent")

    def __init__(
        self,
        parent: Frame | None,
        last: Cell | None,
        keys: Distinct,
        key: str | None,
        *,
        is_object: bool,
    ) -> None:
        self.parent = parent
        self.last = last
        self.keys = keys  # of the finished members
        self.key = key  # of the open one
        self.is_object = is_object

    def value(
        self,
        member: PartialValue | None = None,
        writing: String | None = None,
        *,
        is_promised: bool = False,
        is_done: bool = False,
    ) -> Container:
        """Return the container as a value."""
        return Container(
            "object" if self.is_object else "array",
            self.last,
            self.keys,
            is_done=is_done,
            key=self.key,
            member=member,
            writing=writing,
            is_promised=is_promised,
        )

    def with_key(self, key: str) -> Frame:
        """Return the object in which the value of `key` comes next."""
        return Frame(self.parent, self.last, self.keys, key, is_object=True)

    def with_member(self, value: PartialValue) -> Frame:
        """Return the container with its open member finished."""
        keys = self.keys if self.key is None else with_item(self.keys, self.key)
        last = Cell(self.last, self.key, value)
        return Frame(self.parent, last, keys, None, is_object=self.is_object)


class Position:
    """A place in a JSON text; it never changes once the reading of a token has come to it.

    `depth` counts the open containers; the value at depth 0 is the whole text. `floor` is the depth
    of the outermost open value that the last token changed otherwise than by changing its open
    member; those further out are the same values as before, with more written of them.
    """

    __slots__ = ("depth", "floor", "frame", "leaf", "n_missing", "phase", "root")

    def __init__(self) -> None:
        self.depth = 0
        self.floor = 0
        self.phase = Phase.VALUE
        self.frame: Frame | None = None  # the innermost open container
        self.leaf: String | Number | None = None  # the open string, name or number
        self.n_missing = 0  # letters of true, false or null
        self.root: PartialValue | None = None  # the whole value, once it is complete

    def copy(self) -> Position:
        """Return the same place, untouched."""
        copy = Position.__new__(Position)
        copy.depth = self.depth
        copy.floor = UNTOUCHED
        copy.phase = self.phase
        copy.frame = self.frame
        copy.leaf = self.leaf
        copy.n_missing = self.n_missing
        copy.root = self.root
        return copy

    def value_at(self, depth: int) -> tuple[PartialValue, Frame | None]:
        """Return the open value at `depth`, and the container in which it stands.

        A property name that is being written counts as a value.
        """
        frame, below = self.frame, self.depth
        if frame is None:
            return self.root or self.leaf or Absent(), None
        if self.leaf is not None:
            value: PartialValue = self.leaf
        elif self.phase in (Phase.VALUE, Phase.COLON):
            value = Absent()
        else:
            value = frame.value(is_promised=self.phase == Phase.KEY)
            frame, below = frame.parent, below - 1
        while frame is not None and below > depth:
            value = self.around(value, frame)
            frame, below = frame.parent, below - 1
        return value, frame

    def around(self, value: PartialValue, frame: Frame) -> Container:
        """Return the container of `frame` with `value` open in it."""
        is_name = value is self.leaf and self.phase == Phase.IN_NAME
        if is_name and isinstance(value, String):
            return frame.value(writing=value, is_promised=True)
        return frame.value(value)

    # What follows moves a copy that nobody else has yet.

    def touch(self, depth: int) -> None:
        """Note that the open value at `depth` has changed."""
        self.floor = min(self.floor, depth)

    def begin(self, leaf: String | Number, phase: Phase) -> None:
        """Begin a string, a name or a number."""
        self.leaf, self.phase = leaf, phase

    def open(self, *, is_object: bool) -> None:
        """Begin a container."""
        self.frame = Frame(self.frame, None, NOTHING, None, is_object=is_object)
        self.phase = Phase.FIRST_KEY if is_object else Phase.FIRST_ITEM
        self.depth += 1

    def close(self) -> None:
        """End the innermost container."""
        if self.frame is not None:
            value = self.frame.value(is_done=True)
            self.frame = self.frame.parent
            self.depth -= 1
            self.complete(value)

    def complete(self, value: PartialValue) -> None:
        """Put a complete value where it belongs."""
        self.leaf = None
        if self.frame is None:
            self.root, self.phase = value, Phase.END
            self.touch(0)
        else:
            self.frame, self.phase = self.frame.with_member(value), Phase.AFTER_MEMBER
            self.touch(self.depth - 1)

    def name(self, key: str, n_bytes: int) -> None:
        """Take a complete property name, which ended after `n_bytes` of the token.

        Raises:
            DuplicateKeyError: the object has it already.
        """
        if self.frame is None or holds(self.frame.keys, key):
            raise DuplicateKeyError(key, n_bytes)
        self.frame, self.phase, self.leaf = self.frame.with_key(key), Phase.COLON, None
        self.touch(self.depth - 1)
