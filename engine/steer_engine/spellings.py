"""The tokens of a vocabulary by the bytes they begin with."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from steer_engine.vocabulary import Vocabulary


class PrefixIndex:
    """Finds all tokens whose spelling begins with some bytes; built once for a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        pairs = sorted(
            (spelling, token)
            for token, spelling in enumerate(vocabulary.spellings)
            if spelling and token not in vocabulary.special_ids
        )
        self._spellings = [spelling for spelling, _ in pairs]
        self._tokens = np.array([token for _, token in pairs], dtype=np.int64)

    def beginning_with(self, prefix: bytes) -> NDArray[np.int64]:
        """Return the tokens that begin with `prefix`, in no order that matters."""
        start = bisect_left(self._spellings, prefix)
        end = bisect_left(self._spellings, _next_prefix(prefix), lo=start)
        return self._tokens[start:end]


def _next_prefix(prefix: bytes) -> bytes:
    """Return the first bytes, in sorting order, after all that begin with `prefix`."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b"\xff" * 65
