"""Slots for models whose caches cannot be cut: those with a recurrent state, say.

Each slot has a cache of its own. Where a cache holds more than it should, the slot's tokens are
computed once more.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np

from steer_engine.backends.slotted import CHUNK, Block, Logits
from steer_engine.vocabulary import TokenId

_Cache = TypeVar("_Cache")


@dataclass(slots=True)
class _Slot(Generic[_Cache]):
    cache: _Cache | None = None
    tokens: list[TokenId] = field(default_factory=list)
    """What the cache holds, or has yet to hold when there is none."""


class ReplayingNetwork(Generic[_Cache]):
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
        self._slots: list[_Slot[_Cache]] = []

    def reserve(self, n_slots: int) -> None:
        self._slots = [_Slot() for _ in range(n_slots)]

    def compute(self, block: Block) -> Logits:
        [number], [start] = block.slots, block.starts
        slot, tokens = self._slots[number], block.tokens[0].tolist()
        if start < len(slot.tokens):
            slot.tokens, slot.cache = slot.tokens[:start], None
        if slot.cache is None:
            cache, unread = self._make_cache(), [*slot.tokens, *tokens]
        else:
            cache, unread = slot.cache, tokens
        slot.cache = None  # void until the call has ended well
        n_logits = len(tokens) - block.columns[0] if block.columns else 0
        *first, last = _pieces(unread)
        for piece in first:
            self._call(piece, cache, 0)
        logits = self._call(last, cache, n_logits)
        slot.cache = cache
        slot.tokens += tokens
        return logits[np.newaxis]

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        held = self._slots[source]
        is_whole = n_tokens == len(held.tokens)
        cache = copy.deepcopy(held.cache) if is_whole else None
        self._slots[target] = _Slot(cache, held.tokens[:n_tokens])


def _pieces(tokens: Sequence[TokenId]) -> list[Sequence[TokenId]]:
    """Cut what is read again into pieces for one call each; the last has room for all logits."""
    n_first = len(tokens) % CHUNK or CHUNK
    return [tokens[a:b] for a, b in pairwise([0, *range(n_first, len(tokens) + 1, CHUNK)])]
