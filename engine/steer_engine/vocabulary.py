"""What a model's token ids mean: the bytes each one stands for, and which ones are not text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

TokenId = int
"""Index of a token in its vocabulary, from 0."""


class Tokenize(Protocol):
    """A model's own tokeniser, without tokens at the start or end of a text."""

    def __call__(self, text: bytes, *, parse_special: bool) -> list[TokenId]:
        """Return the tokens of `text`; with `parse_special`, control tokens may be spelled out."""
        ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of one model.

    `spellings[token]` is the exact bytes the token adds to the text. A token may hold part of a
    UTF-8 character, so decode only joined spellings. `special_ids` are control tokens: they are
    never text, whatever their spelling looks like. Every id in `eos_ids` ends a generation;
    `eos_id` is the one that chat templates spell. `bos_id` begins a text, if the model has such a
    token; `adds_bos` tells that it expects it also where its chat template does not write it.
    """

    spellings: tuple[bytes, ...]
    eos_ids: frozenset[TokenId]
    special_ids: frozenset[TokenId]
    eos_id: TokenId
    bos_id: TokenId | None = None
    adds_bos: bool = False
    tokenize_bytes: Tokenize = field(kw_only=True, compare=False, repr=False)

    @property
    def vocab_size(self) -> int:
        """Number of tokens; logits have this length."""
        return len(self.spellings)

    def tokenize(self, text: str, *, parse_special: bool) -> list[TokenId]:
        """Return the model's own tokenisation of `text`; a lone surrogate is read as ``?``."""
        data = text.encode("utf-8", "replace")
        return self.tokenize_bytes(data, parse_special=parse_special)

    def spell(self, tokens: Sequence[TokenId]) -> bytes:
        """Return the bytes that `tokens` stand for."""
        return b"".join(map(self.spellings.__getitem__, tokens))
