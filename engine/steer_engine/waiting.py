"""The rows that wait for a slot. They are taken from an iterator, which may be slow, or endless."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.decoding import Ask, FinishReason, Undone
from steer_engine.errors import BackendError, DefectError, PromptError, RowError
from steer_engine.mask import Logits
from steer_engine.steps import Step
from steer_engine.vocabulary import TokenId

Decoding: TypeAlias = Generator[Ask | tuple[Step, ...] | Undone, Logits | None, FinishReason]

_AHEAD = 4  # rows a slot that are looked at ahead: how long they are, and what they share
_PATIENCE_S = 0.5  # for rows that are only looked at ahead
_MOST_OWED_S = 5.0  # after a longer pause of the iterator, slots would stay empty


@dataclass(frozen=True, slots=True)
class Task:
    """One row's work: `row` names it, the generator comes from `decode`.

    `n_tokens` is the most that prompt and answer have together.
    """

    row: int
    prompt: Sequence[TokenId]
    decoding: Decoding
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Said:
    """What happened in a row: tokens gained or taken back, its end, or why it could not end."""

    row: int
    what: (
        tuple[Step, ...]
        | Undone
        | FinishReason
        | RowError
        | PromptError
        | BackendError
        | DefectError
    )


class Queue:
    """The next rows: `waiting` is refilled from an iterator, up to some rows for each slot."""

    def __init__(self, tasks: Iterator[Task | Said], *, max_slots: int) -> None:
        self.waiting: deque[Task] = deque()
        self.max_slots = max_slots
        self.is_at_end = False
        self._tasks = tasks
        self._patience_s, self._left = _PATIENCE_S, time.monotonic()

    def fill(self, *, is_idle: bool) -> Iterator[Said]:
        """Take rows until enough of them wait; yield what comes instead of a row.

        A slow iterator is given as much time as the model has had. Only where that `is_idle` and no
        row waits, it is waited for without an end.
        """
        while len(self.waiting) < _AHEAD * self.max_slots and not self.is_at_end:
            begin = time.monotonic()
            self._patience_s = min(_PATIENCE_S, self._patience_s + begin - self._left)
            self._left = begin
            is_needed = is_idle and not self.waiting
            if self._patience_s <= 0 and not is_needed:
                return
            task = next(self._tasks, None)
            self._left = time.monotonic()
            if not is_needed:
                self._patience_s = max(-_MOST_OWED_S, self._patience_s + begin - self._left)
            if task is None:
                self.is_at_end = True
            elif isinstance(task, Said):
                yield task
            else:
                self.waiting.append(task)
