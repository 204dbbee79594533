"""How probable every alternative of a value is, not only the one that is written.

At each token before or in such a value, the probability of all tokens that the mask allows goes to
the alternatives that they fit. Where one that is not taken fits several, and is not negligible, the
model is asked what it would write behind it. So the result is the sum over all ways to write an
alternative, and no estimate.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from steer_engine.alternatives import Stand
from steer_engine.mask import Logits, Mask, allocate_mask, unpack_mask
from steer_engine.matcher import Matcher
from steer_engine.steps import Fork
from steer_engine.vocabulary import TokenId, Vocabulary

NEGLIGIBLE = 1e-3
"""Probability below which a token is not followed up."""

MAX_QUESTIONS = 8
"""How often the model is asked at most for one token; what is open then is nobody's share."""

_MAX_TOKENS = 1024  # that are looked at, the most probable ones


@dataclass(frozen=True, slots=True)
class _Node:
    """A text that could be: the one so far and `tokens`, which lead to `stand`."""

    tokens: tuple[TokenId, ...]
    stand: Stand
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class _Way:
    """A token that may come next: the alternatives that fit it, and where it leads if followed."""

    token: TokenId
    weight: float
    numbers: Sequence[int]
    node: _Node | None = None


class Forking:
    """One step of a value out of a set, with every way on from it."""

    def __init__(
        self, stand: Stand, matcher: Matcher, vocabulary: Vocabulary, *, max_tokens: int
    ) -> None:
        """Take where the text stands, and a matcher that stays there.

        No question has more than `max_tokens` tokens: there is room for so many.
        """
        self._start = _Node((), stand, matcher)
        self._vocabulary = vocabulary
        self._max_tokens = max_tokens
        self._shares = defaultdict[int, float](float)
        self._open: list[tuple[float, tuple[TokenId, ...], _Node]] = []  # the most probable first

    def divide(
        self, logits: Logits, mask: Mask, taken: TokenId
    ) -> Generator[Sequence[TokenId], Logits, Fork | None]:
        """Return how the tokens that `mask` allows share the probability, `taken` being the next.

        Yields tokens, to which the logits after them are sent, were they to follow the text now.
        Returns None where `taken` gives the value no turn, and a fork without shares where it leads
        to no alternative.
        """
        stand, undecided = self._start.stand, 0.0
        if stand.is_left_by(self._vocabulary.spellings[taken]):
            return None
        for way, share in self._ways(self._start, logits, mask, taken):
            if way.token == taken and not way.numbers:
                return Fork(stand.pointer, ())
            if way.token == taken and len(way.numbers) > 1:
                undecided = share
            else:
                self._give(way, share)
        for _ in range(MAX_QUESTIONS):
            if not self._open or -self._open[0][0] < NEGLIGIBLE:
                break
            rank, tokens, node = heapq.heappop(self._open)
            logits = yield tokens
            for way, share in self._ways(node, logits, self._mask_of(node.matcher)):
                self._give(way, -rank * share)
        return Fork(stand.pointer, tuple(sorted(self._shares.items())), undecided)

    def _give(self, way: _Way, share: float) -> None:
        """Give a way's probability to its alternative, or keep it for a question."""
        if len(way.numbers) == 1:
            self._shares[way.numbers[0]] += share
        elif way.numbers and way.node is not None and len(way.node.tokens) <= self._max_tokens:
            heapq.heappush(self._open, (-share, way.node.tokens, way.node))

    def _ways(
        self, node: _Node, logits: Logits, mask: Mask, taken: TokenId | None = None
    ) -> Iterator[tuple[_Way, float]]:
        """Yield the ways on from `node`, each with its part of the probability."""
        tokens = np.flatnonzero(unpack_mask(mask, len(logits)))
        weights = np.exp(logits[tokens] - logits[tokens].max(initial=-np.inf), dtype=np.float64)
        order = np.argsort(-weights)
        # What a refused token outweighs by far would be rounded away if it were subtracted.
        rests = np.append(np.cumsum(weights[order[::-1]])[::-1], 0.0)  # of each and all behind it
        kept, ways = 0.0, list[_Way]()
        for i, rest in zip(order[:_MAX_TOKENS], rests, strict=False):
            token, weight = int(tokens[i]), float(weights[i])
            is_followed = token == taken or weight >= NEGLIGIBLE * (kept + rest)
            way = self._way(node, token, weight, is_followed=is_followed)
            if way is not None:  # else no value of the place begins like that
                ways.append(way)
                kept += weight
        total = kept + float(rests[min(_MAX_TOKENS, len(order))])
        return ((way, way.weight / total) for way in ways if total)

    def _way(self, node: _Node, token: TokenId, weight: float, *, is_followed: bool) -> _Way | None:
        """Return the way that `token` is; None where it leads to no value."""
        spelling, stand = self._vocabulary.spellings[token], node.stand
        if token in self._vocabulary.eos_ids:
            return _Way(token, weight, stand.members.equal_to(stand.written))
        if stand.is_left_by(spelling):
            return None
        if not is_followed:
            return _Way(token, weight, stand.after(spelling).fitting)
        longer = self._followed(node, token)
        return None if longer is None else _Way(token, weight, longer.stand.fitting, longer)

    def _followed(self, node: _Node, token: TokenId) -> _Node | None:
        """Return where `token` leads, with what is forced behind it; None if it leads nowhere."""
        matcher = node.matcher.copy()
        tokens = [token]
        if not matcher.accept(token):
            return None
        for forced in matcher.fast_forward_tokens():
            if not matcher.accept(forced):
                break
            tokens.append(forced)
        if matcher.is_guarded and not self._leads_on(matcher):
            return None
        stand = node.stand.after(self._vocabulary.spell(tokens))
        return _Node((*node.tokens, *tokens), stand, matcher)

    def _leads_on(self, matcher: Matcher) -> bool:
        """Tell whether any token may follow, or none has to."""
        tokens = np.flatnonzero(unpack_mask(self._mask_of(matcher), self._vocabulary.vocab_size))
        return matcher.is_accepting or any(matcher.copy().accept(int(token)) for token in tokens)

    def _mask_of(self, matcher: Matcher) -> Mask:
        mask = allocate_mask(self._vocabulary.vocab_size)
        matcher.fill_mask(mask)
        return mask
