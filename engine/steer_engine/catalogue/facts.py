"""What is known about a model before it is loaded, and about its shape in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What the memory that a model takes depends on. Widths are numbers in one token's vectors.

    `layer_bytes` are the weights of each layer, `cache_bytes` what one token leaves in each layer's
    cache as 16-bit floats, `state_bytes` what one slot of a recurrent model holds beside.
    `bytes_by_type` are the weights that are multiplied by, by the type of their numbers.
    """

    layer_bytes: tuple[int, ...]
    input_bytes: int
    output_bytes: int
    cache_bytes: tuple[int, ...]
    state_bytes: int
    bytes_by_type: Mapping[str, int]
    width: int
    n_heads: int
    query_width: int
    key_width: int
    feed_forward_width: int
    n_experts: int  # that a token passes through; 0 without experts
    has_window: bool = False  # some layers look back so far only

    @property
    def weight_bytes(self) -> int:
        """All weights, as they are stored."""
        return self.input_bytes + sum(self.layer_bytes) + self.output_bytes


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the files of a model say. `size_bytes` is what has to be loaded or downloaded."""

    name: str
    architecture: str
    quantization: str
    n_params: int
    size_bytes: int
    context_length: int
    vocab_size: int
    shape: ModelShape
