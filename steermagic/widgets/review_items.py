"""What the review shows of one row: its values, how sure the model was, where the text says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from steer_engine import Column, ColumnKind, Confidence, JsonValue, column_plan
from steermagic.judgements import Key, judged_parts, with_value
from steermagic.marks import MarkedText, Span
from steermagic.picture import pointer_of, shown
from steermagic.pieces import percent
from steermagic.runs import Row, Run

ProblemOf: TypeAlias = Callable[[JsonValue], str | None]
"""Tells why a value cannot stand in place of an item's; None if it can."""

_N_ALTERNATIVES = 4
_NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?", re.ASCII)
_MIN_FOUND = 2  # characters; a shorter text stands everywhere
_ALL = "(all)"  # names an item that may be null
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
    are few; empty is null. `alternatives` are texts, the same as a short label shows them, and the
    probability that the model gave them.
    """

    name: str
    text: str
    sure: str
    is_doubtful: bool
    is_changed: bool
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

    An object that may be null is a column, too. One that is null stands for the columns below it,
    so that it can be corrected at once to a valid one.
    """
    planned = {column.path: column for column in _columns(run)}
    # Each object comes before what is in it.
    paths = dict.fromkeys(path[:n] for path in planned for n in range(len(path) + 1))

    def is_shown(path: tuple[str, ...]) -> bool:
        if path and not isinstance(value_at(value, path[:-1]), dict):
            return False
        if path in planned or not isinstance(value_at(value, path), dict):
            return True
        return problem_of(with_value(value, path, None)) is None

    return [
        planned.get(path) or Column(".".join(path) or _ALL, path, ColumnKind.OBJECT)
        for path in paths
        if is_shown(path)
    ]


def shown_values(
    run: Run, item: Item, value: JsonValue, problem_of: ProblemOf
) -> list[dict[str, object]]:
    """Return the values of `item`, which somebody may have changed to `value`."""
    known = {each.pointer: each for each in _row(run, item).confidence}
    columns = columns_to_review(run, value, problem_of)
    sures = [_sure(known, item.key, column) for column in columns]
    least = min((sure for sure in sures if sure is not None), default=1.0)
    planned = _columns(run)

    def is_doubtful(column: Column, sure: float | None) -> bool:
        # Of an object it is one of the values in it, which have columns of their own.
        is_value = column in planned or value_at(item.value, column.path) is None
        return is_value and sure == least != 1

    return [
        asdict(
            _value(item, value, column, known, problem_of, is_doubtful=is_doubtful(column, sure))
        )
        for column, sure in zip(columns, sures, strict=True)
    ]


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


def value_at(value: JsonValue, path: Sequence[str]) -> JsonValue:
    """Return the value of the column with that path."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _columns(run: Run) -> tuple[Column, ...]:
    columns = column_plan(run.job.found.schema)
    if run.job.found.form is None:
        return columns
    return tuple(replace(column, path=()) for column in columns)  # the text is the record


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
    start = _start(key) + pointer_of(column.path)
    return min(
        (each.mean for each in known.values() if _is_below(each.pointer, start)), default=None
    )


def _value(
    item: Item,
    value: JsonValue,
    column: Column,
    known: dict[str, Confidence],
    problem_of: ProblemOf,
    *,
    is_doubtful: bool,
) -> Value:
    sure = _sure(known, item.key, column)
    own = known.get(_start(item.key) + pointer_of(column.path))
    alternatives = () if own is None else own.alternatives[:_N_ALTERNATIVES]
    now, before = value_at(value, column.path), value_at(item.value, column.path)
    return Value(
        name=column.name,
        text=_text(now),
        sure="" if sure is None else percent(sure),
        is_doubtful=is_doubtful,
        is_changed=now != before or isinstance(now, bool) != isinstance(before, bool),
        choices=_choices(column, value, problem_of),
        alternatives=[
            (_text(each), shown(each), percent(prob)) for each, prob in alternatives if each != now
        ],
    )


def _text(value: JsonValue) -> str:
    """Return the text that is read as `value` again; nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _choices(column: Column, value: JsonValue, problem_of: ProblemOf) -> list[str]:
    choices = [*column.categories]
    if column.kind is ColumnKind.BOOLEAN:
        choices = ["true", "false"]
    is_nullable = choices and problem_of(with_value(value, column.path, None)) is None
    return [*choices, ""] if is_nullable else choices


def _evidence(run: Run, item: Item, source: int) -> Iterator[Span]:
    starts = {_start(item.key) + pointer_of(column.path): column for column in _columns(run)}
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
    wanted = _text(value)
    if len(wanted) < _MIN_FOUND:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(str(value))
        spans = (each.span() for each in _NUMBER.finditer(text) if Decimal(each[0]) == number)
        return next(spans, None)
    start = text.find(wanted)
    return None if start < 0 else (start, start + len(wanted))
