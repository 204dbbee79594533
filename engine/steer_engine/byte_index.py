"""Single bytes as tokens, and texts in as few tokens as there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from steer_engine.mask import Mask
from steer_engine.vocabulary import TokenId, Vocabulary

MAX_SPELLING = 32  # bytes
PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ "


class ByteIndex:
    """The tokens of a vocabulary by what they spell; built once and shared by rows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.longest = 0
        """The bytes of the longest token."""
        self._by_spelling: dict[bytes, TokenId] = {}
        for token, spelling in enumerate(vocabulary.spellings):
            if token in vocabulary.special_ids:
                continue
            self.longest = max(self.longest, len(spelling))
            if 0 < len(spelling) <= MAX_SPELLING:
                self._by_spelling.setdefault(spelling, token)
        order = [*PLAIN, *(byte for byte in range(256) if byte not in PLAIN)]
        self._singles = _Tokens(
            [s for byte in order if (s := bytes([byte])) in self._by_spelling], self._by_spelling
        )
        self._runs = _Tokens(_runs(self._by_spelling), self._by_spelling)

    def single_bytes(self, mask: Mask) -> list[tuple[bytes, TokenId]]:
        """Return the single bytes that `mask` allows, each with its token; plain ones first."""
        return self._singles.allowed(mask)

    def long_run(self, mask: Mask) -> list[tuple[bytes, TokenId]]:
        """Return the longest token of one repeated character that `mask` allows, if any."""
        return self._runs.allowed(mask)[:1]

    def fewest_tokens(self, text: bytes) -> list[TokenId]:
        """Return a shortest list of tokens that spells `text`; every byte of it is a token."""
        best = [(0, -1)]  # for each end: how many tokens, and the last of them
        for end in range(1, len(text) + 1):
            starts = range(max(0, end - MAX_SPELLING), end)
            found = ((start, self._by_spelling.get(text[start:end])) for start in starts)
            best.append(min((best[at][0] + 1, token) for at, token in found if token is not None))
        tokens, end = list[TokenId](), len(text)
        while end:
            tokens.append(best[end][1])
            end -= len(self.vocabulary.spellings[tokens[-1]])
        return tokens[::-1]


class _Tokens:
    """Some tokens, in an order, whose bits are found in a mask at once."""

    def __init__(self, spellings: Sequence[bytes], by_spelling: Mapping[bytes, TokenId]) -> None:
        self._pairs = [(spelling, by_spelling[spelling]) for spelling in spellings]
        tokens = np.array([token for _, token in self._pairs], dtype=np.int64)
        self._words = tokens // 32
        self._bits = np.uint32(1) << (tokens % 32).astype(np.uint32)

    def allowed(self, mask: Mask) -> list[tuple[bytes, TokenId]]:
        """Return those that `mask` allows."""
        return [
            self._pairs[i] for i in np.flatnonzero(mask.view(np.uint32)[self._words] & self._bits)
        ]


def _runs(spellings: Iterable[bytes]) -> list[bytes]:
    """Return the spellings that repeat one plain character, the longest first."""
    found = (text for text in spellings if len(text) > 2 and text == text[:1] * len(text))
    return sorted((text for text in found if text[0] in PLAIN), key=len, reverse=True)
