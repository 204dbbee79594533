"""The tokens of a vocabulary by the bytes they begin with."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from steer_engine.vocabulary import Vocabulary


class PrefixIndex:
    """Finds all tokens whose spelling begins with some bytes; built once for a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def beginning_with(self, prefix: bytes) -> NDArray[np.int64]:
        """Return the tokens that begin with `prefix`, in no order that matters."""
        spellings, tokens = self._sorted
        start = bisect_left(spellings, prefix)
        end = bisect_left(spellings, _next_prefix(prefix), lo=start)
        return tokens[start:end]

    @cached_property
    def _sorted(self) -> tuple[list[bytes], NDArray[np.int64]]:
        # Only when it is asked for: most rows have nothing refused.
        pairs = sorted(
            (spelling, token)
            for token, spelling in enumerate(self._vocabulary.spellings)
            if spelling and token not in self._vocabulary.special_ids
        )
        tokens = np.array([token for _, token in pairs], dtype=np.int64)
        return [spelling for spelling, _ in pairs], tokens


def _next_prefix(prefix: bytes) -> bytes:
    """Return the first bytes, in sorting order, after all that begin with `prefix`."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else b"\xff" * 65
