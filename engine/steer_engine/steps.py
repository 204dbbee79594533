"""One decoded token and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steer_engine.vocabulary import TokenId

Origin = Literal["forced", "chosen", "narrowed", "closed"]
"""Who decided on a token: the schema alone, the model, the model after the schema overruled its
favourite, or nobody: the budget was used up and the answer was closed the shortest way."""


@dataclass(frozen=True, slots=True)
class Fork:
    """How a step divided the probability of a value that comes out of a set of alternatives.

    `shares` pairs numbers of alternatives with what the step gave them. `undecided` is what went on
    with the step's own token, if that leaves more than one. Together they are at most 1: what is
    missing was too little, or too hard, to be followed. `pointer` is the value's. With neither the
    text is none of the alternatives as they are usually written.
    """

    pointer: str
    shares: tuple[tuple[int, float], ...]
    undecided: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token and how it came about.

    Log-probabilities are natural logarithms: `logprob` under the model alone, `masked_logprob`
    among the tokens that the schema allowed. They are None for a token that was never sampled, and
    right to a thousandth; where `logprob` is next to 0, `masked_logprob` is taken to be the same.
    `wanted` is the model's favourite where the schema overruled it. `pointer` is the JSON Pointer
    of the value that the token belongs to. What was thought ahead of the answer is no part of it.
    The end token is a step, of no bytes, only where it is a fork.
    """

    token: TokenId
    spelling: bytes
    origin: Origin
    pointer: str
    logprob: float | None = None
    masked_logprob: float | None = None
    wanted: bytes | None = None
    wanted_logprob: float | None = None
    is_thought: bool = False
    fork: Fork | None = None
