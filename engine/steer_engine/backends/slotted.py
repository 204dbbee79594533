"""A backend over any library that computes rectangles of tokens.

The library's side is a `Network`: one call takes a `Block`, which is a rectangle of tokens, a row
for each slot. Here runs become blocks, and slots get their lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steer_engine.backends import ModelInfo, Run, slot_is_full
from steer_engine.errors import BackendError
from steer_engine.vocabulary import TokenId, Vocabulary

CHUNK = 512
"""Tokens of a row in one call, at most: a Ctrl-C waits until it has ended."""

_AREA = 2048  # tokens of a block, its padding included: what a call needs for itself grows with it

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """Tokens of several slots, for one call.

    Row `i` continues slot `slots[i]` behind its first `starts[i]` tokens: whatever was written
    there before is void. Of ``tokens[i]`` the first `lengths[i]` count, the others are padding.
    """

    slots: tuple[int, ...]  # ascending
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    tokens: NDArray[np.int32]  # (n_rows, width)
    columns: tuple[int, ...]
    """Where logits are wanted, in any of the rows; ascending."""


class Network(Protocol):
    """A model as a library computes it, with keys and values of some slots.

    Methods raise what the library raises.
    """

    @property
    def max_rows(self) -> int:
        """How many rows a block may have."""
        ...

    @property
    def can_trim(self) -> bool:
        """Whether a slot can be cut. If not, it is emptied and copied as a whole only."""
        ...

    @property
    def free_width(self) -> int:
        """To how many tokens a row may be padded at hardly any cost.

        A GPU reads all weights for one token, so that a few more cost little.
        """
        ...

    def reserve(self, n_slots: int) -> None:
        """Have `n_slots` empty slots."""
        ...

    def compute(self, block: Block) -> Logits:
        """Compute a block; return logits, shape ``(n_rows, n_columns, vocab_size)``."""
        ...

    def copy(self, source: int, target: int, n_tokens: int) -> None:
        """Make `target` hold the first `n_tokens` tokens of `source`, in place of its own."""
        ...


class SlottedBackend:
    """A `Backend` whose model is a `Network`; where that cannot trim, take it `with_trim`.

    What slots share is copied for each of them, so that it takes its memory many times.
    """

    grain = 1

    def __init__(
        self,
        network: Network,
        *,
        vocabulary: Vocabulary,
        info: ModelInfo,
        chat_template: str | None,
        max_cached_tokens: int,
    ) -> None:
        self._network: Network | None = network
        self._lengths: list[int] = []
        self._room = 0
        self.can_trim = network.can_trim
        self.is_memory_bound = network.free_width > 1
        self.vocabulary = vocabulary
        self.info = info
        self.chat_template = chat_template
        self.max_cached_tokens = max_cached_tokens
        self.max_row_tokens = info.context_length

    def best_slots(self, *, n_read: int, n_written: int, n_each: int, n_shared: int = 0) -> int:
        del n_each  # slots grow as they are filled
        # Every row sees its own tokens only, so that more rows are faster until memory is full.
        n_slots = self.max_cached_tokens // (n_shared + n_read + n_written)
        n_slots -= bool(n_shared)  # one holds what they share
        return max(1, min(n_slots, self._opened.max_rows))

    def reserve(self, *, n_slots: int, n_tokens: int, n_each: int | None = None) -> None:
        self._opened.reserve(n_slots)
        self._lengths = [0] * n_slots
        self._room = n_each or n_tokens

    def forward(self, runs: Sequence[Run]) -> list[Logits]:
        size = self.vocabulary.vocab_size
        wanted = [np.empty((run.n_logits, size), dtype=np.float32) for run in runs]
        last: list[_Piece] = []
        for run, logits in zip(runs, wanted, strict=True):
            if self._lengths[run.slot] + len(run.tokens) > self._room:
                raise slot_is_full(run.slot, self._room)
            *first, end = _pieces(run, logits)
            for piece in first:
                self._compute([piece])
            last.append(end)
        for pieces in _grouped(last, self._opened):
            self._compute(pieces)
        return wanted

    def trim(self, slot: int, n_tokens: int) -> None:
        self._lengths[slot] -= n_tokens

    def fork(self, source: int, target: int, n_tokens: int) -> None:
        self._opened.copy(source, target, n_tokens)
        self._lengths[target] = n_tokens

    def close(self) -> None:
        self._network = None  # the library frees what nothing refers to

    @property
    def _opened(self) -> Network:
        if self._network is None:
            raise BackendError("the model is closed; open it again")
        return self._network

    def _compute(self, pieces: Sequence[_Piece]) -> None:
        """Compute `pieces` in one call and write the logits where they belong."""
        pieces = sorted(pieces, key=lambda piece: piece.slot)
        block = _block(pieces, self._lengths)
        try:
            computed = self._opened.compute(block)
        except (RuntimeError, MemoryError) as error:  # also what torch raises without memory
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise BackendError(
                f"the model could not be computed ({reason});"
                " use a smaller max_tokens or a smaller model"
            ) from error
        for piece, logits in zip(pieces, computed, strict=True):
            self._lengths[piece.slot] += len(piece.tokens)
            if piece.n_logits:
                first = block.columns.index(len(piece.tokens) - piece.n_logits)
                piece.logits[:] = logits[first : first + piece.n_logits, : piece.logits.shape[1]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a run: tokens of a slot, and where the logits of the last of them go."""

    slot: int
    tokens: Sequence[TokenId]
    logits: Logits  # (n_logits, vocab_size)

    @property
    def n_logits(self) -> int:
        return len(self.logits)


def _pieces(run: Run, logits: Logits) -> Iterator[_Piece]:
    """Cut a run into pieces that one call takes; there is at least one, and it may be empty."""
    n_tokens = len(run.tokens)
    n_silent = n_tokens - run.n_logits
    cuts = [*range(0, max(n_tokens, 1), CHUNK), n_tokens]
    for start, end in pairwise(cuts):
        rows = slice(max(start - n_silent, 0), max(end - n_silent, 0))
        yield _Piece(run.slot, run.tokens[start:end], logits[rows])


def _grouped(pieces: Sequence[_Piece], network: Network) -> Iterator[list[_Piece]]:
    """Group pieces for common calls: similar lengths, so that little of a block is padding."""
    group: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: -len(piece.tokens)):
        width = len(group[0].tokens) if group else 0
        is_similar = width <= max(network.free_width, len(piece.tokens) * 3 // 2)
        is_small = len(group) < network.max_rows and (len(group) + 1) * width <= _AREA
        if group and not (is_similar and is_small):
            yield group
            group = []
        if piece.tokens:
            group.append(piece)
    if group:
        yield group


def _block(pieces: Sequence[_Piece], lengths: Sequence[int]) -> Block:
    width = max(len(piece.tokens) for piece in pieces)
    tokens = np.zeros((len(pieces), width), dtype=np.int32)
    columns: set[int] = set()
    for row, piece in zip(tokens, pieces, strict=True):
        row[: len(piece.tokens)] = piece.tokens
        columns.update(range(len(piece.tokens) - piece.n_logits, len(piece.tokens)))
    return Block(
        slots=tuple(piece.slot for piece in pieces),
        starts=tuple(lengths[piece.slot] for piece in pieces),
        lengths=tuple(len(piece.tokens) for piece in pieces),
        tokens=tokens,
        columns=tuple(sorted(columns)),
    )
