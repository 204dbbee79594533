"""What is asked of a model, before it is put into the words of one server."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from steer_engine.prompting import Message, merge_system
from steer_engine.remote.troubles import Trouble
from steer_engine.sampling import Sampling
from steer_engine.schema import JsonObject

_HOTTER = 0.4  # added to the temperature for each answer that was not valid
_HOTTEST = 1.0  # of those: some servers take no more


@dataclass(frozen=True, slots=True)
class Question:
    """One request for one answer. `form` is how the server is told which answers are valid.

    `max_tokens` None leaves the length to the server.
    """

    messages: tuple[Message, ...]
    sampling: Sampling
    max_tokens: int | None
    form: JsonObject = field(default_factory=dict)
    thinks: bool = False


def drawn_again(sampling: Sampling, *, row: int, attempt: int) -> Sampling:
    """Return how tokens are picked for a row's attempt: one that failed is not repeated.

    Equal `sampling` and `row` give equal attempts.
    """
    seed = int(np.random.SeedSequence([sampling.seed, row, attempt]).generate_state(1)[0] >> 1)
    own = sampling.temperature
    temperature = min(own + attempt * _HOTTER, max(own, _HOTTEST))
    return replace(sampling, seed=seed, temperature=temperature)


@dataclass(frozen=True, slots=True)
class Manner:
    """What a server turned out to take: some refuse what others expect.

    `left_out` are the parameters that it refuses, `budget` is its name for the most tokens.
    """

    left_out: frozenset[str] = frozenset()
    budget: str = "max_tokens"
    merges_system: bool = False

    def messages(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return `messages` as the server takes them."""
        return merge_system(messages) if self.merges_system else messages

    def without(self, body: JsonObject) -> JsonObject:
        """Return `body` without what the server refuses."""
        return {name: value for name, value in body.items() if name not in self.left_out}


LOGPROBS = frozenset({"logprobs", "top_logprobs"})
NARROWING = ("top_p", "min_p")
SAMPLED = ("temperature", *NARROWING, "seed")
_NEEDLESS = (*SAMPLED, "top_k", "stream_options", "chat_template_kwargs")


def adapted(manner: Manner, trouble: Trouble) -> Manner | None:
    """Return `manner` without what `trouble` names; None if it names nothing that can be spared."""
    named = trouble.named or trouble.words
    if "max_completion_tokens" in trouble.words and manner.budget == "max_tokens":
        return replace(manner, budget="max_completion_tokens")
    if "logprobs" in named and not manner.left_out >= LOGPROBS:
        return replace(manner, left_out=manner.left_out | LOGPROBS)
    if (better := spared(manner, trouble, _NEEDLESS)) is not None:
        return better
    speaks_of_roles = re.search(r"\bsystem\b|\brole", trouble.words, re.IGNORECASE)
    if speaks_of_roles and not manner.merges_system:
        return replace(manner, merges_system=True)
    return None


def spared(manner: Manner, trouble: Trouble, names: Sequence[str]) -> Manner | None:
    """Return `manner` without the first of `names` that `trouble` names; None if it names none."""
    named = trouble.named or trouble.words
    for name in names:
        if name not in manner.left_out and re.search(rf"\b{name}\b", named):
            return replace(manner, left_out=manner.left_out | {name})
    return None
