"""Which value of a JSON text is being written: a JSON Pointer that moves with the bytes."""

from __future__ import annotations

import copy
import json

from steer_engine.pointers import pointer_to

_QUOTE, _BACKSLASH = ord('"'), ord("\\")


class JsonCursor:
    """Follows a valid JSON text byte by byte, in constant time a byte."""

    def __init__(self) -> None:
        self._path: list[str | int] = []
        self._open: list[int] = []  # the brackets that are open, as their opening byte
        self._key: bytearray | None = None  # the property name being written, with its quotes
        self._in_string = self._escaped = self._in_literal = self._expects_key = False
        self._n_written = 0

    @property
    def pointer(self) -> str:
        """JSON Pointer (RFC 6901) of the value the text stands in, or whose turn is next."""
        return pointer_to("", *self._path)

    @property
    def path(self) -> tuple[str | int, ...]:
        """The same place as property names and array indices."""
        return tuple(self._path)

    @property
    def in_string(self) -> bool:
        """Whether a string that is a value, not a property name, has begun and not ended."""
        return self._in_string and self._key is None

    @property
    def in_key(self) -> bool:
        """Whether a property name has begun and not ended."""
        return self._key is not None

    @property
    def in_scalar(self) -> bool:
        """Whether a string, number, true, false or null has begun and not ended."""
        return self.in_string or self._in_literal

    @property
    def n_written(self) -> int:
        """How many bytes the scalar at `pointer` has, complete or not; 0 if it has not begun."""
        return self._n_written

    def copy(self) -> JsonCursor:
        """Return a cursor at the same place that moves on its own."""
        cursor = copy.copy(self)
        cursor._path, cursor._open = self._path.copy(), self._open.copy()  # noqa: SLF001 - its own
        cursor._key = None if self._key is None else self._key.copy()  # noqa: SLF001
        return cursor

    def feed(self, data: bytes) -> None:
        """Move over `data`."""
        for byte in data:
            if self._in_string:
                self._feed_string(byte)
            else:
                self._feed_structure(byte)

    def _feed_string(self, byte: int) -> None:
        if self._key is not None:
            self._key.append(byte)
        else:
            self._n_written += 1
        if self._escaped:
            self._escaped = False
        elif byte == _BACKSLASH:
            self._escaped = True
        elif byte == _QUOTE:
            self._in_string = False
            if self._key is not None:
                self._path.append(json.loads(self._key))
                self._key = None

    def _feed_structure(self, byte: int) -> None:
        self._in_literal = chr(byte).isalnum() or byte in b"+-."
        self._n_written = self._n_written + 1 if self._in_literal else 0
        if byte == _QUOTE:
            self._in_string = True
            self._key = bytearray(b'"') if self._expects_key else None
            self._n_written = int(not self._expects_key)
        elif byte in b"{[":
            self._enter(byte)
        elif byte in b"}]":
            self._leave(byte)
        elif byte in b",":
            self._next()
        elif byte in b":":
            self._expects_key = False

    def _enter(self, byte: int) -> None:
        self._open.append(byte)
        self._expects_key = byte in b"{"
        if byte in b"[":
            self._path.append(0)

    def _leave(self, byte: int) -> None:
        is_empty_object = byte in b"}" and self._expects_key
        if not is_empty_object:
            self._path.pop()
        self._open.pop()
        self._expects_key = False

    def _next(self) -> None:
        last = self._path.pop()
        if isinstance(last, int) and self._open[-1] in b"[":
            self._path.append(last + 1)
        else:
            self._expects_key = True
