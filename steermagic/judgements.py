"""What somebody who looked at the rows of a run made of them, and the frame that comes of it.

What is judged is a record, or where that is a list each of its items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast, get_args

from steer_engine import ColumnKind, JsonValue, text_error, validation_error
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


def reviewed_frame(run: Run, judgements: Mapping[Key, Judgement]) -> pd.DataFrame:
    """Return the run's frame with what was corrected, and a last column of the verdicts.

    What was rejected stays as it was answered. What nobody has judged has no verdict.
    """
    import pandas as pd

    rows = tuple(_corrected(row, judgements) for row in run.rows)
    frame = cast("pd.DataFrame", result_of(replace(run, rows=rows), as_="pandas"))
    name = _COLUMN
    while name in frame:
        name += "_"
    judged = [judgements.get(key) for key in _frame_keys(run, rows)]
    verdicts = pd.Categorical(
        [None if each is None else each.verdict for each in judged], categories=[*VERDICTS]
    )
    frame = frame.assign(**{name: verdicts})
    attach(run, frame)
    return frame


def keys_in(run: Run, frame: pd.DataFrame) -> set[Key]:
    """Return the parts of a run that have a row in `frame`, which was made from the run's.

    Raises:
        FrameError: the rows cannot be found, for the index was replaced or is not stored.
    """
    origin = origin_of(run, frame)
    origin.check()
    labels = {*origin.frame_labels.tolist()}
    keys = zip(_frame_keys(run, run.rows), origin.labels.tolist(), strict=True)
    return {key for key, label in keys if label in labels}


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
    text: str, kind: ColumnKind, problem_of: Callable[[JsonValue], str | None]
) -> JsonValue:
    """Return the value that somebody means who types `text`: the first reading that is valid.

    Raises:
        CommandError: none is.
    """
    readings: list[JsonValue] = [text]
    with suppress(ValueError, RecursionError):
        readings.append(json.loads(text))
    if kind in _NO_TEXT:
        readings.reverse()
    if not text.strip():
        readings.insert(0, None)
    problems = [problem_of(reading) for reading in readings]
    if None not in problems:
        raise CommandError(f"{text!r} cannot stand here: {problems[-1 if not text else 0]}")
    return readings[problems.index(None)]


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
