"""Many rows in one model: each is decoded in a slot, and one model call serves all slots.

A slot that becomes free takes the next row at once. What all prompts begin with is read once and
forked into every slot. Rows are taken as they are needed, so that a run may have any number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from steer_engine.backends import Backend, Run
from steer_engine.decoding import Ask
from steer_engine.drafting import Drafting, Lookup
from steer_engine.errors import DefectError, RowError
from steer_engine.rooms import Room, best_room, make_room, n_common
from steer_engine.vocabulary import TokenId
from steer_engine.waiting import Queue, Said, Task

_PERIOD = 32  # rows after which the room is looked at again
_SHORT_GRAINS = 4  # a run of more is computed at once


def decode_rows(
    backend: Backend, tasks: Iterator[Task | Said], *, max_slots: int, drafting: Drafting
) -> Iterator[Said]:
    """Decode all `tasks`, at most `max_slots` at a time, and yield what happens.

    `tasks` are taken a few rows ahead of the slots; what it says itself is passed on. Rows begin in
    order and end as they come. A row that is too long for the memory there is fails alone.

    Raises:
        BackendError, DefectError: the model failed, or was misused; every row that has not ended
            is lost.
    """
    queue = Queue(tasks, max_slots=max_slots)
    yield from queue.fill(is_idle=True)
    while queue.waiting:
        room = yield from make_room(backend, queue)
        if room is None:
            yield from queue.fill(is_idle=True)
        else:
            yield from _Slots(room, backend, drafting).decode(queue)


class _Slots:
    """The rows that are decoded together, in the room that was made for them."""

    def __init__(self, room: Room, backend: Backend, drafting: Drafting) -> None:
        self._backend, self._drafting = backend, drafting
        drafting.prepare(room.n_each)
        self._room, self._is_outgrown = room, False
        self._n_admitted = 0  # since the room was looked at
        self._shared, self._source = room.shared, room.n_slots
        self._free, self._n_free = deque(range(room.n_slots)), room.n_tokens
        self._n_each = room.n_each
        self._rows = list[_Active]()
        if room.shared:
            backend.forward([Run(self._source, room.shared, n_logits=0)])

    def decode(self, queue: Queue) -> Iterator[Said]:
        """Decode rows until none waits, the next is too long here, or another room is better."""
        yield from self._admit(queue)
        while self._rows:
            asking = [row for row in self._rows if row.ask is not None]
            n_drafted = self._drafting.n_tokens(len(asking)) if self._drafting.is_on else 0
            grain = self._backend.grain if len(asking) >= self._backend.grain else 1
            runs = [row.run(self._backend, n_drafted=n_drafted, grain=grain) for row in asking]
            for row, logits in zip(asking, self._backend.forward(runs), strict=True):
                if len(logits):
                    yield from row.go_on(logits)
            self._dismiss()
            yield from self._admit(queue)

    def _admit(self, queue: Queue) -> Iterator[Said]:
        """Give free slots to the next rows, as far as there is memory for them."""
        yield from queue.fill(is_idle=not self._rows)
        while self._free and queue.waiting and not self._has_outgrown(queue):
            prompt, n_tokens = queue.waiting[0].prompt, queue.waiting[0].n_tokens
            n_read = min(n_common(self._shared, prompt), len(prompt) - 1)
            if n_tokens > self._n_each or n_tokens - n_read > self._n_free:
                return
            self._n_admitted += 1
            task, slot = queue.waiting.popleft(), self._free.popleft()
            row = _Active(task, slot, n_read=n_read, drafting=self._drafting)
            self._n_free -= row.n_needed
            if n_read:
                self._backend.fork(self._source, row.slot, n_read)
            yield from row.begin()
            self._rows.append(row)
            yield from queue.fill(is_idle=False)

    def _has_outgrown(self, queue: Queue) -> bool:
        """Tell whether the rows that wait would be faster in another room; look now and then."""
        if self._n_admitted >= _PERIOD and len(queue.waiting) >= _PERIOD:
            self._n_admitted = 0
            self._is_outgrown = best_room(self._backend, queue).is_faster_than(self._room)
        return self._is_outgrown

    def _dismiss(self) -> None:
        """Empty the slots of rows that have ended."""
        for row in self._rows:
            if row.ask is None:
                self._backend.trim(row.slot, row.n_held)
                self._free.append(row.slot)
                self._n_free += row.n_needed
        self._rows = [row for row in self._rows if row.ask is not None]


class _Active:
    """A row in a slot, and what it asks of the model; nothing when it has ended."""

    def __init__(self, task: Task, slot: int, *, n_read: int, drafting: Drafting) -> None:
        self.slot = slot
        self.ask: Ask | None = None
        self.n_held = n_read  # tokens in the slot
        self.n_needed = task.n_tokens - n_read  # tokens that it may yet have to hold
        self._task = task
        self._drafting, self._lookup = drafting, Lookup()
        self._draft: Sequence[TokenId] = ()  # read in advance, behind what was asked

    def begin(self) -> Iterator[Said]:
        """Go on to the first question; the slot already holds the beginning of the prompt."""
        yield from self.go_on(None)
        if self.ask is not None:
            self.ask = replace(self.ask, tokens=self.ask.tokens[self.n_held :])

    def run(self, backend: Backend, *, n_drafted: int, grain: int) -> Run:
        """Return the model's work that answers `ask`, and perhaps `n_drafted` questions more.

        Where it is best done in pieces, only the last of them asks for logits.
        """
        ask = self.ask or Ask(())
        if ask.n_forgotten:
            backend.trim(self.slot, ask.n_forgotten)
        n_now = _piece(len(ask.tokens), grain)
        self.n_held += n_now - ask.n_forgotten
        if n_now < len(ask.tokens):
            self.ask = replace(ask, tokens=ask.tokens[n_now:], n_forgotten=0)
            return Run(self.slot, ask.tokens[:n_now], n_logits=0)
        n_drafted = min(n_drafted, self._task.n_tokens - self.n_held)
        if n_drafted > 0 and not ask.aside:
            self._draft = self._lookup.draft(n_drafted)
            self.n_held += len(self._draft)
        return Run(self.slot, [*ask.tokens, *self._draft], n_logits=1 + len(self._draft))

    def go_on(self, logits: NDArray[np.float32] | None) -> Iterator[Said]:
        """Hand over the answers; yield what the row says up to its next question or its end."""
        self.ask, row = None, self._task.row
        try:
            said = self._task.decoding.send(None if logits is None else logits[0])
            while self.ask is None:
                if not isinstance(said, Ask):
                    yield Said(row, said)
                    said = next(self._task.decoding)
                    continue
                if self._drafting.is_on:
                    self._lookup.read(said.tokens, n_forgotten=said.n_forgotten)
                n_known = self._n_known(said)
                if logits is None or n_known < len(said.tokens):
                    self.ask = self._rest(said, n_known)
                else:
                    self._draft, logits = self._draft[n_known:], logits[n_known:]
                    said = self._task.decoding.send(logits[0])
        except StopIteration as end:
            yield Said(row, end.value)
        except (RowError, DefectError) as error:
            yield Said(row, error)

    def _n_known(self, ask: Ask) -> int:
        """Return how many of its tokens the model has read in advance."""
        if not self._draft:
            return 0
        n_known = 0 if ask.n_forgotten or ask.aside else n_common(ask.tokens, self._draft)
        is_wrong = n_known < min(len(ask.tokens), len(self._draft))
        self._drafting.note(n_right=n_known, is_wrong=is_wrong)
        return n_known

    def _rest(self, ask: Ask, n_known: int) -> Ask:
        """Return what is left to ask; the rest of the draft is wrong, and to be forgotten."""
        n_wrong, self._draft = len(self._draft) - n_known, ()
        return replace(ask, tokens=ask.tokens[n_known:], n_forgotten=ask.n_forgotten + n_wrong)


def _piece(n_tokens: int, grain: int) -> int:
    """Return how many of a run's tokens go into the next call.

    It is one, so that slots keep step, of a short run in each of several calls. But the rest of a
    long run is a call's worth in itself, if it is whole grains.
    """
    if grain == 1:
        return n_tokens
    return 1 if n_tokens <= _SHORT_GRAINS * grain else 1 + (n_tokens - 1) // grain * grain
