"""Tokens as they are shown: text that can be printed, in lines, and how each came about."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from steer_engine import Step
from steermagic.printable import printable

_RANK = ("forced", "chosen", "closed", "narrowed")
_LONG_LINE = 400  # pieces; a browser lays out short lines faster


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that can be printed, and the step that says how it came about."""

    text: str
    step: Step
    begins_line: bool = False


class Speller:
    """Makes pieces of the steps of one row. Tokens that share a character make one piece.

    Thoughts, the items of a list, and parts of what has no items stand on lines of their own.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: list[Step] = []  # steps whose bytes are not all shown
        self._line = _Line()

    def take(self, step: Step) -> Piece | None:
        """Return the piece that `step` completes."""
        self._waiting.append(step)
        text = self._decoder.decode(step.spelling)
        if not text:
            return None
        # The token that the schema meddled with most speaks for the others.
        speaker = max(self._waiting, key=lambda each: _RANK.index(each.origin))
        self._waiting = [step] if self._decoder.getstate()[0] else []
        return Piece(printable(text), speaker, self._line.is_begun_by(text, step))

    def end(self) -> Piece | None:
        """Return what is left where the last character is incomplete."""
        rest = self._decoder.decode(b"", final=True)
        return Piece(rest, self._waiting[-1]) if rest else None


class _Line:
    """The line that is being written."""

    def __init__(self) -> None:
        self._last: Step | None = None
        self._n_pieces = 0
        self._item = ""
        self._is_due = False

    def is_begun_by(self, text: str, step: Step) -> bool:
        """Tell whether this piece begins a new line, and count it to the line it is in."""
        last, self._last = self._last, step
        item = step.pointer.split("/")[1] if step.pointer else ""
        if item.isdecimal() and item != self._item:
            self._is_due |= bool(self._item)
            self._item = item
        if last is not None:
            is_full = self._n_pieces >= _LONG_LINE and step.pointer != last.pointer
            self._is_due |= is_full or last.is_thought != step.is_thought
        is_begun = self._is_due and bool(text.strip(", "))  # a comma ends the line before
        self._is_due &= not is_begun
        self._n_pieces = 1 if is_begun else self._n_pieces + 1
        return is_begun


def pieces(steps: Iterable[Step]) -> Iterator[Piece]:
    """Yield the text of one row's tokens."""
    speller = Speller()
    for step in steps:
        if piece := speller.take(step):
            yield piece
    if rest := speller.end():
        yield rest


def percent(probability: float | None) -> str:
    """Return a probability in whole percents, as a reader needs it."""
    share = 100 * (probability or 0.0)
    if share < 1:
        return "under 1%"
    return "over 99%" if share > 99 else f"{share:.0f}%"


def percent_of(logprob: float | None) -> str:
    """Return the same of a log-probability."""
    return percent(None if logprob is None else math.exp(logprob))
