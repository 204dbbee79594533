"""What was scored, as figures, as Markdown tables and as a section of a model card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from embedded_training.exactness import Score

SUFFIXES = {"steered": "", "unsteered": "_unsteered", "verbatim": "_verbatim"}
"""The ways to ask, and what their figures are called: `exact`, `exact_unsteered` and so on."""

CARD_HEADING = "## How good it is"

IN_ONE_OBJECT, IN_ROWS = "in one object", "in lists of objects"


@dataclass(slots=True)
class Outcome:
    """What one way of asking made of a set of cases."""

    score: Score = field(default_factory=Score)
    parts: Mapping[str, Score] = field(default_factory=dict)
    """What of `score` comes from cases with a list of objects, from those of a sort, and so on."""
    n_cases: int = 0
    n_valid: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.score + other.score,
            {
                part: self.parts.get(part, Score()) + other.parts.get(part, Score())
                for part in {**self.parts, **other.parts}
            },
            self.n_cases + other.n_cases,
            self.n_valid + other.n_valid,
        )


Outcomes: TypeAlias = "Mapping[str, Outcome]"
"""One outcome for each way of asking."""


def total(sets: Sequence[Outcomes]) -> dict[str, Outcome]:
    """Return the outcomes of all sets together."""
    return {way: sum((each[way] for each in sets), Outcome()) for way in sets[0]}


def figures(outcomes: Outcomes) -> dict[str, Any]:
    """Return the shares that the last line of output gives."""
    first = next(iter(outcomes.values()))
    shares = {
        f"{name}{SUFFIXES[way]}": share
        for way, outcome in outcomes.items()
        for name, share in (
            ("exact", _share(outcome.score.n_right, outcome.score.n_asked)),
            ("valid", _share(outcome.n_valid, outcome.n_cases)),
        )
    }
    kinds = {label: row for label, row in _rows(outcomes) if label != "all"}
    return {"n_cases": first.n_cases, "n_values": first.score.n_asked, **shares, "kinds": kinds}


def _rows(outcomes: Outcomes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what is counted, how often, and the share that each way of asking got right."""
    first = next(iter(outcomes.values()))
    for kind in sorted(first.score.asked):
        counts = {way: (o.score.right[kind], o.score.asked[kind]) for way, o in outcomes.items()}
        yield kind, _row(counts)
    for part in sorted(first.parts):
        scores = {way: outcome.parts[part] for way, outcome in outcomes.items()}
        yield part, _row({way: (each.n_right, each.n_asked) for way, each in scores.items()})
    yield "all", _row({way: (o.score.n_right, o.score.n_asked) for way, o in outcomes.items()})


def _row(counts: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    asked = next(iter(counts.values()))[1]
    return {
        "asked": asked,
        **{f"exact{SUFFIXES[way]}": _share(*count) for way, count in counts.items()},
    }


def _share(right: int, asked: int) -> float | None:
    return round(right / asked, 4) if asked else None


def as_table(outcomes: Outcomes) -> str:
    """Return a Markdown table of one set: what is counted down, ways of asking across."""
    heads = ["percent exactly right", "asked", *outcomes]
    lines = [[label, *_cells(row)] for label, row in _rows(outcomes)]
    valid = [_percent(_share(o.n_valid, o.n_cases)) for o in outcomes.values()]
    n_cases = next(iter(outcomes.values())).n_cases
    return _markdown(heads, [*lines, ["valid answers", str(n_cases), *valid]])


def _cells(row: Mapping[str, Any]) -> list[str]:
    asked, *shares = row.values()
    return [str(asked), *map(_percent, shares)]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    rule = ["-" * (width - 1) + ":" for width in widths]
    rule[0] = "-" * widths[0]
    return "\n".join(
        "| " + " | ".join(_padded(cells, widths)) + " |" for cells in (heads, rule, *lines)
    )


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def across_sets(sets: Mapping[str, Outcomes], way: str) -> str:
    """Return a Markdown table for one way of asking: what is counted down, sets across."""
    rows = {name: dict(_rows({way: each[way]})) for name, each in sets.items()}
    labels = list(dict(_rows({way: total(list(sets.values()))[way]})))
    lines = [[label, *(_with_count(row.get(label)) for row in rows.values())] for label in labels]
    return _markdown(["kind", *sets], lines)


def _with_count(row: Mapping[str, Any] | None) -> str:
    if row is None or not row["asked"]:
        return "-"
    asked, share = row.values()
    return f"{_percent(share)} ({asked})"


def across_ways(sets: Mapping[str, Outcomes]) -> str:
    """Return a Markdown table: sets down; exact values and valid answers of each way across."""
    ways = list(next(iter(sets.values())))
    heads = ["set", "texts", *(f"{what}, {way}" for way in ways for what in ("exact", "valid"))]
    lines = []
    for name, each in sets.items():
        numbers = figures(each)
        shares = [numbers[f"{w}{SUFFIXES[way]}"] for way in ways for w in ("exact", "valid")]
        lines.append([name, str(numbers["n_cases"]), *map(_percent, shares)])
    return _markdown(heads, lines)


def card_section(sets: Mapping[str, Outcomes]) -> str:
    """Return the section on accuracy of the model card."""
    return f"""{CARD_HEADING}

Share of values that are exactly right and of answers that are valid, in percent; answers decoded
greedily. "Unsteered" is the same prompt without the token mask, "verbatim" (with `--verbatim`)
keeps every plain text to the letters of the prompt. "New values" have names and words that training
never drew, "new templates" sentences, "new names" field names, "new domains" whole sorts of text;
"by hand" are texts written in the style of real mail and posts, "by others" such texts by a large
language model that knew neither the corpus nor this model, "crowded" such texts that are longer and
full of values that nothing asks for. Where a row was not found, all its values count as wrong.
`python benchmarks/extraction.py` measures this.

{across_ways(sets)}

Steered, by kind of value and by sort of text, with the number of values in brackets; `length` is
the length of a list, "short facts" are clauses in random order, full of numbers that are easily
taken for each other:

{across_sets(sets, "steered")}
"""


def has_section(card: Path) -> bool:
    """Tell whether there is a model card with a section on accuracy."""
    return card.is_file() and CARD_HEADING in card.read_text(encoding="utf-8")


def refresh_card(card: Path, sets: Mapping[str, Outcomes]) -> None:
    """Replace the section on accuracy in a model card."""
    before, _, rest = card.read_text(encoding="utf-8").partition(CARD_HEADING)
    _, next_heading, after = rest.partition("\n## ")
    card.write_text(before + card_section(sets) + next_heading + after, encoding="utf-8")
