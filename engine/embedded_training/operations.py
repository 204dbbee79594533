"""The operations that a network is made of, with their gradients.

On a CPU that multiplies bfloat16 (AMX, AVX-512), training takes those of `kernels/`, which are
several times as fast there. Everywhere else they are PyTorch's own. The first use compiles the
kernels, which takes half a minute and needs a C++ compiler.
"""

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


class _Context(Protocol):
    """What a forward pass leaves for its backward pass."""

    saved_tensors: tuple[Tensor, ...]
    head_counts: tuple[int, int]

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Keep tensors; they come back as `saved_tensors`."""


@cache
def kernels() -> ModuleType:
    """Compile the kernels, or load them as they were compiled before.

    Raises:
        RuntimeError, OSError, CalledProcessError: there is no ninja, or no C++ compiler.
    """
    from torch.utils.cpp_extension import load

    folder = Path(__file__).with_name("kernels")
    extensions = ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16", "-mfma")
    as_pytorch_is = ("-DCPU_CAPABILITY=AVX512", "-DCPU_CAPABILITY_AVX512")
    return load(
        "embedded_training_kernels",
        [str(path) for path in sorted(folder.glob("*.cpp"))],
        extra_cflags=["-O3", *extensions, *as_pytorch_is],
    )


@cache
def kernels_run_here() -> bool:
    """Tell whether the processor has what the kernels are made of."""
    facts = Path("/proc/cpuinfo")
    if not facts.exists() or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    flags = facts.read_text(encoding="utf-8", errors="replace")
    return "avx512_bf16" in flags


def _takes_kernels(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.bfloat16 and kernels_run_here()


def branch(x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Return the two ways through a part of a layer: x, and its rows by their root mean square."""
    if not _takes_kernels(x):
        return x, functional.rms_norm(x, x.shape[-1:], eps=epsilon)
    result: tuple[Tensor, Tensor] = _Branch.apply(x, epsilon)  # type: ignore[no-untyped-call]  # torch's
    return result


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """Return x times the transposed weight, in the dtype of x."""
    result: Tensor = _Linear.apply(x, weight)  # type: ignore[no-untyped-call]  # torch's
    return result


def swiglu(gate_up: Tensor) -> Tensor:
    """Return silu(gate) * up, where gate and up are the halves of the last axis."""
    if not _takes_kernels(gate_up):
        gate, up = gate_up.chunk(2, -1)
        return functional.silu(gate) * up
    result: Tensor = _SwiGLU.apply(gate_up)  # type: ignore[no-untyped-call]  # torch's
    return result


def attend(qkv: Tensor, turns: Tensor, n_heads: int, n_kv_heads: int) -> Tensor:
    """Return what each position gathers from itself and those before it, by rotary attention.

    `qkv` is (batch, tokens, (heads + 2 kv heads) * head width), `turns` is (tokens, head width):
    the cosines of the pairs of neighbouring channels, then their sines.
    """
    if not _takes_kernels(qkv):
        return _attend(qkv, turns, n_heads, n_kv_heads)
    result: Tensor = _Attention.apply(qkv, turns, n_heads, n_kv_heads)  # type: ignore[no-untyped-call]  # torch's
    return result


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the negative logarithm of the probability of each row's target, in float32."""
    if not _takes_kernels(logits):
        return functional.cross_entropy(logits.float(), targets, reduction="none")
    result: Tensor = _CrossEntropy.apply(logits, targets)  # type: ignore[no-untyped-call]  # torch's
    return result


def _attend(qkv: Tensor, turns: Tensor, n_heads: int, n_kv_heads: int) -> Tensor:
    by_head = qkv.unflatten(-1, (n_heads + 2 * n_kv_heads, -1))
    q, k, v = by_head.transpose(1, 2).split((n_heads, n_kv_heads, n_kv_heads), 1)
    gathered = functional.scaled_dot_product_attention(
        _rotated(q, turns), _rotated(k, turns), v, is_causal=True, enable_gqa=True
    )
    return gathered.transpose(1, 2).flatten(2)


def _rotated(x: Tensor, turns: Tensor) -> Tensor:
    """Rotate pairs of neighbouring channels."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    cosines, sines = turns.chunk(2, -1)
    return torch.view_as_real(pairs * torch.complex(cosines, sines)).flatten(-2).to(x.dtype)


def _transposed(matrix: Tensor) -> Tensor:
    if not _takes_kernels(matrix):
        return matrix.T
    result: Tensor = kernels().transposed(matrix)
    return result


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
        return dy @ rounded, (_transposed(dy.flatten(0, -2)) @ x.flatten(0, -2)).float()


class _Branch(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
        y, inverses = kernels().normalize(x, epsilon)
        ctx.save_for_backward(y, inverses)
        return x, y

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, dx: Tensor, dy: Tensor) -> tuple[Tensor, None]:
        return kernels().normalize_backward(dy, dx, *ctx.saved_tensors), None


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, gate_up: Tensor) -> Tensor:
        ctx.save_for_backward(gate_up)
        result: Tensor = kernels().swiglu(gate_up)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, dy: Tensor) -> Tensor:
        result: Tensor = kernels().swiglu_backward(dy, *ctx.saved_tensors)
        return result


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, qkv: Tensor, turns: Tensor, n_heads: int, n_kv_heads: int) -> Tensor:
        output, sums = kernels().attention(qkv, turns, n_heads, n_kv_heads)
        ctx.save_for_backward(qkv, output, sums, turns)
        ctx.head_counts = (n_heads, n_kv_heads)
        result: Tensor = output
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, dy: Tensor) -> tuple[Tensor, None, None, None]:
        return (
            kernels().attention_backward(dy, *ctx.saved_tensors, *ctx.head_counts),
            None,
            None,
            None,
        )


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, logits: Tensor, targets: Tensor) -> Tensor:
        losses, sums = kernels().cross_entropy(logits, targets)
        ctx.save_for_backward(logits, targets, sums)
        result: Tensor = losses
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, d_losses: Tensor) -> tuple[Tensor, None]:
        return kernels().cross_entropy_backward(d_losses, *ctx.saved_tensors), None
