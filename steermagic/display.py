"""The steering view as a notebook keeps it: static HTML, that is safe and the same at every run.

Its text has no timings, no paths, and probabilities that are rounded. The data attributes let the
script of the live view serve it as long as the page is open; untrusted pages drop them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from steer_engine import Step
from steermagic.marks import MarkedPart, MarkedText
from steermagic.picture import (
    LEGEND,
    STYLES,
    Cell,
    Tally,
    columns_of,
    place,
    story,
    table_cells,
    token_facts,
)
from steermagic.pieces import Piece, pieces
from steermagic.printable import NO_FORMULAS, printable
from steermagic.runs import Row, Run, copied_from

_ANSI = {
    "forced": "\x1b[2m",
    "chosen": "\x1b[4;34m",
    "narrowed": "\x1b[1;4;33m",
    "closed": "\x1b[2;4m",
}
_ANSI_END = "\x1b[0m"
_N_SHOWN = 400  # tokens under a cell
_N_INPUTS = 5  # shown with their marks
_N_ROWS = 20  # of the table: all of them stand in the frame
_MAX_JSON = 20_000  # characters
_MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is shown as it is, without quotes."""

    text: str

    def __str__(self) -> str:
        return printable(self.text)

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class SteerView:
    """How the rows of a run came about. `max_tokens` None shows all tokens.

    `columns` are those of the table: name, and path in a record.
    """

    model: str
    rows: tuple[Row, ...]
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    copied: tuple[MarkedText, ...] = ()
    max_tokens: int | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The tokens of all rows."""
        return tuple(step for row in self.rows for step in row.steps)

    def _repr_html_(self) -> str:
        parts = (
            _div(
                "header", f"<b>{_name(self.model)}</b> {_span('summary', f'· {self._summary()}')}"
            ),
            self._bar(),
            _div("tokens", "".join(self._lines()), name="steermagic-tokens"),
            f"<div>{escape(self._rest())}</div>" if self._rest() else "",
            _div("legend", " &nbsp; ".join(_span(o, escape(words)) for o, words in self._legend())),
            self._json(),
            self._table(),
            "".join(_marked(text) for text in self.copied[:_N_INPUTS]),
        )
        return _div("view", "".join(parts), name=f"steermagic-view {NO_FORMULAS}")

    def __repr__(self) -> str:
        head = f"{printable(self.model, _MAX_NAME)} · {self._summary()}"
        if not (sys.stdout.isatty() and "NO_COLOR" not in os.environ):
            return head
        tokens = "\n".join(
            "".join(f"{_ANSI[each.step.origin]}{each.text}{_ANSI_END}" for each in line)
            for _, line in self._token_lines()
        )
        legend = " · ".join(f"{_ANSI[name]}{words}{_ANSI_END}" for name, words in self._legend())
        return "\n".join(part for part in (head, tokens, self._rest(), legend) if part)

    def _token_lines(self) -> Iterator[tuple[int, list[Piece]]]:
        """Yield the number of the row and the pieces of each line that is shown."""
        n_left = len(self.steps) if self.max_tokens is None else self.max_tokens
        for row in self.rows:
            steps, n_left = row.steps[:n_left], max(n_left - len(row.steps), 0)
            line: list[Piece] = []
            for piece in pieces(steps):
                if piece.begins_line:
                    yield row.number, line
                    line = []
                line.append(piece)
            if line:
                yield row.number, line

    def _lines(self) -> Iterator[str]:
        for number, line in self._token_lines():
            yield f"<div>{''.join(_token(number, piece) for piece in line)}</div>"

    def _tally(self) -> Tally:
        tally = Tally()
        tally.add(self.steps)
        return tally

    def _summary(self) -> str:
        return str(self._tally())

    def _bar(self) -> str:
        shares = self._tally().shares()
        parts = "".join(
            f'<span style="display:inline-block;height:4px;width:{share}%;'
            f'{STYLES[f"bar-{origin}"]}" title="{share:.0f}% {origin}"></span>'
            for origin, share in shares.items()
        )
        return _div("bar", parts) if parts else ""

    def _legend(self) -> Iterator[tuple[str, str]]:
        return ((origin, LEGEND[origin]) for origin in self._tally().origins)

    def _rest(self) -> str:
        n_more = 0 if self.max_tokens is None else len(self.steps) - self.max_tokens
        return f"… {n_more} more tokens: %steer view shows all" if n_more > 0 else ""

    def _json(self) -> str:
        records = [row.record for row in self.rows if row.is_kept]
        if not records:
            return ""
        value = records[0] if len(self.rows) == 1 else records
        text = printable(json.dumps(value, ensure_ascii=False, indent=2), _MAX_JSON)
        return _details("JSON", f'<pre style="{STYLES["json"]}">{escape(text)}</pre>')

    def _table(self) -> str:
        cells = [
            line for row in self.rows if row.is_kept for line in table_cells(row, self.columns)
        ]
        if not (cells and self.columns):
            return ""
        head = "".join(f'<th style="{STYLES["head"]}">{_name(n)}</th>' for n, _ in self.columns)
        body = "".join(f"<tr>{''.join(map(_cell, line))}</tr>" for line in cells[:_N_ROWS])
        n_more = len(cells) - _N_ROWS
        rest = f"<div>… {n_more} more rows stand in the frame</div>" if n_more > 0 else ""
        table = (
            f'<table style="{STYLES["table"]}"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>{rest}"
        )
        n_rows = f"table · {len(cells)} row{'s' * (len(cells) != 1)}"
        return _details(n_rows, f'<div style="{STYLES["rows"]}">{table}</div>')


def view_of(run: Run, *, max_tokens: int | None = None) -> SteerView:
    """Return the view of a run."""
    return SteerView(
        run.model, run.rows, columns_of(run.job.found), copied_from(run), max_tokens=max_tokens
    )


def cell_view(run: Run) -> SteerView:
    """Return the view that stands under a cell's frame: long answers are cut."""
    return view_of(run, max_tokens=_N_SHOWN)


def _token(row: int, piece: Piece) -> str:
    step = piece.step
    facts = {**token_facts(piece), "place": place(row, step.pointer)}
    return _span(step.origin, escape(piece.text), title=story(piece), **facts)


def _cell(cell: Cell) -> str:
    odds = " · ".join(f"{text} {chance}" for text, chance in cell.odds)
    facts = {"place": cell.place}
    if cell.odds:
        facts["odds"] = json.dumps(cell.odds, ensure_ascii=False)
    attributes = _attributes(title=odds, **facts)
    return f'<td style="{STYLES["cell"]}"{attributes}>{escape(cell.text)}</td>'


def _marked(text: MarkedText) -> str:
    parts = "".join(_part(text.row, part) for part in text.parts())
    return (
        f'<div style="{STYLES["copied"]}">copied from {_name(text.name)}</div>'
        f'<div style="{STYLES["source"]}">{parts}</div>'
    )


def _part(row: int, part: MarkedPart) -> str:
    if not part.labels:
        return escape(part.text)
    places = json.dumps([place(row, pointer) for pointer in part.pointers])
    attributes = _attributes(title=_joined(part.labels), places=places)
    marked = f'<mark style="{STYLES["mark"]}"{attributes}>{escape(part.text)}</mark>'
    return (
        f"{marked}{_span('label', f' [{escape(_joined(part.ended))}]')}" if part.ended else marked
    )


def _joined(labels: Iterable[str]) -> str:
    return printable(", ".join(labels), 4 * _MAX_NAME)


def _details(name: str, content: str) -> str:
    toggle = f'<summary style="{STYLES["toggle"]}">{escape(name)}</summary>'
    return f'<details style="{STYLES["details"]}">{toggle}{content}</details>'


def _name(text: str) -> str:
    return escape(printable(text, _MAX_NAME))


def _div(style: str, content: str, *, name: str = "") -> str:
    named = f' class="{name}"' if name else ""  # by which the script of a live view finds it
    return f'<div{named} style="{STYLES[style]}">{content}</div>'


def _span(style: str, content: str, *, title: str = "", **facts: str) -> str:
    return f'<span style="{STYLES[style]}"{_attributes(title=title, **facts)}>{content}</span>'


def _attributes(*, title: str = "", **facts: str) -> str:
    shown = f' title="{escape(title)}"' if title else ""
    return shown + "".join(
        f' data-{name.replace("_", "-")}="{escape(value)}"' for name, value in facts.items()
    )
