"""The network: a small Llama (RMSNorm, rotary positions, grouped-query attention, SwiGLU).

It uses only what the `llama` architecture of llama.cpp and of mlx-lm knows. The norms in
the layers have no gains, for a matrix follows each of them; they are written as ones on export. The
gains of the last norm are not trained: its matrix is the embedding's too and cannot hold them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from embedded_training.operations import attend, branch, linear, swiglu


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The sizes of the network; by default those of the embedded model, 22 million parameters."""

    vocabulary_size: int = 4096
    width: int = 576
    n_layers: int = 10
    n_heads: int = 9
    n_kv_heads: int = 3
    hidden_width: int = 640
    max_tokens: int = 2048
    rope_base: float = 100_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Return the width of one attention head."""
        return self.width // self.n_heads

    @property
    def qkv_widths(self) -> tuple[int, int, int]:
        """Return the rows of the fused matrix that belong to queries, keys and values."""
        return (self.width, self.n_kv_heads * self.head_width, self.n_kv_heads * self.head_width)


def rotary_turns(shape: NetworkShape, n_tokens: int, device: torch.device) -> Tensor:
    """Return the rotary turns of each position, (tokens, head width): cosines, then sines."""
    return _all_turns(shape, device)[:n_tokens]


@cache
def _all_turns(shape: NetworkShape, device: torch.device) -> Tensor:
    exponents = torch.arange(0, shape.head_width, 2).double() / shape.head_width
    positions = torch.arange(shape.max_tokens).double()
    angles = torch.outer(positions, shape.rope_base**-exponents)
    return torch.cat((angles.cos(), angles.sin()), 1).float().to(device)


class Block(nn.Module):
    """One layer: attention, then a gated feed-forward network."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.qkv = nn.Parameter(torch.empty(sum(shape.qkv_widths), shape.width))
        self.attention_out = nn.Parameter(torch.empty(shape.width, shape.width))
        self.gate_up = nn.Parameter(torch.empty(2 * shape.hidden_width, shape.width))
        self.down = nn.Parameter(torch.empty(shape.width, shape.hidden_width))

    def forward(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """Return the layer's output; with `kept`, only for these rows of the flattened batch."""
        x, hidden = self.think(self.gather(x, kept))
        return x + linear(hidden, self.down)

    def gather(self, x: Tensor, kept: Tensor | None = None) -> Tensor:
        """Return x and what attention adds to it, for all rows or for those of `kept`."""
        turns = rotary_turns(self.shape, x.shape[1], x.device)
        x, normal = branch(x, self.shape.norm_epsilon)
        attended = attend(
            linear(normal, self.qkv), turns, self.shape.n_heads, self.shape.n_kv_heads
        )
        if kept is not None:
            attended = attended.flatten(0, 1).index_select(0, kept)
            x = x.flatten(0, 1).index_select(0, kept)
        return x + linear(attended, self.attention_out)

    def think(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return x, and what the neurons of the feed-forward network say of it."""
        x, normal = branch(x, self.shape.norm_epsilon)
        return x, swiglu(linear(normal, self.gate_up))


class Network(nn.Module):
    """The language model. Its embedding is also its output matrix."""

    def __init__(self, shape: NetworkShape, *, seed: int) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.empty(shape.vocabulary_size, shape.width))
        self.output_gain: Tensor
        self.register_buffer("output_gain", torch.ones(shape.width))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.n_layers))
        _initialize(self, seed)

    def layers(self) -> Sequence[Block]:
        """Return the layers, the first one first."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def forward(self, tokens: Tensor, *, dtype: torch.dtype, kept: Tensor | None = None) -> Tensor:
        """Return logits, (batch, tokens, vocabulary), or (kept, vocabulary) with `kept`."""
        x = functional.embedding(tokens, self.embedding).to(dtype)
        last = len(self.blocks) - 1
        for index, block in enumerate(self.blocks):
            # Only these positions are trained on, so the last layer computes no others.
            x = block(x, kept if index == last else None)
        _, normal = branch(x, self.shape.norm_epsilon)
        return linear(normal * self.output_gain.to(dtype), self.embedding)


def _initialize(network: Network, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            deviation = 0.05 if name == "embedding" else 1 / math.sqrt(weight.shape[1])
            if name.endswith(("attention_out", "down")):
                deviation *= 0.02  # a layer begins by changing nearly nothing
            weight.copy_(torch.randn(weight.shape, generator=generator) * deviation)
