"""`%steer explain`: how each keyword of a schema is enforced, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from steer_engine import Explanation
from steermagic.printable import NO_FORMULAS, printable

_HEAD = ("enforced", "keyword", "at", "why")
_MEANINGS = {
    "masked": "masked: tokens that would break it cannot be chosen",
    "guarded": "guarded: checked while the value is written, and taken back if it would break",
    "checked": "checked: the server is asked to hold it, and its answer is looked at afterwards",
    "ignored": "ignored: it has no effect",
    "refused": "refused: no cell can use this schema",
}
_MAX_SHORTEST = 80  # characters
_CELL = 'style="text-align:left;padding:0 1em 0 0"'


@dataclass(frozen=True, slots=True)
class ExplanationTable:
    """An explanation as a notebook or a terminal shows it; `model` has the vocabulary."""

    explanation: Explanation
    model: str

    def __repr__(self) -> str:
        rows = [_HEAD, *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, "", *self._notes()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th {_CELL}>{cell}</th>" for cell in _HEAD)
        rows = "".join(
            f"<tr>{''.join(f'<td {_CELL}>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes())
        return f'<div class="{NO_FORMULAS}"><table><tr>{head}</tr>{rows}</table>{notes}</div>'

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (
                clause.treatment,
                _on_one_line(clause.keyword),
                _on_one_line(clause.pointer) or "the root",
                _on_one_line(clause.reason),
            )
            for clause in self.explanation.clauses
        ]

    def _notes(self) -> Iterator[str]:
        explanation = self.explanation
        treatments = {clause.treatment for clause in explanation.clauses}
        yield from (words for name, words in _MEANINGS.items() if name in treatments)
        if explanation.is_refused:
            return
        if explanation.shortest is not None:
            length = explanation.n_shortest_tokens
            counted = "" if length is None else f"{_counted(length, 'token')}: "
            yield f"shortest value: {counted}{_shortened(explanation.shortest)}"
        if not explanation.n_first_tokens:
            return
        first = " ".join(_shown(spelling) for spelling in explanation.first_tokens)
        n_more = explanation.n_first_tokens - len(explanation.first_tokens)
        more = f" and {n_more} more" if n_more else ""
        n_tokens = _counted(explanation.n_first_tokens, "token")
        yield f"begins with: {n_tokens} of {self.model}: {first}{more}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _shown(spelling: bytes) -> str:
    text = spelling.decode("utf-8", "backslashreplace")
    return text if text.isprintable() and " " not in text else repr(text)


def _on_one_line(text: str) -> str:
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _shortened(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= _MAX_SHORTEST else f"{line[: _MAX_SHORTEST - 1]}…"
