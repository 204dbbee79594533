"""How much memory a model takes, from its shape alone.

The formulas are those of llama.cpp's own allocator: `tests/engine/plan` compares them with what it
says itself, `benchmarks/memory_plan.py` with what processes take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from steer_engine.catalogue.facts import ModelFacts, ModelShape

BATCH: Final = 512
"""Tokens of one native call."""

OUTPUTS: Final = 64
"""Rows of logits that one native call may return."""

PROCESS: Final = 76 * 2**20
"""Bytes of the interpreter, the libraries, and what a run of one short row leaves behind."""

_CELLS = 256  # the cache grows by so many tokens
_FLOAT, _HALF = 4, 2  # bytes
_KEPT = 2**25  # what the allocator of the C library keeps at most
_TOKEN = 860  # bytes a token of the vocabulary: its spelling, in each of the libraries


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of memory, by what they are for."""

    weights: int = 0
    cache: int = 0
    compute: int = 0
    process: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.cache + self.compute + self.process

    def __add__(self, other: Need) -> Need:
        return Need(
            self.weights + other.weights,
            self.cache + other.cache,
            self.compute + other.compute,
            self.process + other.process,
        )


@dataclass(frozen=True, slots=True)
class Room:
    """What a context has room for: tokens of all slots together, and slots."""

    n_tokens: int
    n_slots: int = 1

    @property
    def n_cells(self) -> int:
        """The tokens, as the cache is allocated."""
        return -(-self.n_tokens // _CELLS) * _CELLS


def process_bytes(facts: ModelFacts, room: Room) -> int:
    """Return what the process takes beside the model: libraries, vocabulary, logits."""
    # The logits stand in the library's buffer and in ours.
    logits = 2 * room.n_slots * facts.vocab_size * _FLOAT
    return PROCESS + _TOKEN * facts.vocab_size + logits


def compute_bytes(facts: ModelFacts, room: Room, *, flash: bool) -> int:
    """Return the size of the buffer for what is computed between the layers.

    It is that of the widest moment: attention, the feed-forward network, or the logits. Without
    flash attention every head's weights over all of the cache stand there at once.
    """
    shape = facts.shape
    n_tokens = min(BATCH, room.n_cells)
    n_masks = 2 if shape.has_window else 1
    mask = n_masks * room.n_cells * n_tokens * (_HALF if flash else _FLOAT)
    vectors = 3 * shape.width + 2 * shape.query_width + shape.key_width
    weights = 0 if flash else shape.n_heads * room.n_cells
    attention = (weights + vectors) * n_tokens * _FLOAT
    logits = min(OUTPUTS, n_tokens) * facts.vocab_size * _FLOAT
    return mask + max(attention, _feed_forward(shape) * n_tokens * _FLOAT, logits)


def work_bytes(facts: ModelFacts, room: Room) -> int:
    """Return what a CPU takes beside that buffer: the inputs of products, as 16-bit floats.

    When a run needs a longer context, the allocator keeps some of what the one before had.
    """
    shape = facts.shape
    widest = max(shape.n_heads * room.n_cells, shape.feed_forward_width)
    n_bytes = min(BATCH, room.n_cells) * widest * _HALF
    return n_bytes + min(n_bytes, _KEPT)


def _feed_forward(shape: ModelShape) -> int:
    """Return how many numbers a token needs at a time in the feed-forward network."""
    if shape.n_experts:
        return 2 * shape.n_experts * (shape.feed_forward_width + shape.width)
    # The product of both halves takes the place of two vectors of the layer's width, if it fits.
    n_wide = 2 if shape.feed_forward_width <= 2 * shape.width else 3
    return n_wide * shape.feed_forward_width + 4 * shape.width
