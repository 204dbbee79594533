"""Guesses at what a row will write, which the model checks in the call that it makes anyway.

Values are often copied from the prompt: where the last tokens stand there, what follows them is a
good guess (prompt lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding). A guess
never changes an answer. It makes calls fewer and wider, which pays where a wider call costs little.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence

from steer_engine.backends import Backend, Run
from steer_engine.vocabulary import TokenId

_N_MOST = 8  # tokens of a draft
_N_ALIKE = 2  # tokens that have to stand in the prompt before a draft begins
_MEMORY = 0.95  # of earlier drafts, each time one more token was right or wrong
_PROBE = 64  # one in so many chances is taken although drafts have not paid of late


class Drafting:
    """How long drafts may be: as long as a right one saves more than all of them cost.

    Both are known from the model at hand, the cost from a few calls when it is first used.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._cost = math.nan if backend.is_memory_bound and backend.can_trim else math.inf
        self._share_right = 0.5
        self._n_chances = 0

    @property
    def is_on(self) -> bool:
        """Whether drafts may pay at all."""
        return self._cost < 1

    def prepare(self, n_tokens: int) -> None:
        """Measure the cost, once; slot 0 must be empty and have room for `n_tokens` tokens.

        Where those are too few, drafts have to wait for more room.
        """
        if math.isnan(self._cost) and n_tokens > _N_MOST:
            self._cost = _cost_of_width(self._backend)

    def n_tokens(self, n_rows: int) -> int:
        """Return how many tokens to draft for each of `n_rows` rows that share a call.

        A draft's k-th token is right with probability ``p**k`` and saves its row a call then, which
        is worth ``1 / n_rows`` of one.
        """
        cost = self._cost * n_rows
        if not 0 < cost < 1:
            return _N_MOST if cost <= 0 else 0
        n_tokens = min(_N_MOST, math.floor(math.log(cost) / math.log(self._share_right)))
        self._n_chances += 1
        return n_tokens or int(self._n_chances % _PROBE == 0)

    def note(self, *, n_right: int, is_wrong: bool) -> None:
        """Take in how a draft went: so many tokens were right, and perhaps the next was wrong."""
        for is_right in [True] * n_right + [False] * is_wrong:
            right = _MEMORY * self._share_right + (1 - _MEMORY) * is_right
            self._share_right = min(0.99, max(0.01, right))


class Lookup:
    """The tokens of a row, and where each pair of them stood last."""

    def __init__(self) -> None:
        self._tokens: list[TokenId] = []
        self._after: dict[tuple[TokenId, ...], int] = {}

    def read(self, tokens: Sequence[TokenId], *, n_forgotten: int) -> None:
        """Take back the last `n_forgotten` tokens, then append others."""
        del self._tokens[len(self._tokens) - n_forgotten :]
        for token in tokens:
            if len(self._tokens) >= _N_ALIKE:
                self._after[tuple(self._tokens[-_N_ALIKE:])] = len(self._tokens)
            self._tokens.append(token)

    def draft(self, n_tokens: int) -> Sequence[TokenId]:
        """Return at most `n_tokens` tokens that followed where the last ones stood before."""
        place = self._after.get(tuple(self._tokens[-_N_ALIKE:]))
        return () if place is None else self._tokens[place : place + n_tokens]


def _cost_of_width(backend: Backend) -> float:
    """Return what one more token costs in a call of few, as a share of a call of one."""
    token = min(backend.vocabulary.eos_ids)
    narrow, wide = (
        statistics.median(_seconds(backend, [token] * n_tokens) for _ in range(5))
        for n_tokens in (1, 1 + _N_MOST)
    )
    return max(0.0, wide / narrow - 1) / _N_MOST


def _seconds(backend: Backend, tokens: Sequence[TokenId]) -> float:
    begun = time.perf_counter()
    backend.forward([Run(0, tokens, n_logits=len(tokens))])
    elapsed = time.perf_counter() - begun
    backend.trim(0, len(tokens))
    return elapsed
