"""The input of a run with the spans marked that its verbatim values were copied from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from steermagic.printable import printable

_CONTEXT = 120  # characters shown before and after a span of a long text
_MAX_LENGTH = 1500


@dataclass(frozen=True, slots=True)
class Span:
    """A value stands at `start` up to `end`, in characters; `label` says which value.

    `pointer` is the value's, in the record of its row.
    """

    start: int
    end: int
    label: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class MarkedPart:
    """A part of a text in which no span begins or ends; `ended` are the labels that end with it."""

    text: str
    labels: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and what was copied from it; `row` is the number of the prompt that has it."""

    name: str
    text: str
    spans: tuple[Span, ...]
    row: int = 0

    def parts(self, *, max_length: int = _MAX_LENGTH) -> Iterator[MarkedPart]:
        """Yield the text in parts, each inside a number of spans.

        Of a part longer than `max_length` characters what is near a span is shown.
        """
        edges = {0, len(self.text)} | {edge for s in self.spans for edge in (s.start, s.end)}
        for start, end in pairwise(sorted(edges)):
            spans = [s for s in self.spans if s.start < end and start < s.end]
            yield MarkedPart(
                _shortened(self.text[start:end], max_length),
                tuple(dict.fromkeys(s.label for s in spans)),
                tuple(dict.fromkeys(s.label for s in spans if s.end == end)),
                tuple(dict.fromkeys(s.pointer for s in spans)),
            )


def _shortened(text: str, max_length: int) -> str:
    return printable(text, None if len(text) <= max_length else 2 * _CONTEXT)
