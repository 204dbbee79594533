"""From logits to a token. A sampler is a function; greedy unless a temperature is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer_engine.errors import SamplingError
from steer_engine.mask import Logits
from steer_engine.vocabulary import TokenId

Sampler = Callable[[Logits], TokenId]
"""Picks a token; minus infinity marks the tokens that may not be picked."""

UNLIKELY = 1e-3
"""What is left out of probabilities: that much of the best token's, for all others together."""

_FAR = 1e30  # no logits are so far from each other


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are picked. `temperature` 0 is greedy and ignores the rest.

    `top_p` keeps the smallest set of tokens whose probability reaches it; `min_p` keeps tokens at
    least that fraction as probable as the best one. Both act after the token mask, so that they
    narrow what is valid and never empty it.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise SamplingError(f"temperature must be 0 or more, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise SamplingError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if not 0 <= self.min_p < 1:
            raise SamplingError(f"min_p must be at least 0 and below 1, not {self.min_p}")
        if self.seed < 0:
            raise SamplingError(f"seed must be 0 or more, not {self.seed}")


def make_sampler(sampling: Sampling, *, row: int) -> Sampler:
    """Return a sampler for one row. Equal `sampling` and `row` draw the same tokens."""
    if sampling.temperature == 0:
        return greedy
    rng = np.random.default_rng([sampling.seed, row])
    if sampling.top_p < 1 or sampling.min_p > 0:
        return NarrowingSampler(sampling, rng)
    return lambda logits: draw(logits, temperature=sampling.temperature, rng=rng)


class NarrowingSampler:
    """Draws from the best of the tokens, and which those are depends on what is forbidden.

    Any other sampler may be asked before it is known what is forbidden: where its token turns out
    to be allowed it is the one, or has the probability, that it had among the allowed ones.
    """

    def __init__(self, sampling: Sampling, rng: np.random.Generator) -> None:
        self._sampling, self._rng = sampling, rng

    def __call__(self, logits: Logits) -> TokenId:
        """Return a token; the contract is that of `Sampler`."""
        probs = _kept(softmax(logits, temperature=self._sampling.temperature), self._sampling)
        return int(self._rng.choice(len(probs), p=probs))


def draw(logits: Logits, *, temperature: float, rng: np.random.Generator) -> TokenId:
    """Draw a token from the softmax; mostly only the likely ones have to be looked at."""
    reach = min(temperature * math.log(len(logits) / UNLIKELY), _FAR)
    tokens = np.flatnonzero(logits >= np.max(logits) - np.float32(reach))
    ends = np.cumsum(_weights(logits[tokens], temperature))
    while True:
        # All others together weigh at most what is drawn from beyond the end.
        at = rng.random() * (ends[-1] + UNLIKELY)
        if at < ends[-1]:
            return int(tokens[np.searchsorted(ends, at, side="right")])
        rest = _weights(logits, temperature)  # (vocab_size,)
        rest[tokens] = 0.0
        rest_ends = np.cumsum(rest)
        if at - ends[-1] < rest_ends[-1]:
            return int(np.searchsorted(rest_ends, at - ends[-1], side="right"))


def greedy(logits: Logits) -> TokenId:
    """Return the most probable token; the lowest id wins a tie."""
    return int(np.argmax(logits))


def softmax(logits: Logits, *, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return normalised probabilities, float64, same shape."""
    weights = _weights(logits, temperature)
    probs: NDArray[np.float64] = weights / weights.sum()
    return probs


def _weights(logits: Logits, temperature: float) -> NDArray[np.float64]:
    """Return what `softmax` divides by its sum; that of the best token is 1."""
    # The best logit becomes 0 first: any temperature then divides without overflow upwards.
    weights: NDArray[np.float64] = np.exp(
        (logits.astype(np.float64) - np.max(logits)) / temperature
    )
    return weights


def _kept(probs: NDArray[np.float64], sampling: Sampling) -> NDArray[np.float64]:
    if sampling.min_p > 0:
        probs = np.where(probs >= sampling.min_p * probs.max(), probs, 0.0)
    if sampling.top_p < 1:
        order = np.argsort(-probs, kind="stable")
        before = np.cumsum(probs[order]) - probs[order]
        # The token that crosses the line is kept: at least one always survives.
        probs = probs.copy()
        probs[order[before >= sampling.top_p * probs.sum()]] = 0.0
    kept: NDArray[np.float64] = probs / probs.sum()
    return kept
