"""A run while it goes on: what is asked, what comes back, and what of it is kept.

A finished row is in the store before anybody is told of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import chain, takewhile

from steer_engine import (
    AnyEngine,
    Event,
    Noted,
    Request,
    RowDone,
    RowFailed,
    SteerError,
    Step,
    Steps,
    StepsUndone,
)
from steermagic.job import Job
from steermagic.runs import Progress, Row, Run, Watcher, ended_row, failed_row, open_row
from steermagic.store import Key, RunRecord, answer_key


def follow(
    engine: AnyEngine,
    job: Job,
    record: RunRecord,
    *,
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    max_steps: int,
) -> Run:
    """Run `job` to its end, or until the user interrupts it; at most `max_steps` steps are kept.

    With ``--strict`` the first row that fails is the end; those before it are finished. Every row
    is taken from the store where the `record` finds it there, and is put there when it is finished.
    A run that could not go on has an `error`, and the rows until then.
    """
    ongoing = _OngoingRun(
        engine.info.fingerprint,
        job,
        record,
        progress=progress,
        watcher=watcher,
        max_steps=max_steps,
    )
    events = engine.run(ongoing.unanswered())
    is_cancelled, error = False, None
    try:
        with closing(events), ongoing.to_the_end_of(events):  # which stops the model
            for event in events:
                ongoing.take(event)
                if ongoing.is_stopped:
                    break
    except KeyboardInterrupt:
        is_cancelled = True
        ongoing.keep()
    except SteerError as reason:
        error = reason
    except BaseException:
        record.end("failed")
        raise
    if is_cancelled:
        record.end("interrupted")
    elif error is not None or job.reading_error is not None:
        record.end("failed")
    else:
        record.end("stopped" if ongoing.has_failed else "done")
    return Run(
        job,
        engine.info.name,
        ongoing.rows(),
        is_cancelled,
        error,
        id=record.id,
        notes=(*ongoing.notes, *_notes(record, job)),
        store=record.store,
        is_stored=record.problem is None,
    )


def _notes(record: RunRecord, job: Job) -> Iterator[str]:
    if n := record.n_taken_up:
        of = "" if job.n_rows is None else f" of {job.n_rows}"
        verb = "was finished before and is" if n == 1 else "were finished before and are"
        yield f"{n}{of} row{'s' * ((job.n_rows or n) != 1)} {verb} kept"
    if record.problem is not None:
        yield f"rows are in memory only: {record.problem}"


class _OngoingRun:
    """Asks for the rows of a job that have no answer yet, and takes in all of them."""

    def __init__(
        self,
        fingerprint: str,
        job: Job,
        record: RunRecord,
        *,
        progress: Progress | None,
        watcher: Watcher | None,
        max_steps: int,
    ) -> None:
        self._fingerprint, self._job, self._record = fingerprint, job, record
        self._progress, self._watcher, self._max_steps = progress, watcher, max_steps
        self._keys = dict[int, Key]()  # of the rows that the model works on
        self._equals = dict[Key, list[int]]()  # rows that wait for the same answer
        self._steps = dict[int, list[Step]]()
        self._rows = dict[int, Row]()
        self._with_steps, self._n_steps = deque[int](), 0
        self._unkept: tuple[Row, Key] | None = None
        self._n_failed, self._failed_at = 0, math.inf
        self.notes = list[str]()

    @property
    def has_failed(self) -> bool:
        """Tell whether a row has failed with ``--strict``: no other is asked about."""
        return self._job.options.strict and self._n_failed > 0

    @property
    def is_stopped(self) -> bool:
        """Tell whether that is all: the model works on no row before the one that failed."""
        return self.has_failed and not any(number < self._failed_at for number in self._keys)

    def unanswered(self) -> Iterator[Request]:
        """Yield what the model has to be asked; the other rows are finished on the way."""
        for request in self._job.requests():
            self._fail_unasked()
            if self.has_failed:
                return
            key = answer_key(request, fingerprint=self._fingerprint)
            row = self._record.take_up(request.row, key)
            if row is not None:
                self._rows[request.row] = row
                self._tell(row)
            elif self._job.options.cache and key in self._equals:
                self._equals[key].append(request.row)
            else:
                self._keys[request.row] = key
                self._equals[key] = []
                yield request
        self._fail_unasked()

    def take(self, event: Event) -> None:
        """Take in what the engine says of a row."""
        if self._watcher is not None and isinstance(event, Steps | StepsUndone):
            self._watcher.take(event)
        match event:
            case Steps():
                self._steps.setdefault(event.row, []).extend(event.steps)
            case StepsUndone():
                steps = self._steps.get(event.row, [])
                del steps[len(steps) - event.n_steps :]
            case RowDone() | RowFailed():
                key = self._keys.pop(event.row)
                row = ended_row(event, self._steps.pop(event.row, ()))
                for number in (row.number, *self._equals.pop(key, ())):
                    self._end(replace(row, number=number), key)
            case Noted():
                self.notes.append(event.text)
            case _:
                pass

    @contextmanager
    def to_the_end_of(self, events: Generator[Event, None, None]) -> Iterator[None]:
        """After an interrupt, take in what had happened before the engine heard of it."""
        try:
            yield
        except KeyboardInterrupt as interrupt:
            self.keep()
            for event in chain([events.throw(interrupt)], events):
                self.take(event)
            raise

    def keep(self) -> None:
        """Put the row into the store that an interrupt may have kept from it."""
        if self._unkept is not None:
            self._record.keep(*self._unkept)
            self._unkept = None

    def rows(self) -> tuple[Row, ...]:
        """Return the rows in order, those included that the end has come upon."""
        schema = self._job.found.schema
        stopped = {n: open_row(n, steps, schema) for n, steps in self._steps.items()}
        return tuple(row for _, row in sorted({**stopped, **self._rows}.items()))

    def _fail_unasked(self) -> None:
        """Take in the rows whose prompts could not be made."""
        errors = self._job.row_errors
        for number in takewhile(lambda number: number not in self._rows, reversed(errors)):
            self._end(failed_row(number, errors[number]), b"")

    def _end(self, row: Row, key: Key) -> None:
        self._rows[row.number] = row
        self._unkept = row, key
        self.keep()
        self._tell(row)

    def _tell(self, row: Row) -> None:
        if not row.is_kept:
            self._n_failed += 1
            self._failed_at = min(self._failed_at, row.number)
        if self._watcher is not None:
            self._watcher.end(row)
        self._forget_steps(row)
        if self._progress is not None:
            self._progress(len(self._rows), self._n_failed)

    def _forget_steps(self, newest: Row) -> None:
        """Take the steps off the oldest rows where there are too many."""
        if newest.steps:
            self._with_steps.append(newest.number)
            self._n_steps += len(newest.steps)
        while self._n_steps > self._max_steps and len(self._with_steps) > 1:
            oldest = self._rows[self._with_steps.popleft()]
            self._n_steps -= len(oldest.steps)
            self._rows[oldest.number] = replace(oldest, steps=())
