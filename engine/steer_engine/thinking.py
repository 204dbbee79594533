"""Free text ahead of the answer: the model thinks, up to a budget, and only then is steered."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from steer_engine.decoding import Ask, Undone, decode
from steer_engine.mask import Logits, allow
from steer_engine.matcher import FreeMatcher
from steer_engine.reasoning import ReasoningStyle
from steer_engine.sampling import Sampler
from steer_engine.steps import Step
from steer_engine.vocabulary import TokenId, Vocabulary


@dataclass(frozen=True, slots=True)
class Thoughts:
    """What the model thought, and the tokens that it has not read and the answer follows."""

    text: str
    unread: list[TokenId]


def think(
    vocabulary: Vocabulary,
    style: ReasoningStyle,
    prompt: Sequence[TokenId],
    *,
    sampler: Sampler,
    max_tokens: int,
) -> Generator[Ask | tuple[Step, ...] | Undone, Logits | None, Thoughts]:
    """Continue `prompt` with at most `max_tokens` tokens of thoughts.

    Yields what `decode` does; the steps are marked as thoughts. An end token, or what closes
    thoughts in the model's style, ends them early. What closes them is added where it is missing.
    """
    written = bytearray()
    unread = list(prompt)
    matcher = ThoughtMatcher(vocabulary, style.closing.encode())
    decoding = decode(
        vocabulary, matcher, prompt, sampler=sampler, max_tokens=max_tokens, is_json=False
    )
    logits: Logits | None = None
    while True:
        try:
            said = decoding.send(logits)
        except StopIteration:
            break
        logits = None
        if isinstance(said, Ask):
            unread = []
            logits = yield said
        elif isinstance(said, tuple):
            unread += [step.token for step in said]
            written += b"".join(step.spelling for step in said)
            yield tuple(replace(step, is_thought=True) for step in said)
    text = written.decode("utf-8", "replace")
    unread += vocabulary.tokenize(style.ending(text), parse_special=True)
    return Thoughts(style.without_closing(text), unread)


def most_ending_tokens(vocabulary: Vocabulary, style: ReasoningStyle) -> int:
    """Return how many tokens `think` adds at most behind the thoughts."""
    endings = (vocabulary.tokenize(text, parse_special=True) for text in style.endings())
    return max(map(len, endings))


class ThoughtMatcher(FreeMatcher):
    """A `Matcher` that allows every text and stops once `closing` stands in it."""

    def __init__(self, vocabulary: Vocabulary, closing: bytes) -> None:
        super().__init__(vocabulary)
        spellings = vocabulary.spellings
        # In some vocabularies the tag is a control token, which no other text may hold.
        tags = (token for token in vocabulary.special_ids if spellings[token] == closing)
        allow(self._mask, frozenset(tags))
        self._spellings = spellings
        self._closing = closing
        # Behind each token, as much of the text as `closing` may begin in; itself once it stands.
        self._tails = [b""]

    def accept(self, token: TokenId) -> bool:
        written = self._tails[-1] + self._spellings[token]
        is_closed = self._closing in written
        self._tails.append(self._closing if is_closed else written[-len(self._closing) :])
        self.is_stopped = is_closed
        return True

    def rollback(self, n_tokens: int) -> None:
        del self._tails[len(self._tails) - n_tokens :]
        self.is_stopped = self._tails[-1] == self._closing

    def copy(self) -> Self:
        twin = copy.copy(self)
        twin._tails = self._tails.copy()  # noqa: SLF001 - its own
        return twin
