"""What the steering view looks like: shared by the live view and by what a notebook keeps of it.

Untrusted notebooks drop everything but inline styles, `title` and simple tags. What colour says is
also said by a line, and tints are see-through: they fit light pages and dark ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from steer_engine import Confidence, JsonValue, Step, column_plan, pointer_to
from steermagic.forms import ANSWER
from steermagic.pieces import Piece, percent, percent_of
from steermagic.printable import printable
from steermagic.runs import Row
from steermagic.schemas import FoundSchema

_RULE = "1px solid rgba(128,128,128,.3)"
_FAINT = "opacity:.7"  # of the text's own colour: enough contrast on any page
STYLES: Mapping[str, str] = {
    "view": f"border:{_RULE};border-radius:6px;padding:8px 12px;margin:4px 0;"
    "font-size:14px;line-height:1.5",
    "header": "margin-bottom:6px",
    "summary": _FAINT,
    "bar": "height:4px;line-height:4px;font-size:0;margin-bottom:8px;white-space:nowrap;"
    "overflow:hidden;border-radius:2px;background:rgba(128,128,128,.15)",
    "tokens": "font-family:monospace;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.7;"
    "max-height:17em;overflow:auto",
    "line": "",
    "forced": _FAINT,
    "chosen": "background:rgba(66,133,244,.16);border-bottom:2px solid rgba(66,133,244,.75)",
    "narrowed": "background:rgba(255,160,0,.26);border-bottom:2px dashed rgba(230,130,0,.95)",
    "closed": f"{_FAINT};border-bottom:2px dotted rgba(128,128,128,.9)",
    "bar-forced": "background:rgba(128,128,128,.45)",
    "bar-chosen": "background:rgba(66,133,244,.75)",
    "bar-narrowed": "background:rgba(255,160,0,.9)",
    "bar-closed": "background:rgba(128,128,128,.8)",
    "legend": "font-size:85%;margin-top:6px",
    "details": "margin:6px 20px 0 0;display:inline-block;vertical-align:top;max-width:100%",
    "toggle": "font-size:85%;cursor:pointer",
    "json": "margin:4px 0 0 0;padding:0;max-height:17em;overflow:auto;white-space:pre-wrap;"
    "overflow-wrap:anywhere",
    "rows": "max-height:17em;overflow:auto",
    "table": "border-collapse:collapse;margin:4px 0 0 0;font-size:90%",
    "head": f"text-align:left;padding:2px 12px 2px 0;border-bottom:{_RULE};font-weight:600",
    "cell": "text-align:left;padding:2px 12px 2px 0;white-space:nowrap;max-width:28em;"
    "overflow:hidden;text-overflow:ellipsis",
    "number": f"text-align:left;padding:2px 12px 2px 0;font-weight:normal;{_FAINT}",
    "copied": f"font-size:85%;margin-top:8px;{_FAINT}",
    "source": "white-space:pre-wrap;overflow-wrap:anywhere;max-height:17em;overflow:auto",
    "mark": "background:rgba(52,168,83,.22);border-bottom:2px solid rgba(52,168,83,.8);"
    "color:inherit",
    "label": f"font-size:75%;{_FAINT}",
    "failed": f"text-align:left;padding:2px 12px 2px 0;font-style:italic;{_FAINT}",
}
LEGEND: Mapping[str, str] = {
    "forced": "forced by the schema",
    "chosen": "chosen by the model",
    "narrowed": "narrowed: the schema overruled the model's favourite",
    "closed": "closed: max_tokens was used up",
}
_N_ALTERNATIVES = 6
_MAX_TEXT, _MAX_ODDS = 300, 60  # characters


@dataclass(slots=True)
class Tally:
    """How many tokens came about in which way."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, steps: Iterable[Step], *, sign: int = 1) -> None:
        """Count `steps`, or with `sign` -1 count them no more."""
        for step in steps:
            self.counts[step.origin] += sign

    @property
    def origins(self) -> list[str]:
        """The origins that the legend explains: those that there are, in its order."""
        return [origin for origin in LEGEND if self.counts[origin]]

    @property
    def n_tokens(self) -> int:
        """All of them."""
        return self.counts.total()

    def share(self, origin: str) -> float:
        """Return the part of the tokens that came about like this, from 0 to 1."""
        return self.counts[origin] / self.n_tokens if self.n_tokens else 0.0

    def shares(self) -> dict[str, float]:
        """Return the shares of all origins that there are, in percent and in the legend's order."""
        return {origin: round(100 * self.share(origin), 2) for origin in self.origins}

    def __str__(self) -> str:
        n_tokens = self.n_tokens
        return f"{n_tokens} token{'s' * (n_tokens != 1)} · {100 * self.share('forced'):.0f}% forced"


def place(row: int, pointer: str) -> str:
    """Return the name of a value in a run: what token, cell and mark have in common."""
    return printable(f"{row}{pointer}", _MAX_TEXT)


def token_facts(piece: Piece) -> dict[str, str]:
    """Return what the card of a token tells."""
    step = piece.step
    facts: dict[str, str] = {"origin": step.origin}
    if step.origin in ("chosen", "narrowed"):
        facts["p"] = percent_of(step.logprob)
    if step.origin == "narrowed" and step.wanted is not None:
        facts["wanted"] = printable(step.wanted.decode("utf-8", "replace"), _MAX_TEXT)
        facts["wanted_p"] = percent_of(step.wanted_logprob)
    if step.is_thought:
        facts["thought"] = "1"
    return facts


def story(piece: Piece) -> str:
    """Return how a token came about, in words."""
    facts = token_facts(piece)
    if "thought" in facts:
        return f"thought before the answer ({percent_of(piece.step.logprob)})"
    if facts["origin"] == "forced":
        return "forced: the schema allows nothing else here"
    if facts["origin"] == "closed":
        return "closed: max_tokens was used up, and this is a short way to a valid end"
    if "wanted" not in facts:
        return f"chosen by the model ({facts['p']})"
    wanted = json.dumps(facts["wanted"], ensure_ascii=False)
    return (
        f"narrowed ({facts['p']}): the model wanted {wanted}"
        f" ({facts['wanted_p']}), which the schema forbids"
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of the table. `odds` are its likeliest alternatives, each with its probability."""

    text: str
    place: str
    odds: tuple[tuple[str, str], ...] = ()


def columns_of(found: FoundSchema) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the columns of the view's table: name, and path in a record."""
    if found.form is not None:
        return ((ANSWER, ()),)
    return tuple((column.name, column.path) for column in column_plan(found.schema))


def odds_of(row: Row) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the alternatives of a row's values, by place."""
    return {place(row.number, each.pointer): _odds(each) for each in row.confidence}


def table_cells(
    row: Row, columns: Iterable[tuple[str, tuple[str, ...]]], *, start: int = 0
) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of each table row that a record makes, of a list from item `start` on."""
    odds = odds_of(row)
    is_list = isinstance(row.record, list)
    items: list[JsonValue] = row.record if isinstance(row.record, list) else [row.record]
    columns = tuple(columns)
    for i, item in enumerate(items[start:], start):
        item_pointer = f"/{i}" if is_list else ""
        places = [place(row.number, pointer_to(item_pointer, *path)) for _, path in columns]
        texts = [shown(_value_at(item, path)) for _, path in columns]
        yield tuple(
            Cell(text, where, odds.get(where, ()))
            for text, where in zip(texts, places, strict=True)
        )


def shown(value: JsonValue) -> str:
    """Return a value as a cell shows it: text without quotes, nothing for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text, _MAX_TEXT)


def _value_at(record: JsonValue, path: Iterable[str]) -> JsonValue:
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _odds(confidence: Confidence) -> tuple[tuple[str, str], ...]:
    return tuple(
        (printable(json.dumps(value, ensure_ascii=False), _MAX_ODDS), percent(probability))
        for value, probability in confidence.alternatives[:_N_ALTERNATIVES]
    )
