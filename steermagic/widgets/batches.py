"""What happens in a run as messages to a page: in batches, and now and then all of it.

A page that is told of each token loses some. It gets a batch some 14 times a second, and whenever
the run has doubled, all of it once more, until that is too much for a message: what a page missed,
say because it was loading its script, comes again, and all messages together are no more than three
times the run.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator

from steer_engine import JsonValue, Steps, StepsUndone
from steermagic.job import Job
from steermagic.marks import MarkedPart
from steermagic.picture import (
    LEGEND,
    STYLES,
    Cell,
    Tally,
    columns_of,
    place,
    table_cells,
)
from steermagic.printable import printable
from steermagic.progress import Pace
from steermagic.runs import Row, copied_of
from steermagic.widgets.live_rows import GrowingList, LiveRow, Message

_PERIOD_S = 0.07
_SPEED_S = 3.0  # tokens per second are those of the last so many seconds
_MAX_TOKENS = 20_000  # shown while they are written; more of them are counted only
_MAX_WHOLE = 500_000  # characters of results; Jupyter's servers drop more than 1 MB a second
_MAX_COLUMNS = 40
_MAX_NAME, _MAX_ERROR = 80, 300  # characters


def head_of(job: Job, model: str) -> Message:
    """Return what the page has to know before the first token."""
    return {
        "model": printable(model, _MAX_NAME),
        "columns": [printable(name, _MAX_NAME) for name, _ in _columns(job)],
        "has_rows": job.n_rows != 1,
        "has_tokens": _has_tokens(job),
        "legend": dict(LEGEND),
        "styles": dict(STYLES),
    }


class LiveView:
    """Takes in what happens and sends it on in batches. It is a `Watcher` of the run."""

    def __init__(
        self,
        job: Job,
        send: Callable[[Message], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job, self._send, self._clock = job, send, clock
        self._columns = _columns(job)
        self._shows_tokens = _has_tokens(job)
        start = clock()
        self._sent_at = start
        self._pace = Pace(job.n_rows, start)
        self._rows = dict[int, LiveRow]()
        self._ended = dict[int, Message]()
        self._unsent = dict[int, Message]()
        self._tally = Tally()
        self._n_written = 0
        self._recent = deque([(start, 0)])
        self._whole_at = 0  # how much there was when all of it was last sent
        self._n_characters = 0  # of all results
        self._items = GrowingList()

    def take(self, event: Steps | StepsUndone) -> None:
        """Take in tokens that a row has gained or lost."""
        row = self._rows.get(event.row)
        if row is None:
            is_shown = self._shows_tokens and self._n_written < _MAX_TOKENS
            row = self._rows[event.row] = LiveRow(is_shown)
        if isinstance(event, StepsUndone):
            self._tally.add(row.steps[len(row.steps) - event.n_steps :], sign=-1)
            row.undo(event.n_steps)
            self._items = GrowingList()
        else:
            self._tally.add(event.steps)
            self._n_written += len(event.steps)
            for step in event.steps:
                row.add(step)
        self._flush_if_due()

    def end(self, row: Row) -> None:
        """Take in how a row came out."""
        result = self._ended[row.number] = self._unsent[row.number] = self._result(row)
        self._n_characters += len(json.dumps(result))
        if row.number in self._rows and not self._rows[row.number].is_shown:
            del self._rows[row.number]
        self._flush_if_due()

    def progress(self, n_finished: int, n_failed: int) -> None:
        """Take in how far the run is."""
        self._pace.update(self._clock(), n_finished, n_failed)

    def flush(self) -> None:
        """Send what the page does not know yet."""
        now = self._sent_at = self._clock()
        self._recent.append((now, self._n_written))
        while len(self._recent) > 2 and now - self._recent[0][0] > _SPEED_S:
            self._recent.popleft()
        amount = self._n_written + len(self._ended)
        is_whole = amount >= 2 * self._whole_at and self._n_characters <= _MAX_WHOLE
        self._whole_at = amount if is_whole else self._whole_at
        tokens = (
            row.batch(number, is_whole=is_whole)
            for number, row in self._rows.items()
            if row.is_shown
        )
        ended = self._ended if is_whole else self._unsent
        self._send(
            {
                "kind": "batch",
                "summary": self._summary(),
                "shares": self._tally.shares(),
                "rows": [batch for batch in tokens if batch is not None],
                "ended": [*ended.values(), *self._new_items()],
            }
        )
        self._unsent = {}

    def _flush_if_due(self) -> None:
        if self._clock() - self._sent_at >= _PERIOD_S:
            self.flush()

    def _summary(self) -> str:
        (then, n_then), (now, n_now) = self._recent[0], self._recent[-1]
        parts = [str(self._tally)] if self._n_written else []
        if n_now > n_then and now > then:
            parts.append(f"{(n_now - n_then) / (now - then):.0f} tokens/s")
        if self._job.n_rows != 1:
            parts.insert(0, str(self._pace))
        return " · ".join(parts)

    def _new_items(self) -> Iterator[Message]:
        """Yield the table rows that a list has gained which is still being written."""
        row = self._rows.get(0)
        if self._job.n_rows != 1 or 0 in self._ended or row is None:
            return
        start = len(self._items.found)
        self._items.read(row.answer)
        items: list[JsonValue] = self._items.found
        if len(items) > start:
            lines = self._lines(Row(0, items, "", (), is_kept=True), start=start)
            yield {"row": 0, "from": start, "lines": lines}

    def _result(self, row: Row) -> Message:
        copied = [
            {
                "name": printable(text.name, _MAX_NAME),
                "parts": [_part(row.number, part) for part in text.parts()],
            }
            for text in copied_of(row, self._job)
        ]
        return {"row": row.number, "from": 0, "lines": self._lines(row), "copied": copied}

    def _lines(self, row: Row, *, start: int = 0) -> list[Message]:
        over = self._job.over
        label = "" if over is None else printable(str(over.label(row.number)), _MAX_NAME)
        if not row.is_kept:
            error = "stopped" if row.error is None else str(row.error)
            return [{"label": label, "error": printable(error, _MAX_ERROR)}]
        return [
            {"label": label, "cells": [_cell(cell) for cell in cells]}
            for cells in table_cells(row, self._columns, start=start)
        ]


def _columns(job: Job) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return () if job.options.unsteered else columns_of(job.found)[:_MAX_COLUMNS]


def _has_tokens(job: Job) -> bool:
    return job.n_rows == 1 or job.options.view == "live"


def _cell(cell: Cell) -> list[object]:
    return [cell.text, cell.place, cell.odds]


def _part(row: int, part: MarkedPart) -> list[object]:
    places = [place(row, pointer) for pointer in part.pointers]
    labels = [[printable(each, _MAX_NAME) for each in names] for names in (part.labels, part.ended)]
    return [part.text, *labels, places]
