"""One decoded token and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from steer_engine.vocabulary import TokenId

Origin = Literal["forced", "chosen", "narrowed", "closed"]
"""Who decided on a token: the schema alone, the model, the model after the schema overruled its
favourite, or nobody: the budget was used up and the answer was closed the shortest way."""


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token and how it came about.

    Log-probabilities are natural logarithms: `logprob` under the model alone, `masked_logprob`
    among the tokens that the schema allowed. They are None for a token that was never sampled.
    `wanted` is the model's favourite where the schema overruled it. `pointer` is the JSON Pointer
    of the value that the token belongs to. What was thought ahead of the answer is no part of it.
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
