"""What the review shows of one row: its values, how sure the model was, where the text says so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal

from steer_engine import Column, ColumnKind, Confidence, JsonValue, column_plan, pointer_to
from steermagic.judgements import (
    Key,
    ProblemOf,
    is_same,
    judged_parts,
    value_at,
    without_value,
    written,
)
from steermagic.marks import MarkedText, Span
from steermagic.picture import shown
from steermagic.pieces import percent
from steermagic.runs import Row, Run

_N_ALTERNATIVES = 4
_NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?", re.ASCII)
_MIN_FOUND = 2  # characters; a shorter text stands everywhere
_ALL = "(all)"  # names an item that has columns
_MAX_SOURCE = 100_000  # characters of a part; the pane scrolls


@dataclass(frozen=True, slots=True)
class Item:
    """What is judged as one; `sure` is how sure the model was of its least sure value."""

    key: Key
    value: JsonValue
    sure: float | None


@dataclass(frozen=True, slots=True)
class Value:
    """A value as the page shows it.

    `text` is all of it, for it is edited there. `choices` are all that can stand there, if those
    are few; empty is null, or no value. `alternatives` are texts, the same as a short label shows
    them, and the probability that the model gave them. What `is_folded` is shown in its parts, too.
    """

    name: str
    text: str
    sure: str
    is_doubtful: bool
    is_changed: bool
    is_folded: bool
    choices: list[str]
    alternatives: list[tuple[str, str, str]]


def items_to_review(run: Run, keys: Collection[Key]) -> list[Item]:
    """Return those parts of a run, by rising confidence; last what nothing is known of."""
    rows = {row.number: row for row in run.rows}
    items = [
        Item(key, value, _least(rows[key[0]], key))
        for key, value in judged_parts(run)
        if key in keys
    ]
    return sorted(items, key=lambda item: 2.0 if item.sure is None else item.sure)


def columns_to_review(run: Run, value: JsonValue, problem_of: ProblemOf) -> list[Column]:
    """Return the columns of what is judged as one, while that is `value`.

    An object that may be null or missing is a column, too. While it is, it stands for the columns
    below it, so that it can be corrected at once to a valid one. The last column is all of it, for
    values that are valid only together.
    """
    planned = {column.path: column for column in _columns(run)}
    # Each object comes before what is in it.
    paths = dict.fromkeys(path[:n] for path in planned for n in range(1, len(path) + 1))

    def is_shown(path: tuple[str, ...]) -> bool:
        if path and not isinstance(value_at(value, path[:-1]), dict):
            return False
        if not path or path in planned or not isinstance(value_at(value, path), dict):
            return True
        return _can_be_empty(value, path, problem_of)

    names = {column.name for column in planned.values()}
    columns = list[Column]()
    for path in filter(is_shown, (*paths, ())):
        column = planned.get(path) or _object(path, names)
        names.add(column.name)
        columns.append(column)
    return columns


def shown_values(
    run: Run, item: Item, value: JsonValue, problem_of: ProblemOf
) -> list[dict[str, object]]:
    """Return the values of `item`, which somebody may have changed to `value`."""
    known = {each.pointer: each for each in _row(run, item).confidence}
    columns = columns_to_review(run, value, problem_of)
    sures = [_sure(known, item.key, column) for column in columns]
    least = min((sure for sure in sures if sure is not None), default=1.0)
    planned = _columns(run)

    def of_column(column: Column, sure: float | None) -> Value:
        # Of an object it is one of the values in it, which have columns of their own.
        is_value = column in planned or value_at(item.value, column.path) is None
        shown = _value(item, value, column, known, problem_of)
        return replace(
            shown,
            is_doubtful=is_value and sure == least != 1,
            is_folded=not column.path and column not in planned and isinstance(value, dict),
        )

    return [asdict(of_column(*each)) for each in zip(columns, sures, strict=True)]


def marked_sources(run: Run, item: Item) -> list[dict[str, object]]:
    """Return the texts that were asked about, in parts: each with its labels, and if it is copied.

    Evidence is marked, and where else a text of the item stands; that may be chance.
    """
    row = _row(run, item)
    sources = list[dict[str, object]]()
    for number, (name, text) in enumerate(run.job.inputs(row.number)):
        spans = [*_evidence(run, item, number)]
        copied = {span.label for span in spans}
        spans += [span for span in _found(run, item, text) if span.label not in copied]
        parts = [
            (part.text, ", ".join(part.labels), any(part.pointers))
            for part in MarkedText(name, text, tuple(spans)).parts(max_length=_MAX_SOURCE)
        ]
        sources.append({"name": name, "parts": parts})
    return sources


def _columns(run: Run) -> tuple[Column, ...]:
    columns = column_plan(run.job.found.schema)
    if run.job.found.form is None:
        return columns
    return tuple(replace(column, path=()) for column in columns)  # the text is the record


def _object(path: tuple[str, ...], names: Collection[str]) -> Column:
    name = ".".join(path) or _ALL
    while name in names:
        name += "_"
    return Column(name, path, ColumnKind.OBJECT)


def _row(run: Run, item: Item) -> Row:
    return next(row for row in run.rows if row.number == item.key[0])


def _start(key: Key) -> str:
    return "" if key[1] < 0 else f"/{key[1]}"


def _least(row: Row, key: Key) -> float | None:
    start = _start(key)
    means = [each.mean for each in row.confidence if _is_below(each.pointer, start)]
    return min(means, default=None)


def _is_below(pointer: str, start: str) -> bool:
    return pointer == start or pointer.startswith(f"{start}/")


def _sure(known: dict[str, Confidence], key: Key, column: Column) -> float | None:
    start = pointer_to(_start(key), *column.path)
    return min(
        (each.mean for each in known.values() if _is_below(each.pointer, start)), default=None
    )


def _value(
    item: Item,
    value: JsonValue,
    column: Column,
    known: dict[str, Confidence],
    problem_of: ProblemOf,
) -> Value:
    sure = _sure(known, item.key, column)
    own = known.get(pointer_to(_start(item.key), *column.path))
    alternatives = () if own is None else own.alternatives[:_N_ALTERNATIVES]
    now, before = value_at(value, column.path), value_at(item.value, column.path)
    return Value(
        name=column.name,
        text=written(now, column.kind),
        sure="" if sure is None else percent(sure),
        is_doubtful=False,
        is_changed=not is_same(now, before),
        is_folded=False,
        choices=_choices(column, value, problem_of),
        alternatives=[
            (written(each, column.kind), shown(each), percent(prob))
            for each, prob in alternatives
            if not is_same(each, now)
        ],
    )


def _choices(column: Column, value: JsonValue, problem_of: ProblemOf) -> list[str]:
    choices = [written(each, column.kind) for each in column.categories]
    if column.kind is ColumnKind.BOOLEAN:
        choices = ["true", "false"]
    can_be_empty = choices and _can_be_empty(value, column.path, problem_of)
    return [*choices, ""] if can_be_empty else choices


def _can_be_empty(value: JsonValue, path: Sequence[str], problem_of: ProblemOf) -> bool:
    return any(problem_of(each) is None for each in without_value(value, path))


def _evidence(run: Run, item: Item, source: int) -> Iterator[Span]:
    starts = {pointer_to(_start(item.key), *column.path): column for column in _columns(run)}
    for each in _row(run, item).evidence:
        for start, column in starts.items():
            if each.source == source and _is_below(each.pointer, start):
                yield Span(each.start, each.end, column.name, "evidence")


def _found(run: Run, item: Item, text: str) -> Iterator[Span]:
    for column in _columns(run):
        value = value_at(item.value, column.path)
        if place := place_of(value, text):
            yield Span(*place, column.name)


def place_of(value: JsonValue, text: str) -> tuple[int, int] | None:
    """Return where `value` begins and ends in `text`; 75.2 also stands where 75.20 is written."""
    wanted = value if isinstance(value, str) else written(value, ColumnKind.STRING)
    if len(wanted.strip()) < _MIN_FOUND:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(str(value))
        spans = (each.span() for each in _NUMBER.finditer(text) if Decimal(each[0]) == number)
        return next(spans, None)
    start = text.find(wanted)
    return None if start < 0 else (start, start + len(wanted))
