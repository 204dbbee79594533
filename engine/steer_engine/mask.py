"""Token masks, packed: one bit a token, 1 = allowed.

Bit ``i % 32`` of word ``i // 32`` allows token ``i``; a token beyond the mask is forbidden. This is
the layout of llguidance and of llama.cpp's and vLLM's bitmasks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steer_engine.vocabulary import TokenId

Mask = NDArray[np.int32]
"""Packed token mask, shape ``(mask_words(vocab_size),)``."""

Logits = NDArray[np.float32]
"""Unnormalised scores of every token, shape ``(vocab_size,)``."""


def mask_words(vocab_size: int) -> int:
    """Return the number of 32-bit words that hold `vocab_size` bits."""
    return (vocab_size + 31) // 32


def allocate_mask(vocab_size: int) -> Mask:
    """Return a mask that allows nothing."""
    return np.zeros(mask_words(vocab_size), dtype=np.int32)


def allows(mask: Mask, token: TokenId) -> bool:
    """Tell whether `mask` allows `token`."""
    word = token // 32
    return word < len(mask) and bool((int(mask[word]) >> (token % 32)) & 1)


def allowed_among(mask: Mask, tokens: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which of `tokens`, all of them inside the mask, it allows; same shape."""
    words = mask.view(np.uint32)[tokens // 32]
    return (words >> (tokens % 32).astype(np.uint32) & np.uint32(1)).astype(np.bool_)


def allow(mask: Mask, tokens: frozenset[TokenId]) -> None:
    """Set the bits of `tokens` in place."""
    bits = mask.view(np.uint32)
    for token in tokens:
        bits[token // 32] |= np.uint32(1 << (token % 32))


def forbid(mask: Mask, tokens: NDArray[np.int64]) -> None:
    """Clear the bits of `tokens` in place."""
    bits = np.uint32(1) << (tokens % 32).astype(np.uint32)
    np.bitwise_and.at(mask.view(np.uint32), tokens // 32, ~bits)


def unpack_mask(mask: Mask, vocab_size: int) -> NDArray[np.bool_]:
    """Return the mask as booleans, shape ``(vocab_size,)``."""
    bits = np.unpackbits(mask.view(np.uint8), count=vocab_size, bitorder="little")
    return bits.view(np.bool_)


def pack_mask(allowed: NDArray[np.bool_]) -> Mask:
    """Return booleans, shape ``(vocab_size,)``, as a packed mask."""
    packed = np.zeros(4 * mask_words(len(allowed)), dtype=np.uint8)
    bits = np.packbits(allowed, bitorder="little")
    packed[: len(bits)] = bits
    return packed.view(np.int32)


def apply_mask(logits: Logits, mask: Mask) -> Logits:
    """Return a copy of `logits` in which every forbidden token has minus infinity."""
    return np.where(unpack_mask(mask, len(logits)), logits, np.float32(-np.inf))  # (vocab_size,)
