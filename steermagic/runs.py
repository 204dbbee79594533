"""What a run leaves behind: its rows, and how each came about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias
from uuid import uuid4

from steer_engine import (
    Confidence,
    Evidence,
    JsonValue,
    RowDone,
    RowFailed,
    Schema,
    SteerError,
    Step,
    Steps,
    StepsUndone,
    TruncatedError,
    column_plan,
    finished_items,
    steps_of,
)
from steermagic.frames import row_schema
from steermagic.job import Job
from steermagic.marks import MarkedText, Span
from steermagic.results import make_result


@dataclass(frozen=True, slots=True)
class Row:
    """What one prompt gave.

    `record` counts only if `is_kept`. A list that was stopped halfway is kept with the items that
    were complete. One that was closed at `max_tokens` is kept and has an error.
    `thoughts` is what the model wrote ahead of `text`. Of a large run only the newest rows have
    their `steps`, and one that was answered before has them only if they were stored.
    """

    number: int
    record: JsonValue
    text: str
    steps: tuple[Step, ...]
    is_kept: bool
    is_finished: bool = False
    error: SteerError | None = None
    thoughts: str = ""
    evidence: tuple[Evidence, ...] = ()
    confidence: tuple[Confidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """The rows of one call of `%%steer` or `steer`. The id is unique, also between kernels.

    `error` says why it could not go on. `notes` are lines that the user should read: what was taken
    over from the store, and what could not be stored. `store` is the place of the store that it
    began in, which has all of it if it `is_stored`.
    """

    job: Job
    model: str
    rows: tuple[Row, ...]
    is_cancelled: bool = False
    error: SteerError | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    notes: tuple[str, ...] = ()
    store: str | None = None
    is_stored: bool = True

    @property
    def row_schema(self) -> Schema:
        """The schema of what a row of the frame holds: with `--rows`, of an item of that list."""
        return row_schema(self.job.found.schema, rows=self.job.options.rows)

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
        """What went wrong, by the number of the prompt: rows that failed or were cut short."""
        return {row.number: row.error for row in self.rows if row.error is not None}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The tokens of all rows that have theirs still, in order."""
        return tuple(step for row in self.rows for step in row.steps)

    @property
    def n_kept(self) -> int:
        """How many finished rows are kept: those of `over`, or the items of the one list."""
        if self.job.over is not None:
            return sum(row.is_kept and row.is_finished for row in self.rows)
        return sum(len(record) if isinstance(record, list) else 1 for record in self.records)


class LastRuns:
    """The last runs, the newest at the end.

    Where they have too many steps together, the oldest lose theirs, and where they have too many
    rows, the oldest go. The newest run stays as it is, however large.
    """

    def __init__(self) -> None:
        self._runs = dict[str, Run]()
        self._n_steps_of = dict[str, int]()  # of the runs that have some
        self._n_steps = self._n_rows = 0

    def add(self, run: Run, *, max_steps: int, max_rows: int) -> None:
        """Make `run` the newest one."""
        self._drop(run.id)
        self._runs[run.id] = run
        self._n_rows += _n_counted(run)
        if n_steps := sum(len(row.steps) for row in run.rows):
            self._n_steps_of[run.id] = n_steps
            self._n_steps += n_steps
        while self._n_steps > max_steps and (oldest := next(iter(self._n_steps_of))) != run.id:
            self._n_steps -= self._n_steps_of.pop(oldest)
            rows = tuple(replace(row, steps=()) for row in self._runs[oldest].rows)
            self._runs[oldest] = replace(self._runs[oldest], rows=rows)
        while self._n_rows > max_rows and len(self._runs) > 1:
            self._drop(next(iter(self._runs)))

    def find(self, run_id: str) -> Run | None:
        """Return the run with that id, if it is still known."""
        return self._runs.get(run_id)

    def newest(self) -> Run | None:
        """Return the newest run, if there is any."""
        return next(reversed(self._runs.values()), None)

    def _drop(self, run_id: str) -> None:
        if run := self._runs.pop(run_id, None):
            self._n_rows -= _n_counted(run)
            self._n_steps -= self._n_steps_of.pop(run_id, 0)


def _n_counted(run: Run) -> int:
    return max(1, len(run.rows))  # a run without any takes memory, too


def result_of(run: Run, *, as_: str | None = None) -> object:
    """Return the rows of `run` that are kept, in the form that was asked for, or as `as_`."""
    job = run.job
    records = run.records if job.over is None else run.by_prompt
    options = job.options if as_ is None else replace(job.options, as_=as_)
    return make_result(records, job.found, options, over=job.over)


Progress: TypeAlias = Callable[[int, int], None]
"""Is told, after each row, how many are finished and how many of them failed."""


class Watcher(Protocol):
    """Looks on while a run goes on."""

    def take(self, event: Steps | StepsUndone) -> None:
        """Be told that a row has gained tokens, or lost some."""
        ...

    def end(self, row: Row) -> None:
        """Be told that a row has come to its end, or was answered before."""
        ...


def ended_row(end: RowDone | RowFailed, steps: Sequence[Step]) -> Row:
    """Return the row that has come to this end by these steps."""
    if isinstance(end, RowFailed):
        return failed_row(end.row, end.error, text=end.text, thoughts=end.thoughts, steps=steps)
    is_cut = end.finish_reason != "stop" and end.record is not None
    return Row(
        end.row,
        end.record,
        end.text,
        tuple(steps),
        is_kept=True,
        is_finished=True,
        error=_cut_short(end, steps) if is_cut else None,
        thoughts=end.thoughts,
        evidence=end.evidence,
        confidence=end.confidence,
    )


def failed_row(
    number: int,
    error: SteerError,
    *,
    text: str = "",
    thoughts: str = "",
    steps: Sequence[Step] = (),
) -> Row:
    """Return a row that could not be finished, or not even be asked for."""
    return Row(
        number,
        None,
        text,
        tuple(steps),
        is_kept=False,
        is_finished=True,
        error=error,
        thoughts=thoughts,
    )


def open_row(number: int, steps: Sequence[Step], schema: Schema) -> Row:
    """Return a row that was stopped after these steps; of a list the whole items are kept."""
    text = _spelled(step for step in steps if not step.is_thought)
    thoughts = _spelled(step for step in steps if step.is_thought)
    items = finished_items(schema, text)
    return Row(number, items, text, tuple(steps), is_kept=bool(items), thoughts=thoughts)


def found_evidence(run: Run) -> Iterator[tuple[int, str, str, int, int, str]]:
    """Yield each verbatim value's table row, column, text, start and end, and where it is from."""
    kept = {row.number: row for row in run.rows if row.is_kept}
    numbers = range(len(run.job.prompts)) if run.job.over is not None else sorted(kept)
    columns = {column.path: column.name for column in column_plan(run.row_schema)}
    position = 0
    for number in numbers:
        row = kept.get(number)
        record = None if row is None else row.record
        evidence = () if row is None else row.evidence
        inputs = run.job.inputs(number) if evidence else ()
        for each in evidence:
            item = int(steps_of(each.pointer)[0]) if isinstance(record, list) else 0
            names = _names(each.pointer, record)
            above = (columns.get(names[:n]) for n in range(len(names), -1, -1))
            column = next(filter(None, above), _label(names))  # keys of an open object have none
            source, text = inputs[each.source]
            found = text[each.start : each.end]
            yield position + item, column, found, each.start, each.end, source
        position += len(record) if isinstance(record, list) else 1


def _names(pointer: str, record: JsonValue) -> tuple[str, ...]:
    """Return the names of the properties that lead to a value of `record`: its path, no numbers."""
    names = list[str]()
    for step in steps_of(pointer):
        if isinstance(record, list):
            record = record[int(step)]
        elif isinstance(record, dict):
            names.append(step)
            record = record.get(step)
    return tuple(names)


def _label(names: Sequence[str]) -> str:
    return ".".join(names) or "value"


def copied_from(run: Run) -> tuple[MarkedText, ...]:
    """Return the inputs that verbatim values were copied from, with those values marked."""
    return tuple(text for row in run.rows for text in copied_of(row, run.job))


def copied_of(row: Row, job: Job) -> Iterator[MarkedText]:
    """Yield the inputs that a row's verbatim values were copied from."""
    inputs = job.inputs(row.number) if row.evidence else ()
    for i, (name, text) in enumerate(inputs):
        spans = tuple(
            Span(each.start, each.end, _label(_names(each.pointer, row.record)), each.pointer)
            for each in row.evidence
            if each.source == i
        )
        if spans:
            yield MarkedText(name, text, spans, row.number)


def _cut_short(end: RowDone, steps: Sequence[Step]) -> TruncatedError:
    n_closing = sum(step.origin == "closed" for step in steps)
    n_written = sum(not step.is_thought for step in steps) - n_closing
    after = f"{n_written} token{'s' * (n_written != 1)}"
    closed = f" and closed with {n_closing} more" if n_closing else ""
    why, remedy = "to stay in max_tokens", "raise max_tokens"
    if end.finish_reason == "context":
        why = "as the model's context was full"
        remedy = "shorten the prompt or use a model with a longer context"
    return TruncatedError(
        f"the answer was cut short after {after}{closed}, {why}; it is valid, but may lack what"
        f" came next: {remedy}"
    )


def _spelled(steps: Iterable[Step]) -> str:
    return b"".join(step.spelling for step in steps).decode("utf-8", "replace")
