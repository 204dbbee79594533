"""Slots in a library's own caches, whatever they hold: one for each slot, one row in a call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from steer_engine.backends.slotted import Block, Logits
from steer_engine.vocabulary import TokenId

_Cache = TypeVar("_Cache")


class RowNetwork(Generic[_Cache]):
    """A `Network` that needs nothing of a cache but that it can be made, used and copied."""

    can_trim = False
    max_rows = 1
    free_width = 1

    def __init__(
        self,
        make_cache: Callable[[], _Cache],
        call: Callable[[Sequence[TokenId], _Cache, int], Logits],
    ) -> None:
        """Take what the library does.

        ``call(tokens, cache, n_logits)`` appends tokens to a cache and returns the logits of the
        last of them, shape ``(n_logits, vocab_size)``.
        """
        self._make_cache, self._call = make_cache, call
        self._caches: list[_Cache] = []

    def reserve(self, n_slots: int) -> None:
        self._caches = [self._make_cache() for _ in range(n_slots)]

    def compute(self, block: Block) -> Logits:
        [slot], [start], [tokens] = block.slots, block.starts, block.tokens.tolist()
        if start == 0:  # it is new, or was emptied
            self._caches[slot] = self._make_cache()
        n_logits = len(tokens) - block.columns[0] if block.columns else 0
        return self._call(tokens, self._caches[slot], n_logits)[np.newaxis]

    def copy(self, source: int, target: int, n_tokens: int) -> None:  # noqa: ARG002 - it is all
        self._caches[target] = copy.deepcopy(self._caches[source])
