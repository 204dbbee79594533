"""The decode loop: what the grammar forces is not sampled, what it forbids cannot be."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from steer_engine.backends import Backend, Run
from steer_engine.cursor import JsonCursor
from steer_engine.errors import RowError
from steer_engine.grammar import Matcher
from steer_engine.mask import Logits, allocate_mask, allows, apply_mask
from steer_engine.sampling import Sampler, greedy, log_normalizer
from steer_engine.vocabulary import TokenId

Origin = Literal["forced", "chosen", "narrowed"]
"""Who decided on a token: the schema alone, the model, or the model after the schema overruled
its favourite."""

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Step:
    """One decoded token and how it came about.

    Log-probabilities are natural logarithms: `logprob` under the model alone, `masked_logprob`
    among the tokens that the schema allowed. They are None for a token that was never sampled.
    `wanted` is the model's favourite where the schema overruled it. `pointer` is the JSON Pointer
    of the value that the token belongs to.
    """

    token: TokenId
    spelling: bytes
    origin: Origin
    pointer: str
    logprob: float | None = None
    masked_logprob: float | None = None
    wanted: bytes | None = None
    wanted_logprob: float | None = None


def decode(
    backend: Backend,
    matcher: Matcher,
    prompt: Sequence[TokenId],
    *,
    slot: int,
    sampler: Sampler,
    max_tokens: int,
    is_json: bool = True,
) -> Generator[tuple[Step, ...], None, FinishReason]:
    """Continue `prompt` inside the matcher's grammar, in an empty slot.

    Yields the steps of one model call at a time and returns why it ended: ``"stop"`` when the text
    is complete, ``"length"`` when `max_tokens` tokens were not enough to complete it. Where the
    text need not be JSON (`is_json` false) the steps' pointers are empty.

    Raises:
        RowError: the grammar has no way on, although the text is not complete.
    """
    decoder = _Decoder(backend, matcher, sampler, JsonCursor() if is_json else None)
    pending = list(prompt)  # tokens that the model has not seen yet
    n_left = max_tokens
    while True:
        forced = decoder.force(n_left)
        n_left -= len(forced)
        if forced:
            yield forced
        if matcher.is_stopped:
            return "stop"
        if n_left == 0:
            return "length"
        pending += [step.token for step in forced]
        [logits] = backend.forward([Run(slot, pending)])  # (1, vocab_size)
        step = decoder.choose(logits[-1])
        if step is None:
            return "stop"
        n_left -= 1
        yield (step,)
        pending = [step.token]


class _Decoder:
    """The state of one generation: matcher, cursor, and the mask's buffer."""

    def __init__(
        self, backend: Backend, matcher: Matcher, sampler: Sampler, cursor: JsonCursor | None
    ) -> None:
        self._vocabulary = backend.vocabulary
        self._matcher = matcher
        self._sampler = sampler
        self._cursor = cursor
        self._mask = allocate_mask(self._vocabulary.vocab_size)

    def force(self, n_left: int) -> tuple[Step, ...]:
        """Accept the tokens that the grammar forces, at most `n_left`."""
        steps = []
        for token in self._matcher.fast_forward_tokens()[:n_left]:
            self._matcher.accept(token)
            spelling = self._vocabulary.spellings[token]
            steps.append(Step(token, spelling, "forced", self._point(spelling)))
        return tuple(steps)

    def choose(self, logits: Logits) -> Step | None:
        """Sample a token that the grammar allows and accept it; None ends the text."""
        self._matcher.fill_mask(self._mask)
        if not self._mask.any():
            where = (self._cursor and self._cursor.pointer) or "the root"
            raise RowError(
                f"no token can continue the answer at {where}: no span"
                " of the prompt fits there, or the schema is too complex; loosen it at that place"
            )
        masked = apply_mask(logits, self._mask)
        favourite, token = greedy(logits), self._sampler(masked)
        if token in self._vocabulary.eos_ids:
            return None
        spelling = self._vocabulary.spellings[token]
        forced = self._matcher.forced_bytes().startswith(spelling)
        overruled = not forced and not allows(self._mask, favourite)
        self._matcher.accept(token)
        normalizer = log_normalizer(logits)
        return Step(
            token,
            spelling,
            "forced" if forced else "narrowed" if overruled else "chosen",
            self._point(spelling),
            logprob=float(logits[token]) - normalizer,
            masked_logprob=float(masked[token]) - log_normalizer(masked),
            wanted=self._vocabulary.spellings[favourite] if overruled else None,
            wanted_logprob=float(logits[favourite]) - normalizer if overruled else None,
        )

    def _point(self, spelling: bytes) -> str:
        """Move the cursor over a token; return the pointer of the value it belongs to."""
        if self._cursor is None:
            return ""
        before, was_inside = self._cursor.pointer, self._cursor.in_scalar
        self._cursor.feed(spelling)
        return before if was_inside else self._cursor.pointer
