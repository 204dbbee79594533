"""The network: a small Llama (RMSNorm, rotary positions, grouped-query attention, SwiGLU).

It uses only what the `llama` architecture of llama.cpp and of mlx-lm knows. The gains of the norms
are fixed at 1, for a matrix follows each of them, and are written as ones on export. Forward and
backward passes are written out where that saves most of the time on a CPU in bfloat16.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

QUERY_CHUNK = 64

silu_backward = torch.ops.aten.silu_backward
softmax_backward = getattr(torch.ops.aten, "_softmax_backward_data")  # noqa: B009  # no public name


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


class _Context(Protocol):
    """What a forward pass leaves for its backward pass."""

    saved_tensors: tuple[Tensor, ...]
    shape: NetworkShape

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Keep tensors; they come back as `saved_tensors`."""


class _Normalize(torch.autograd.Function):
    """RMSNorm without gains. Keeps only its output for the backward pass."""

    @staticmethod
    def forward(ctx: _Context, x: Tensor, epsilon: float) -> Tensor:
        mean_square = x.float().square().mean(-1, keepdim=True)
        inverse = torch.rsqrt(mean_square + epsilon).to(x.dtype)
        y = x * inverse
        ctx.save_for_backward(y, inverse)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, dy: Tensor) -> tuple[Tensor, None]:
        y, inverse = ctx.saved_tensors
        along = (dy * y).sum(-1, keepdim=True, dtype=torch.float32).div_(-y.shape[-1]).to(y.dtype)
        return torch.addcmul(dy, y, along).mul_(inverse), None


class _Linear(torch.autograd.Function):
    """A product with a float32 matrix, computed in the dtype of the input."""

    @staticmethod
    def forward(ctx: _Context, x: Tensor, weight: Tensor) -> Tensor:
        rounded = weight.to(x.dtype)
        ctx.save_for_backward(x, rounded)
        return functional.linear(x, rounded)

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, dy: Tensor) -> tuple[Tensor, Tensor]:
        x, rounded = ctx.saved_tensors
        return dy @ rounded, (dy.flatten(0, -2).T @ x.flatten(0, -2)).float()


class _SwiGLU(torch.autograd.Function):
    """silu(gate) * up, where gate and up are the halves of the input."""

    @staticmethod
    def forward(ctx: _Context, gate_up: Tensor) -> Tensor:
        gate, up = gate_up.chunk(2, -1)
        activated = functional.silu(gate)
        ctx.save_for_backward(gate_up, activated)
        return activated * up

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, dy: Tensor) -> Tensor:
        gate_up, activated = ctx.saved_tensors
        gate, up = gate_up.chunk(2, -1)
        d_gate = silu_backward(dy * up, gate)
        return torch.cat((d_gate, dy * activated), -1)


class _Attention(torch.autograd.Function):
    """Rotary positions and exact causal attention, from fused queries, keys and values.

    Query heads that share a key head are stacked along the rows, and queries are taken in chunks,
    so that most of the masked half is never computed.
    """

    @staticmethod
    def forward(ctx: _Context, qkv: Tensor, shape: NetworkShape) -> Tensor:
        q, k, v = _split_heads(qkv, shape)
        n_shared, n_tokens = shape.n_heads // shape.n_kv_heads, qkv.shape[1]
        scale = 1 / math.sqrt(shape.head_width)
        mask = _causal_mask(n_tokens, n_shared, qkv.dtype, qkv.device)
        probabilities, outputs = [], []
        for start, end in _chunks(n_tokens):
            rows = slice(start * n_shared, end * n_shared)
            chunk_mask = mask[rows, :end].expand(q.shape[0], -1, end)
            scores = torch.baddbmm(chunk_mask, q[:, rows], k[:, :end].transpose(1, 2), alpha=scale)
            probabilities.append(torch.softmax(scores, -1))
            outputs.append(torch.bmm(probabilities[-1], v[:, :end]))
        ctx.save_for_backward(q, k, v, *probabilities)
        ctx.shape = shape
        return _join_query_heads(torch.cat(outputs, 1), shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, d_output: Tensor) -> tuple[Tensor, None]:
        q, k, v, *probabilities = ctx.saved_tensors
        shape = ctx.shape
        n_shared, n_tokens = shape.n_heads // shape.n_kv_heads, k.shape[1]
        scale = 1 / math.sqrt(shape.head_width)
        d_rows = _stack_query_heads(d_output, shape)
        d_queries, dk, dv = [], torch.zeros_like(k), torch.zeros_like(v)
        for (start, end), p in zip(_chunks(n_tokens), probabilities, strict=True):
            rows = slice(start * n_shared, end * n_shared)
            dv[:, :end] += torch.bmm(p.transpose(1, 2), d_rows[:, rows])
            dp = torch.bmm(d_rows[:, rows], v[:, :end].transpose(1, 2))
            d_scores = softmax_backward(dp, p, -1, p.dtype).mul_(scale)
            d_queries.append(torch.bmm(d_scores, k[:, :end]))
            dk[:, :end] += torch.bmm(d_scores.transpose(1, 2), q[:, rows])
        return _join_gradients(torch.cat(d_queries, 1), dk, dv, shape), None


def _chunks(n_tokens: int) -> list[tuple[int, int]]:
    size = QUERY_CHUNK if n_tokens % QUERY_CHUNK == 0 else 32 if n_tokens % 32 == 0 else n_tokens
    return [(start, start + size) for start in range(0, n_tokens, size)]


def _split_heads(qkv: Tensor, shape: NetworkShape) -> tuple[Tensor, Tensor, Tensor]:
    """Return rotated queries, rotated keys and values, (batch * kv heads, rows, head width)."""
    batch, n_tokens, _ = qkv.shape
    width_q, width_k, _ = shape.qkv_widths
    rotated = _rotate(qkv[..., : width_q + width_k], shape).to(qkv.dtype)
    q = _stack_query_heads(rotated[..., :width_q], shape)
    by_head = (batch, n_tokens, shape.n_kv_heads, shape.head_width)
    flat = (batch * shape.n_kv_heads, n_tokens, shape.head_width)
    k = rotated[..., width_q:].reshape(by_head).transpose(1, 2).reshape(flat)
    v = qkv[..., width_q + width_k :].reshape(by_head).transpose(1, 2).reshape(flat)
    return q, k, v


def _stack_query_heads(x: Tensor, shape: NetworkShape) -> Tensor:
    """Return (batch, tokens, width) as (batch * kv heads, tokens * shared heads, head width)."""
    batch, n_tokens, _ = x.shape
    n_shared = shape.n_heads // shape.n_kv_heads
    heads = x.reshape(batch, n_tokens, shape.n_kv_heads, n_shared, shape.head_width)
    return heads.permute(0, 2, 1, 3, 4).reshape(-1, n_tokens * n_shared, shape.head_width)


def _join_query_heads(x: Tensor, shape: NetworkShape) -> Tensor:
    """Undo `_stack_query_heads`."""
    n_shared = shape.n_heads // shape.n_kv_heads
    n_tokens = x.shape[1] // n_shared
    heads = x.reshape(-1, shape.n_kv_heads, n_tokens, n_shared, shape.head_width)
    return heads.permute(0, 2, 1, 3, 4).reshape(-1, n_tokens, shape.width)


def _join_gradients(dq: Tensor, dk: Tensor, dv: Tensor, shape: NetworkShape) -> Tensor:
    """Return the gradient of the fused queries, keys and values."""
    queries = _join_query_heads(dq, shape)
    batch, n_tokens, _ = queries.shape
    by_head = (batch, shape.n_kv_heads, n_tokens, shape.head_width)
    keys, values = (
        x.reshape(by_head).transpose(1, 2).reshape(batch, n_tokens, -1) for x in (dk, dv)
    )
    rotated = _rotate(torch.cat((queries, keys), -1), shape, back=True).to(dq.dtype)
    return torch.cat((rotated, values), -1)


def _rotate(x: Tensor, shape: NetworkShape, *, back: bool = False) -> Tensor:
    """Rotate pairs of neighbouring channels by their position; returns float32."""
    turns = _rotations(shape, x.shape[1], x.shape[2], x.device)
    pairs = torch.view_as_complex(torch.unflatten(x.float(), -1, (-1, 2)))
    return torch.view_as_real(pairs * (turns.conj() if back else turns)).flatten(-2)


@cache
def _rotations(shape: NetworkShape, n_tokens: int, width: int, device: torch.device) -> Tensor:
    exponents = torch.arange(0, shape.head_width, 2, device=device).double() / shape.head_width
    positions = torch.arange(n_tokens, device=device).double()
    angles = torch.outer(positions, shape.rope_base**-exponents)
    turns = torch.polar(torch.ones_like(angles), angles).to(torch.complex64)
    return turns.repeat(1, width // shape.head_width).contiguous()  # (tokens, width / 2)


@cache
def _causal_mask(n_tokens: int, n_shared: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    full = torch.full((n_tokens, n_tokens), float("-inf"), device=device)
    return full.triu(1).repeat_interleave(n_shared, 0).to(dtype)


def normalize(x: Tensor, epsilon: float) -> Tensor:
    """Return the rows of x divided by their root mean square."""
    result: Tensor = _Normalize.apply(x, epsilon)  # type: ignore[no-untyped-call]  # torch's
    return result


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """Return x times the transposed weight, in the dtype of x."""
    result: Tensor = _Linear.apply(x, weight)  # type: ignore[no-untyped-call]  # torch's
    return result


def swiglu(x: Tensor) -> Tensor:
    """Return the gated activation of the two halves of x."""
    result: Tensor = _SwiGLU.apply(x)  # type: ignore[no-untyped-call]  # torch's
    return result


def attend(qkv: Tensor, shape: NetworkShape) -> Tensor:
    """Return what each position gathers from itself and those before it."""
    if qkv.is_cuda:
        return attend_fused(qkv, shape)
    result: Tensor = _Attention.apply(qkv, shape)  # type: ignore[no-untyped-call]  # torch's
    return result


def attend_fused(qkv: Tensor, shape: NetworkShape) -> Tensor:
    """Return the same by the library's own kernel, which is fast on a GPU."""
    n_rotated = sum(shape.qkv_widths[:2])
    rotated = _rotate(qkv[..., :n_rotated], shape).to(qkv.dtype)
    parts = *rotated.split(shape.qkv_widths[:2], -1), qkv[..., n_rotated:]
    q, k, v = (part.unflatten(-1, (-1, shape.head_width)).transpose(1, 2) for part in parts)
    gathered = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    return gathered.transpose(1, 2).flatten(2)


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
        attended = attend(linear(normalize(x, epsilon), self.qkv), self.shape)
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
