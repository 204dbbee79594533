"""Reads JSON as it is written, a token's bytes at a time.

The text is taken to be well-formed: the mask sees to that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from steer_engine.guard.position import Phase, Position
from steer_engine.guard.spelling import closing_quote
from steer_engine.guard.values import Named, Number, String

_NUMBER = re.compile(rb"[0-9+\-.eE]*+")
_WORDS: Final = {ord("t"): (True, 3), ord("f"): (False, 4), ord("n"): (None, 3)}
_QUOTE, _COMMA, _OPEN_OBJECT = b'",{'
_SPACES, _NUMERALS, _CLOSING = (frozenset(each) for each in (b" \t\r\n", b"0123456789-", b"]}"))


def read(position: Position, spelling: bytes) -> Position:
    """Return the position after `spelling`.

    Raises:
        DuplicateKeyError: an open object has been given a key that it has.
    """
    after = position.copy()
    start, end = 0, len(spelling)
    while start < end:
        start = _STEPS[after.phase](after, spelling, start)
    return after


def end(position: Position) -> Position:
    """Return the position after the end of the text, which alone ends a number at the root."""
    after = position.copy()
    if after.phase == Phase.IN_NUMBER and isinstance(after.leaf, Number):
        after.complete(Number(after.leaf.text, is_done=True))
    return after


# Each step takes up something of `data`, from `start` on, and returns where the next one starts.


def _value(position: Position, data: bytes, start: int) -> int:
    byte = data[start]
    if byte in _SPACES:
        return start + 1
    if byte in _CLOSING:
        position.close()
        return start + 1
    # One that a comma or a key has promised is an open value already.
    is_promised = position.phase == Phase.VALUE
    position.touch(position.depth if is_promised else position.depth - 1)
    if byte in _NUMERALS:
        position.begin(Number("", is_done=False), Phase.IN_NUMBER)
        return start
    if byte == _QUOTE:
        position.begin(String(is_done=False), Phase.IN_STRING)
    elif byte in _WORDS:
        value, position.n_missing = _WORDS[byte]
        position.complete(Named(value))
        position.phase = Phase.IN_WORD
    else:
        position.open(is_object=byte == _OPEN_OBJECT)
    return start + 1


def _name(position: Position, data: bytes, start: int) -> int:
    if data[start] == _QUOTE:
        position.begin(String(is_done=False), Phase.IN_NAME)
        position.touch(position.depth - 1)
    elif data[start] in _CLOSING:
        position.close()
    return start + 1


def _colon(position: Position, data: bytes, start: int) -> int:
    if data[start] not in _SPACES:
        position.phase = Phase.VALUE
    return start + 1


def _after_member(position: Position, data: bytes, start: int) -> int:
    if data[start] in _CLOSING:
        position.close()
    elif data[start] == _COMMA and position.frame is not None:
        position.phase = Phase.KEY if position.frame.is_object else Phase.VALUE
        position.touch(position.depth - 1)
    return start + 1


def _text(position: Position, data: bytes, start: int) -> int:
    leaf = position.leaf
    if not isinstance(leaf, String):
        return len(data)
    shift = 0
    if leaf.carry:  # it is read again with what follows
        shift = start - len(leaf.carry)
        data, start = leaf.carry + data[start:], 0
    quote = closing_quote(data, start)
    if quote < 0:
        position.leaf = leaf.grown(data[start:])
        position.touch(position.depth)
        return len(data) + shift
    text = leaf.ended(data[start:quote])
    after = quote + 1 + shift
    if position.phase == Phase.IN_STRING:
        position.complete(text)
    else:
        position.name(text.text, after)
    return after


def _number(position: Position, data: bytes, start: int) -> int:
    match, leaf = _NUMBER.match(data, start), position.leaf
    if match is None or not isinstance(leaf, Number):
        return len(data)
    text = leaf.text + match[0].decode()
    if match.end() < len(data):
        position.complete(Number(text, is_done=True))
    else:
        position.leaf = Number(text, is_done=False)
        position.touch(position.depth)
    return match.end()


def _word(position: Position, data: bytes, start: int) -> int:
    n_read = min(position.n_missing, len(data) - start)
    position.n_missing -= n_read
    if position.n_missing == 0:
        position.phase = Phase.END if position.frame is None else Phase.AFTER_MEMBER
    return start + n_read


def _end(position: Position, data: bytes, start: int) -> int:
    del position, start
    return len(data)


_STEPS: tuple[Callable[[Position, bytes, int], int], ...] = (  # by phase
    _value,
    _value,
    _name,
    _name,
    _colon,
    _after_member,
    _end,
    _text,
    _text,
    _number,
    _word,
)
