"""A row while it is written: its tokens as a page reads them, and the items of its list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from steer_engine import JsonValue, Step
from steermagic.picture import token_facts
from steermagic.pieces import Piece, Speller
from steermagic.printable import printable

Message: TypeAlias = dict[str, Any]  # JSON
_BETWEEN = re.compile(r"\s*[\[,]\s*")  # ahead of an item of a list


@dataclass(slots=True)
class LiveRow:
    """A row in work. `entries` has one for each step; `cut` is how far back it went since."""

    is_shown: bool
    steps: list[Step] = field(default_factory=list)
    entries: list[list[object] | int] = field(default_factory=list)
    speller: Speller = field(default_factory=Speller)
    answer: bytearray = field(default_factory=bytearray)
    n_sent: int = 0
    cut: int | None = None

    def add(self, step: Step) -> None:
        """Append a step."""
        self.steps.append(step)
        self.answer += b"" if step.is_thought else step.spelling
        self.entries.append(_entry(self.speller.take(step)))

    def undo(self, n_steps: int) -> None:
        """Take steps back."""
        kept = self.steps[: len(self.steps) - n_steps]
        self.steps, self.entries, self.speller = [], [], Speller()
        self.answer = bytearray()
        for step in kept:
            self.add(step)
        if len(kept) < self.n_sent:
            self.cut = min(len(kept), len(kept) if self.cut is None else self.cut)
            self.n_sent = len(kept)

    def batch(self, number: int, *, is_whole: bool) -> Message | None:
        """Return what is new, or all of it."""
        start = 0 if is_whole else self.n_sent
        if start == len(self.entries) and self.cut is None:
            return None
        message = {
            "row": number,
            "at": start,
            "cut": self.cut,
            "whole": is_whole,
            "tokens": self.entries[start:],
        }
        self.n_sent, self.cut = len(self.entries), None
        return message


class GrowingList:
    """The items of a list that is being written, each read once."""

    def __init__(self) -> None:
        self.found: list[JsonValue] = []
        self._at = 0  # bytes

    def read(self, answer: bytes | bytearray) -> None:
        """Read the items that are complete in `answer`, which has grown since."""
        text, at = answer[self._at :].decode("utf-8", "replace"), 0
        for item, end in _items(text):
            self.found.append(item)
            at = end
        self._at += len(text[:at].encode())


def _items(text: str) -> Iterator[tuple[JsonValue, int]]:
    """Yield the complete items that `text` begins with, and where each ends."""
    decode, at = json.JSONDecoder().raw_decode, 0
    while between := _BETWEEN.match(text, at):
        try:
            item, at = decode(text, between.end())
        except (ValueError, RecursionError):
            return  # it is not complete, or too large or too deep to be read
        if not _BETWEEN.match(text, at) and not text.startswith("]", at):
            return  # the digits of a number may go on
        yield item, at


def _entry(piece: Piece | None) -> list[object] | int:
    """Return a token as the page reads it: text, origin, pointer, …; 0 where it has no text."""
    if piece is None:
        return 0
    facts = token_facts(piece)
    entry: list[object] = [
        piece.text,
        piece.step.origin,
        printable(piece.step.pointer),
        int(piece.begins_line),
        facts.get("p"),
        facts.get("wanted"),
        facts.get("wanted_p"),
        int("thought" in facts),
    ]
    while not entry[-1]:
        entry.pop()  # most tokens are forced, and have little to tell
    return entry
