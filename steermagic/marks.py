"""The input of a run with the spans marked that its verbatim values were copied from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

_STYLE = "background:rgba(52,168,83,.25);text-decoration:underline;color:inherit"
_LABEL = "font-size:75%;color:#808080"
_CONTEXT = 120  # characters shown before and after a span of a long text
_LONG = 1500


@dataclass(frozen=True, slots=True)
class Span:
    """A value stands at `start` up to `end`, in characters; `label` says which value."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and what was copied from it."""

    name: str
    text: str
    spans: tuple[Span, ...]

    def html(self) -> str:
        """Return the text with its spans marked, safe in any page; of a long one what is near."""
        parts = [
            _part(
                self.text[start:end],
                tuple(s for s in self.spans if s.start < end and start < s.end),
                at_end=end,
            )
            for start, end in _pieces(self)
        ]
        return (
            f'<div style="font-size:85%">copied from {escape(self.name)}:</div>'
            f'<div style="white-space:pre-wrap">{"".join(parts)}</div>'
        )


def _pieces(marked: MarkedText) -> Iterator[tuple[int, int]]:
    """Yield the parts of the text in which nothing begins or ends."""
    edges = {0, len(marked.text)} | {edge for s in marked.spans for edge in (s.start, s.end)}
    ordered = sorted(edges)
    yield from pairwise(ordered)


def _part(text: str, spans: tuple[Span, ...], *, at_end: int) -> str:
    if not spans:
        return escape(_shortened(text))
    labels = ", ".join(dict.fromkeys(span.label for span in spans))
    marked = f'<mark style="{_STYLE}" title="{escape(labels)}">{escape(text)}</mark>'
    ended = ", ".join(dict.fromkeys(span.label for span in spans if span.end == at_end))
    return f'{marked}<span style="{_LABEL}"> [{escape(ended)}]</span>' if ended else marked


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_CONTEXT]} … {text[-_CONTEXT:]}"
