"""The steering view: which tokens the schema forced, the model chose, or the schema overruled.

Notebook pages drop everything but inline styles, so the HTML has no classes, scripts or ids. Text
under test must not change from run to run: no timings, no paths, probabilities rounded.
"""

from __future__ import annotations

import codecs
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from steer_engine import Step
from steermagic.marks import MarkedText

_N_SHOWN = 400
_STYLES = {  # tints that keep their contrast on a light and on a dark page
    "forced": "color:#808080",
    "chosen": "background:rgba(66,133,244,.18);text-decoration:underline",
    "narrowed": "background:rgba(255,160,0,.32);text-decoration:underline dashed",
    "closed": "color:#808080;text-decoration:underline dotted",
}
_ANSI = {
    "forced": "\x1b[2m",
    "chosen": "\x1b[4;34m",
    "narrowed": "\x1b[1;4;33m",
    "closed": "\x1b[2;4m",
}
_ANSI_END = "\x1b[0m"
_LEGEND = {
    "forced": "forced by the schema",
    "chosen": "chosen by the model",
    "narrowed": "narrowed: the schema overruled the model's favourite",
    "closed": "closed: max_tokens was used up",
}
_RANK = ("forced", "chosen", "closed", "narrowed")
_N_INPUTS = 5  # shown with their marks


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is shown as it is, without quotes."""

    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class SteerView:
    """The tokens of an answer, and what it copied. `max_tokens` None shows all of them."""

    model: str
    steps: tuple[Step, ...]
    max_tokens: int | None = None
    copied: tuple[MarkedText, ...] = ()

    def _repr_html_(self) -> str:
        spans = "".join(
            _span(piece.text, piece.step.origin, _story(piece.step)) for piece in self._pieces()
        )
        rest = f"<div>{escape(self._rest())}</div>" if self._rest() else ""
        legend = " · ".join(_span(words, origin) for origin, words in self._legend())
        copied = "".join(text.html() for text in self.copied[:_N_INPUTS])
        return (
            f'<div style="line-height:1.6"><div><b>{escape(self.model)}</b>'
            f" · {escape(self._summary())}</div>"
            f'<div style="font-family:monospace;white-space:pre-wrap">{spans}</div>{rest}'
            f'<div style="font-size:85%">{legend}</div>{copied}</div>'
        )

    def __repr__(self) -> str:
        if not (sys.stdout.isatty() and "NO_COLOR" not in os.environ):
            return f"{self.model} · {self._summary()}"
        tokens = "".join(
            f"{_ANSI[piece.step.origin]}{piece.text}{_ANSI_END}" for piece in self._pieces()
        )
        legend = " · ".join(f"{_ANSI[name]}{words}{_ANSI_END}" for name, words in self._legend())
        parts = (f"{self.model} · {self._summary()}", tokens, self._rest(), legend)
        return "\n".join(part for part in parts if part)

    def _pieces(self) -> Iterator[Piece]:
        return pieces(self.steps[: self.max_tokens])

    def _legend(self) -> Iterator[tuple[str, str]]:
        is_closed = any(step.origin == "closed" for step in self.steps)
        return ((name, words) for name, words in _LEGEND.items() if is_closed or name != "closed")

    def _summary(self) -> str:
        n_tokens = len(self.steps)
        n_forced = sum(step.origin == "forced" for step in self.steps)
        share = round(100 * n_forced / n_tokens) if n_tokens else 0
        return f"{n_tokens} token{'s' * (n_tokens != 1)} · {share}% forced"

    def _rest(self) -> str:
        n_more = len(self.steps) - len(self.steps[: self.max_tokens])
        return f"… {n_more} more tokens: %steer view shows all" if n_more else ""


def cell_view(
    model: str, steps: tuple[Step, ...], copied: tuple[MarkedText, ...] = ()
) -> SteerView:
    """Return the view that stands under a cell's frame: long answers are cut."""
    return SteerView(model, steps, max_tokens=_N_SHOWN, copied=copied)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that can be printed, and the step that says how it came about."""

    text: str
    step: Step


def pieces(steps: Iterable[Step]) -> Iterator[Piece]:
    """Yield the text of each token; tokens that share a character make one piece.

    What was thought ahead of an answer stands on lines of its own.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    waiting: list[Step] = []  # steps whose bytes are not all shown
    was_thought = False
    for step in steps:
        if was_thought and not step.is_thought:
            yield Piece("\n", step)
        was_thought = step.is_thought
        waiting.append(step)
        if text := decoder.decode(step.spelling):
            # The token that the schema meddled with most speaks for the others.
            yield Piece(text, max(waiting, key=lambda each: _RANK.index(each.origin)))
            waiting = [step] if decoder.getstate()[0] else []
    if rest := decoder.decode(b"", final=True):
        yield Piece(rest, waiting[-1])


def _span(text: str, origin: str, title: str = "") -> str:
    attribute = f' title="{escape(title)}"' if title else ""
    return f'<span style="{_STYLES[origin]}"{attribute}>{escape(text)}</span>'


def _story(step: Step) -> str:
    """Return how a token came about, in words."""
    if step.is_thought:
        return f"thought before the answer ({_percent(step.logprob)})"
    if step.origin == "forced":
        return "forced: the schema allows nothing else here"
    if step.origin == "closed":
        return "closed: max_tokens was used up, and this is a short way to a valid end"
    if step.origin == "chosen" or step.wanted is None:
        return f"chosen by the model ({_percent(step.logprob)})"
    wanted = json.dumps(step.wanted.decode("utf-8", "replace"), ensure_ascii=False)
    return (
        f"narrowed ({_percent(step.logprob)}): the model wanted {wanted}"
        f" ({_percent(step.wanted_logprob)}), which the schema forbids"
    )


def _percent(logprob: float | None) -> str:
    percent = 0.0 if logprob is None else 100 * math.exp(logprob)
    if percent < 1:
        return "under 1%"
    return "over 99%" if percent > 99 else f"{percent:.0f}%"
