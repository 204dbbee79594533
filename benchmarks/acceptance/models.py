"""Models of no weights that make trouble: they write like the data, and some want to break it."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steer_engine.mask import Logits
from steer_engine.vocabulary import TokenId, Vocabulary

_UNHEARD = -18.0  # logit of a token that the data never show
_BACKOFF = 0.4  # what a shorter context counts for
_WISH = 40.0  # logit of a token that is wanted whatever else is likely
_CLOSING = 30.0
_CLOSERS = (b"}", b"]", b",", b' "', b"0", b"1", b"true", b"null")
_STRING_CLOSERS = (b'"', b'":', b"a", b"0")
_QUOTE = re.compile(rb'(?<!\\)(?:\\\\)*"')


class Prior:
    """Which tokens follow which in `texts`: one, two and three at a time."""

    def __init__(self, vocabulary: Vocabulary, texts: Iterable[str]) -> None:
        counts: dict[tuple[TokenId, ...], Counter[TokenId]] = defaultdict(Counter)
        for text in texts:
            tokens = [*vocabulary.tokenize(text, parse_special=False), vocabulary.eos_id]
            for i, token in enumerate(tokens):
                for n_before in range(min(i, 2) + 1):
                    counts[tuple(tokens[i - n_before : i])][token] += 1
        self._following = {before: _logprobs(counter) for before, counter in counts.items()}
        self._vocab_size = vocabulary.vocab_size

    def logits(self, written: Sequence[TokenId]) -> Logits:
        """Return the logits after `written`, shape ``(vocab_size,)``."""
        logits = np.full(self._vocab_size, _UNHEARD, dtype=np.float32)
        for n_before in range(3):
            following = self._following.get(tuple(written[len(written) - n_before :]))
            if following is not None and n_before <= len(written):
                tokens, logprobs = following
                logits[tokens] = np.maximum(logits[tokens] + math.log(_BACKOFF), logprobs)
        return logits


def _logprobs(counter: Counter[TokenId]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    n_seen = np.array(list(counter.values()), dtype=np.float32)
    return np.array(list(counter), dtype=np.int64), np.log(n_seen / n_seen.sum())


class Model(Protocol):
    """What a row asks: the logits after what it has written, noise included."""

    def logits(self, written: Sequence[TokenId]) -> Logits: ...


class RandomModel:
    """Draws from the prior, and winds down with time: a model that means to come to an end."""

    def __init__(self, vocabulary: Vocabulary, prior: Prior, seed: int) -> None:
        self._vocabulary, self._prior = vocabulary, prior
        self._rng = np.random.default_rng(seed)
        self._noise = self._rng.gumbel(size=2 * vocabulary.vocab_size).astype(np.float32)
        ids = {spelling: token for token, spelling in enumerate(vocabulary.spellings)}
        self._closers = [vocabulary.eos_id, *(ids[each] for each in _CLOSERS if each in ids)]
        self._string_closers = [ids[each] for each in _STRING_CLOSERS if each in ids]
        self._n_calls = 0

    def logits(self, written: Sequence[TokenId]) -> Logits:
        self._n_calls += 1
        # The best of logits with Gumbel noise is a draw from them.
        first = int(self._rng.integers(self._vocabulary.vocab_size))
        logits = self._prior.logits(written)
        logits += self._noise[first : first + len(logits)]
        if self._rng.random() < min(0.9, 0.05 + 0.01 * self._n_calls):
            is_in_string = len(_QUOTE.findall(self._vocabulary.spell(written))) % 2
            closers = self._string_closers if is_in_string else self._closers
            logits[closers] = _CLOSING - np.arange(len(closers), dtype=np.float32)
        return logits


class AdversarialModel:
    """Wants to write one invalid text, and goes on like a `RandomModel` where it may not."""

    _FOLLOWS = 0.97  # of the tokens for which it can

    def __init__(self, vocabulary: Vocabulary, prior: Prior, seed: int, wish: str) -> None:
        self._otherwise = RandomModel(vocabulary, prior, seed)
        self._vocabulary, self._wish = vocabulary, wish.encode("utf-8", "replace")
        self._rng = np.random.default_rng(seed)

    def logits(self, written: Sequence[TokenId]) -> Logits:
        text = self._vocabulary.spell(written)
        if not self._wish.startswith(text) or self._rng.random() > self._FOLLOWS:
            return self._otherwise.logits(written)
        logits = self._otherwise.logits(written)
        rest = self._wish[len(text) :]
        wanted = self._vocabulary.tokenize_bytes(rest, parse_special=False)[:1]
        logits[wanted or [self._vocabulary.eos_id]] = _WISH
        return logits
