"""What a run leaves behind: its rows, and how each came about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import uuid4

from steer_engine import (
    Event,
    JsonValue,
    RowDone,
    RowFailed,
    Schema,
    SteerError,
    Step,
    Steps,
    finished_items,
)
from steermagic.job import Job


@dataclass(frozen=True, slots=True)
class Row:
    """What one prompt gave.

    `record` counts only if `is_kept`. A list that was stopped halfway is kept with the items that
    were complete.
    """

    number: int
    record: JsonValue
    text: str
    steps: tuple[Step, ...]
    is_kept: bool
    is_finished: bool = False
    error: SteerError | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The rows of one call of `%%steer` or `steer`. The id is unique, also between kernels."""

    job: Job
    model: str
    rows: tuple[Row, ...]
    is_cancelled: bool = False
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def records(self) -> list[JsonValue]:
        """The records of the rows that are kept."""
        return [row.record for row in self.rows if row.is_kept]

    @property
    def by_prompt(self) -> list[JsonValue]:
        """One record for each prompt, in order; None where no row is kept."""
        kept = {row.number: row.record for row in self.rows if row.is_kept}
        return [kept.get(number) for number in range(len(self.job.prompts))]

    @property
    def errors(self) -> dict[int, SteerError]:
        """The errors of the rows that failed, by the number of the prompt."""
        return {row.number: row.error for row in self.rows if row.error is not None}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The tokens of all rows, in order."""
        return tuple(step for row in self.rows for step in row.steps)

    @property
    def n_kept(self) -> int:
        """How many table rows are kept: a record that is a list counts its items."""
        return sum(len(record) if isinstance(record, list) else 1 for record in self.records)


Progress: TypeAlias = Callable[[int, int], None]
"""Is told, after each row, how many are finished and how many of them failed."""


def follow(
    events: Iterator[Event], job: Job, model: str, *, progress: Progress | None = None
) -> Run:
    """Follow a run to its end, or until the user interrupts it."""
    steps = dict[int, list[Step]]()
    ends = dict[int, RowDone | RowFailed]()
    n_failed, is_cancelled = 0, False
    try:
        for event in events:
            if isinstance(event, Steps):
                steps.setdefault(event.row, []).extend(event.steps)
            elif isinstance(event, RowDone | RowFailed):
                ends[event.row] = event
                n_failed += isinstance(event, RowFailed)
                if progress is not None:
                    progress(len(ends), n_failed)
    except KeyboardInterrupt:
        is_cancelled = True  # leaving the loop ends the generator, which stops the model
    numbers = sorted(steps.keys() | ends.keys())
    schema = job.found.schema
    rows = (_row(n, schema, tuple(steps.get(n, ())), ends.get(n)) for n in numbers)
    return Run(job, model, tuple(rows), is_cancelled)


def _row(
    number: int, schema: Schema, steps: tuple[Step, ...], end: RowDone | RowFailed | None
) -> Row:
    if isinstance(end, RowDone):
        return Row(number, end.record, end.text, steps, is_kept=True, is_finished=True)
    if isinstance(end, RowFailed):
        return Row(number, None, end.text, steps, is_kept=False, is_finished=True, error=end.error)
    text = b"".join(step.spelling for step in steps).decode("utf-8", "replace")
    items = finished_items(schema, text)
    return Row(number, items, text, steps, is_kept=bool(items))
