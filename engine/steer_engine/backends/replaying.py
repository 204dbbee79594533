"""A backend over one whose slots can be emptied but not cut: those with a recurrent state, say.

Where a slot holds more than it should, its tokens are computed once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from steer_engine.backends import Backend, Run
from steer_engine.mask import Logits
from steer_engine.vocabulary import TokenId

_Backend = TypeVar("_Backend", bound=Backend)


def with_trim(backend: _Backend) -> _Backend | ReplayingBackend:
    """Return `backend` if its slots can be cut, else one over it that computes them once more."""
    return backend if backend.can_trim else ReplayingBackend(backend)


@dataclass(slots=True)
class _Slot:
    tokens: list[TokenId] = field(default_factory=list)
    n_computed: int = 0
    """All of them, or none: then they are computed with the slot's next run."""


class ReplayingBackend:
    """A `Backend` over one that can `forward`, and empty or fork a slot as a whole."""

    can_trim = False  # `trim` works, and is too dear to be used freely
    grain = 1

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._slots: list[_Slot] = []
        self.vocabulary = backend.vocabulary
        self.info = backend.info
        self.chat_template = backend.chat_template
        self.max_cached_tokens = backend.max_cached_tokens
        self.max_row_tokens = backend.max_row_tokens
        self.is_memory_bound = backend.is_memory_bound

    def best_slots(self, *, n_read: int, n_written: int, n_each: int, n_shared: int = 0) -> int:
        return self._backend.best_slots(
            n_read=n_read, n_written=n_written, n_each=n_each, n_shared=n_shared
        )

    def reserve(self, *, n_slots: int, n_tokens: int, n_each: int | None = None) -> None:
        self._backend.reserve(n_slots=n_slots, n_tokens=n_tokens, n_each=n_each)
        self._slots = [_Slot() for _ in range(n_slots)]

    def forward(self, runs: Sequence[Run]) -> list[Logits]:
        logits = self._backend.forward([self._with_uncomputed(run) for run in runs])
        for run in runs:
            slot = self._slots[run.slot]
            slot.tokens += run.tokens
            slot.n_computed = len(slot.tokens)
        return logits

    def trim(self, slot: int, n_tokens: int) -> None:
        held = self._slots[slot]
        n_kept = len(held.tokens) - n_tokens
        if n_kept < held.n_computed:
            self._backend.trim(slot, held.n_computed)
            held.n_computed = 0
        del held.tokens[n_kept:]

    def fork(self, source: int, target: int, n_tokens: int) -> None:
        held = self._slots[source]
        self.trim(target, len(self._slots[target].tokens))
        is_whole = n_tokens == held.n_computed
        if is_whole:
            self._backend.fork(source, target, n_tokens)
        self._slots[target] = _Slot(held.tokens[:n_tokens], n_tokens if is_whole else 0)

    def close(self) -> None:
        self._backend.close()

    def _with_uncomputed(self, run: Run) -> Run:
        slot = self._slots[run.slot]
        return replace(run, tokens=[*slot.tokens[slot.n_computed :], *run.tokens])
