"""Many rows in one model: each is decoded in a slot, and one model call serves all slots.

A slot that becomes free takes the next row at once. What all prompts begin with is read once and
forked into every slot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

from steer_engine.backends import Backend, Run
from steer_engine.decoding import Ask, FinishReason, Undone
from steer_engine.errors import BackendError, DefectError, RowError
from steer_engine.mask import Logits
from steer_engine.steps import Step
from steer_engine.vocabulary import TokenId

Decoding: TypeAlias = Generator[Ask | tuple[Step, ...] | Undone, Logits | None, FinishReason]

_MIN_SHARED = 16  # tokens; forking fewer saves nothing


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
    what: tuple[Step, ...] | Undone | FinishReason | RowError | BackendError | DefectError


def decode_rows(backend: Backend, tasks: Sequence[Task], *, n_slots: int = 16) -> Iterator[Said]:
    """Decode all `tasks`, at most `n_slots` at a time, and yield what happens.

    Rows begin in order and end as they come. A row that is too long for the memory there is fails
    alone.

    Raises:
        BackendError: the model failed; every row that has not ended is lost.
    """
    shared = shared_prefix([task.prompt for task in tasks])
    waiting = deque(tasks)
    n_free = yield from _make_room(backend, waiting, n_slots=n_slots, n_shared=len(shared))
    if shared and waiting:
        backend.forward([Run(n_slots, shared, n_logits=0)])
    free, active = deque(range(n_slots)), list[_Active]()
    while active or waiting:
        while free and waiting and waiting[0].n_tokens - len(shared) <= n_free:
            row = _Active(waiting.popleft(), free.popleft(), n_read=len(shared))
            n_free -= row.n_needed
            if shared:
                backend.fork(n_slots, row.slot, len(shared))
            yield from row.begin()
            active.append(row)
        asking = [row for row in active if row.ask is not None]
        answers = backend.forward([row.run(backend) for row in asking])
        for row, logits in zip(asking, answers, strict=True):
            yield from row.go_on(logits[-1])
        for row in active:
            if row.ask is None:
                backend.trim(row.slot, row.n_held)
                free.append(row.slot)
                n_free += row.n_needed
        active = [row for row in active if row.ask is not None]


def _make_room(
    backend: Backend, waiting: deque[Task], *, n_slots: int, n_shared: int
) -> Generator[Said, None, int]:
    """Reserve memory for as many rows as it has; return how many tokens fit beside the prefix.

    Rows that fit in no memory fail and are taken out of `waiting`.
    """
    while waiting:
        needs = sorted((task.n_tokens - n_shared for task in waiting), reverse=True)
        n_tokens = min(sum(needs[:n_slots]), backend.max_cached_tokens - n_shared)
        while True:
            try:
                backend.reserve(n_slots=n_slots + bool(n_shared), n_tokens=n_shared + n_tokens)
            except BackendError as error:
                if n_tokens > needs[0]:
                    n_tokens = max(needs[0], n_tokens // 2)
                    continue
                longest = max(waiting, key=lambda task: task.n_tokens)
                waiting.remove(longest)
                yield Said(longest.row, error)
                break
            return n_tokens
    return 0


class _Active:
    """A row in a slot, and what it asks of the model; nothing when it has ended."""

    def __init__(self, task: Task, slot: int, *, n_read: int) -> None:
        self.slot = slot
        self.ask: Ask | None = None
        self.n_held = n_read  # tokens in the slot
        self.n_needed = task.n_tokens - n_read  # tokens that it may yet have to hold
        self._task = task

    def begin(self) -> Iterator[Said]:
        """Go on to the first question; the slot already holds the beginning of the prompt."""
        yield from self.go_on(None)
        if self.ask is not None:
            self.ask = Ask(self.ask.tokens[self.n_held :])

    def run(self, backend: Backend) -> Run:
        """Return the model's work that answers `ask`."""
        ask = self.ask or Ask(())
        if ask.n_forgotten:
            backend.trim(self.slot, ask.n_forgotten)
        self.n_held += len(ask.tokens) - ask.n_forgotten
        return Run(self.slot, ask.tokens)

    def go_on(self, logits: Logits | None) -> Iterator[Said]:
        """Hand over the answer; yield what the row says up to its next question or its end."""
        self.ask, row = None, self._task.row
        try:
            said = self._task.decoding.send(logits)
            while not isinstance(said, Ask):
                yield Said(row, said)
                said = next(self._task.decoding)
            self.ask = said
        except StopIteration as end:
            yield Said(row, end.value)
        except (RowError, DefectError) as error:
            yield Said(row, error)


def shared_prefix(prompts: Sequence[Sequence[TokenId]]) -> list[TokenId]:
    """Return what all of several prompts begin with, less the last token; empty if it is short."""
    if len(prompts) < 2:
        return []
    first, last = min(prompts, key=list), max(prompts, key=list)  # all others lie between
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    shared = [token for token, _ in pairs]
    del shared[min(len(first), len(last)) - 1 :]
    return shared if len(shared) >= _MIN_SHARED else []
