"""The network: a small Llama (RMSNorm, rotary positions, grouped-query attention, SwiGLU).

It uses only what the `llama` architecture of llama.cpp and of mlx-lm knows. The gains of the norms
are fixed at 1, for a matrix follows each of them, and are written as ones on export.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from embedded_training.operations import attend, linear, normalize, swiglu


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The sizes of the network."""

    vocabulary_size: int = 2048
    width: int = 256
    n_layers: int = 6
    n_heads: int = 8
    n_kv_heads: int = 4
    hidden_width: int = 640
    max_tokens: int = 2048
    rope_base: float = 1_000_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Return the width of one attention head."""
        return self.width // self.n_heads

    @property
    def qkv_widths(self) -> tuple[int, int, int]:
        """Return the rows of the fused matrix that belong to queries, keys and values."""
        return (self.width, self.n_kv_heads * self.head_width, self.n_kv_heads * self.head_width)


SHAPES = {
    "tiny": NetworkShape(),
    "small": NetworkShape(width=384, n_layers=8, n_heads=12, hidden_width=896),
}
"""By name: 4.65 million parameters, made for two CPU cores, and 12.2 million, for a GPU."""


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
        epsilon = self.shape.norm_epsilon
        turns = rotary_turns(self.shape, x.shape[1], x.device)
        qkv = linear(normalize(x, epsilon), self.qkv)
        attended = attend(qkv, turns, self.shape.n_heads, self.shape.n_kv_heads)
        if kept is not None:
            attended = attended.flatten(0, 1).index_select(0, kept)
            x = x.flatten(0, 1).index_select(0, kept)
        x = x + linear(attended, self.attention_out)
        hidden = swiglu(linear(normalize(x, epsilon), self.gate_up))
        return x + linear(hidden, self.down)


class Network(nn.Module):
    """The language model. Its embedding is also its output matrix."""

    def __init__(self, shape: NetworkShape, *, seed: int) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.empty(shape.vocabulary_size, shape.width))
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
        return linear(normalize(x, self.shape.norm_epsilon), self.embedding)


def _initialize(network: Network, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            deviation = 0.05 if name == "embedding" else 1 / math.sqrt(weight.shape[1])
            if name.endswith(("attention_out", "down")):
                deviation *= 0.02  # a layer begins by changing nearly nothing
            weight.copy_(torch.randn(weight.shape, generator=generator) * deviation)
