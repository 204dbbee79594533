"""What somebody who looked at the rows of a run made of them, and the frame that comes of it.

What is judged is a record, or where that is a list each of its items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast, get_args

from steer_engine import Column, ColumnKind, JsonValue, text_error, validation_error
from steermagic.errors import CommandError
from steermagic.forms import ANSWER
from steermagic.frames import items_of
from steermagic.origins import attach, origin_of
from steermagic.runs import Row, Run, result_of

if TYPE_CHECKING:
    import pandas as pd

Key: TypeAlias = tuple[int, int]
"""The number of the prompt, and that of the item in its list; -1 where the record is no list."""

Verdict: TypeAlias = Literal["accepted", "corrected", "rejected"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

ProblemOf: TypeAlias = Callable[[JsonValue], str | None]
"""Tells why a value cannot stand in place of one that was answered; None if it can."""

_COLUMN = "review"
_NO_TEXT = frozenset(
    {
        ColumnKind.INTEGER,
        ColumnKind.NUMBER,
        ColumnKind.BOOLEAN,
        ColumnKind.MIXED,
        ColumnKind.LIST,
        ColumnKind.OBJECT,
    }
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and what the value is by then: of one that was corrected, the right one."""

    verdict: Verdict
    value: JsonValue


class JudgementStore(Protocol):
    """Where judgements are kept."""

    def judgements(self, run_id: str) -> Mapping[Key, Judgement]:
        """Return what was judged of a run."""
        ...

    def judge(self, run_id: str, key: Key, judgement: Judgement | None) -> None:
        """Keep a judgement in place of an earlier one; None takes that back."""
        ...


def judged_parts(run: Run) -> Iterator[tuple[Key, JsonValue]]:
    """Yield what of a run can be judged, in the order of its frame."""
    for row in run.rows:
        if not row.is_kept:
            continue
        if isinstance(row.record, list):
            yield from (((row.number, item), value) for item, value in enumerate(row.record))
        else:
            yield (row.number, -1), row.record


def reviewed_frame(
    run: Run, judgements: Mapping[Key, Judgement], *, keys: Collection[Key] | None = None
) -> pd.DataFrame:
    """Return the run's frame with what was corrected, and a last column of the verdicts.

    What was rejected stays as it was answered. What nobody has judged has no verdict. With `keys`,
    it has only the rows of those parts.
    """
    import pandas as pd

    rows = tuple(_corrected(row, judgements) for row in run.rows)
    frame = cast("pd.DataFrame", result_of(replace(run, rows=rows), as_="pandas"))
    name = _COLUMN
    while name in frame:
        name += "_"
    frame_keys = [*_frame_keys(run, rows)]
    judged = [judgements.get(key) for key in frame_keys]
    verdicts = pd.Categorical(
        [None if each is None else each.verdict for each in judged], categories=[*VERDICTS]
    )
    frame = frame.assign(**{name: verdicts})
    attach(run, frame)
    return frame if keys is None else frame.loc[[key in keys for key in frame_keys]]


def keys_in(run: Run, frame: pd.DataFrame) -> set[Key]:
    """Return the parts of a run that have a row in `frame`, which was made from the run's.

    Raises:
        FrameError: the rows cannot be found, for the index was replaced or is not stored.
    """
    return {key for key, is_there in _found_keys(run, frame) if is_there}


def lost_rows(run: Run, frame: pd.DataFrame) -> set[int]:
    """Return the numbers of the prompts that have rows in the run's frame, but none in `frame`.

    Raises:
        FrameError: the rows cannot be found, for the index was replaced or is not stored.
    """
    found = [*_found_keys(run, frame)]
    return {number for (number, _), _ in found} - {
        number for (number, _), is_there in found if is_there
    }


def check_value(
    run: Run, judgements: Mapping[Key, Judgement], value: JsonValue, *, key: Key
) -> str | None:
    """Return why `value` cannot stand at `key`, beside what was corrected, or None if it can."""
    found = run.job.found
    if found.form is not None:
        problem = validation_error(found.schema, {ANSWER: value})
        return problem or text_error(found.form, str(value))
    row = next(row for row in run.rows if row.number == key[0])
    judged = {**judgements, key: Judgement("corrected", value)}
    return validation_error(found.schema, _corrected(row, judged).record)


def read_correction(
    text: str, column: Column, record: JsonValue, problem_of: ProblemOf
) -> JsonValue:
    """Return `record` as somebody means it who types `text` in `column`: its first valid reading.

    What `written` gave is read as the same value. No text stands for null, else for no value.

    Raises:
        CommandError: none is.
    """
    readings = _readings(text, column.kind)
    records = [with_value(record, column.path, reading) for reading in readings]
    if not text.strip():
        records = [*without_value(record, column.path), *records]
    problems = [problem_of(each) for each in records]
    if None not in problems:
        raise CommandError(f"{text!r} cannot stand here: {problems[-1 if not text else 0]}")
    return records[problems.index(None)]


def written(value: JsonValue, kind: ColumnKind) -> str:
    """Return the text that is read as `value` in a column of that kind; nothing for null.

    A string is written as it is, unless that would be read as another value.
    """
    if value is None:
        return ""
    if isinstance(value, str) and not _is_blank(value) and _readings(value, kind)[0] == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def without_value(record: JsonValue, path: Sequence[str]) -> list[JsonValue]:
    """Return `record` with null at `path`, and where that is in an object without the key, too."""
    records = [with_value(record, path, None)]
    if path and isinstance(parent := value_at(record, path[:-1]), dict):
        rest = {name: value for name, value in parent.items() if name != path[-1]}
        records.append(with_value(record, path[:-1], rest))
    return records


def value_at(record: JsonValue, path: Sequence[str]) -> JsonValue:
    """Return what stands at `path`; None where there is no such place."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def is_same(value: JsonValue, other: JsonValue) -> bool:
    """Tell whether two values are equal in JSON: 1 is not true, and keys have no order."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


def with_value(record: JsonValue, path: Sequence[str], value: JsonValue) -> JsonValue:
    """Return `record` with `value` at `path`."""
    if not path:
        return value
    first, *rest = path
    own = record if isinstance(record, dict) else {}
    return {**own, first: with_value(own.get(first), rest, value)}


def value_after(judgement: Judgement | None, value: JsonValue) -> JsonValue:
    """Return what stands in the reviewed frame for `value`, which was answered."""
    is_corrected = judgement is not None and judgement.verdict == "corrected"
    return judgement.value if judgement is not None and is_corrected else value


def _corrected(row: Row, judgements: Mapping[Key, Judgement]) -> Row:
    if not row.is_kept:
        return row
    if isinstance(row.record, list):
        items = enumerate(row.record)
        record = [value_after(judgements.get((row.number, i)), item) for i, item in items]
        return replace(row, record=record)
    return replace(row, record=value_after(judgements.get((row.number, -1)), row.record))


def _readings(text: str, kind: ColumnKind) -> list[JsonValue]:
    readings: list[JsonValue] = [text]
    with suppress(ValueError, RecursionError):
        readings.append(json.loads(text))
    # A blank text in quotes has no other way to be written: without them it is null.
    return readings[::-1] if kind in _NO_TEXT or _is_blank(readings[-1]) else readings


def _is_blank(value: JsonValue) -> bool:
    return isinstance(value, str) and not value.strip()


def _found_keys(run: Run, frame: pd.DataFrame) -> Iterator[tuple[Key, bool]]:
    """Yield what each row of the run's frame is a part of, and whether `frame` has that row."""
    origin = origin_of(run, frame)
    origin.check()
    labels = {*origin.frame_labels.tolist()}
    keys = zip(_frame_keys(run, run.rows), origin.labels.tolist(), strict=True)
    yield from ((key, label in labels) for key, label in keys)


def _frame_keys(run: Run, rows: Sequence[Row]) -> Iterator[Key]:
    """Yield what each row of the frame that `rows` make is a part of."""
    kept = {row.number: row for row in rows if row.is_kept}
    numbers = range(len(run.job.prompts)) if run.job.over is not None else sorted(kept)
    for number in numbers:
        record = kept[number].record if number in kept else None
        if record is None and run.job.over is not None:
            yield number, -1  # the table keeps its row
            continue
        parts = enumerate(record) if isinstance(record, list) else [(-1, record)]
        for item, value in parts:
            yield from ((number, item) for _ in items_of([value], rows=run.job.options.rows))
