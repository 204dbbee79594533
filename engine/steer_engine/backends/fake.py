"""A model of no weights, for tests only: the product never uses it.

Its vocabulary is the 256 bytes, a few longer tokens, and two special ones. Its logits are a fixed
function of the tokens in the slot; a `wish`, if given, is what it would write if nobody stopped it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steer_engine.backends import ModelInfo, Run, slot_is_full
from steer_engine.vocabulary import TokenId, Vocabulary

_LONGER = (b'": ', b', "', b'{"', b"the", b"name", b" 20", "é".encode())
_SPECIAL = (b"<|user|>", b"<|end|>")
EOS = 256 + len(_LONGER) + 1


def _tokenize(text: bytes, *, parse_special: bool) -> list[TokenId]:
    """Greedy longest match."""
    spellings = list(enumerate(_LONGER, 256))
    if parse_special:
        spellings += enumerate(_SPECIAL, 256 + len(_LONGER))
    spellings.sort(key=lambda pair: -len(pair[1]))
    tokens: list[TokenId] = []
    while text:
        token, spelling = next(
            (pair for pair in spellings if text.startswith(pair[1])), (text[0], text[:1])
        )
        tokens.append(token)
        text = text[len(spelling) :]
    return tokens


class FakeBackend:
    """A `Backend` whose favourite continuation of any prompt is `wish`."""

    can_trim = True
    is_memory_bound = False
    grain = 1
    chat_template = (
        "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|user|>{% endif %}"
    )

    def __init__(self, wish: str = "", *, context_length: int = 4096) -> None:
        self._wish = wish.encode()
        self._slots: list[list[TokenId]] = []
        self._room = 0
        self.vocabulary = Vocabulary(
            spellings=(*(bytes([i]) for i in range(256)), *_LONGER, *_SPECIAL),
            eos_ids=frozenset({EOS}),
            special_ids=frozenset({EOS - 1, EOS}),
            eos_id=EOS,
            tokenize_bytes=_tokenize,
        )
        self.max_cached_tokens = 16 * context_length
        self.max_row_tokens = context_length
        fingerprint = hashlib.sha256(f"{context_length} {wish}".encode()).hexdigest()
        self.info = ModelInfo(
            "fake",
            "",
            "fake",
            "none",
            0,
            0,
            context_length,
            embedded=False,
            fingerprint=fingerprint,
        )

    def best_slots(self, *, n_read: int, n_written: int, n_each: int, n_shared: int = 0) -> int:
        del n_each, n_shared
        return min(16, max(1, self.max_cached_tokens // (n_read + n_written)))

    def reserve(self, *, n_slots: int, n_tokens: int, n_each: int | None = None) -> None:
        self._slots = [[] for _ in range(n_slots)]
        self._room = n_each or n_tokens

    def forward(self, runs: Sequence[Run]) -> list[NDArray[np.float32]]:
        return [self._append(run) for run in runs]

    def trim(self, slot: int, n_tokens: int) -> None:
        tokens = self._slots[slot]
        del tokens[len(tokens) - n_tokens :]

    def fork(self, source: int, target: int, n_tokens: int) -> None:
        self._slots[target] = self._slots[source][:n_tokens]

    def close(self) -> None:
        self._slots = []

    def _append(self, run: Run) -> NDArray[np.float32]:
        slot = self._slots[run.slot]
        if len(slot) + len(run.tokens) > self._room:
            raise slot_is_full(run.slot, self._room)
        logits = np.empty((run.n_logits, self.vocabulary.vocab_size), dtype=np.float32)
        first = len(run.tokens) - run.n_logits
        for i, token in enumerate(run.tokens):
            slot.append(token)
            if i >= first:
                logits[i - first] = self._logits(slot)
        return logits

    def _logits(self, tokens: list[TokenId]) -> NDArray[np.float32]:
        seed = zlib.crc32(np.asarray(tokens, dtype=np.int32).tobytes())
        vocabulary = self.vocabulary
        logits = np.random.default_rng(seed).normal(size=vocabulary.vocab_size).astype(np.float32)
        answer = vocabulary.spell(tokens).rpartition(_SPECIAL[0])[2]
        if self._wish.startswith(answer) and self._wish:
            rest = self._wish[len(answer) :]
            logits[_tokenize(rest, parse_special=False)[0] if rest else EOS] = 20.0
        return logits
