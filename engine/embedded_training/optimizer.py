"""The optimiser: Muon for the matrices of the layers, Adam for the embedding.

Muon steps along the nearest matrix with orthogonal rows instead of the averaged gradient. See
https://kellerjordan.github.io/posts/muon/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from embedded_training.network import Network

Exchange = Callable[[list[Tensor]], None]
"""Adds up the tensors of all workers, in place."""

MUON_MOMENTUM = 0.95
ADAM_MEMORY = (0.9, 0.97)
NEWTON_SCHULZ_STEPS = 5


@dataclass(frozen=True, slots=True)
class LearningRates:
    """The highest step sizes."""

    muon: float = 0.006
    adam: float = 0.001


class Optimizer:
    """Steps a network; its state can be stored and read back."""

    def __init__(
        self,
        network: Network,
        rates: LearningRates,
        *,
        worker: int = 0,
        n_workers: int = 1,
        add_up: Exchange | None = None,
    ) -> None:
        """With several workers, each computes the steps of its part of the matrices."""
        self._rates = rates
        self._worker, self._n_workers, self._add_up = worker, n_workers, add_up
        self._matrices: list[tuple[Tensor, tuple[int, ...]]] = []
        for block in network.layers():
            hidden = block.shape.hidden_width
            # Fused matrices are several: each part gets a step of its own.
            self._matrices += [
                (block.qkv, block.shape.qkv_widths),
                (block.attention_out, (block.shape.width,)),
                (block.gate_up, (hidden, hidden)),
                (block.down, (block.shape.width,)),
            ]
        self._embedding = network.embedding
        self._momenta = [torch.zeros_like(matrix) for matrix, _ in self._matrices]
        self._mean = torch.zeros_like(self._embedding)
        self._square = torch.zeros_like(self._embedding)
        self._n_steps = 0

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Take one step of `factor` times the highest size, along the gradients in `.grad`."""
        self._n_steps += 1
        for (matrix, _), momentum in zip(self._matrices, self._momenta, strict=True):
            momentum.lerp_(_gradient(matrix), 1 - MUON_MOMENTUM)
        steps = [
            self._direction(index)
            if index % self._n_workers == self._worker
            else torch.zeros_like(m)
            for index, m in enumerate(self._momenta)
        ]
        if self._add_up:
            self._add_up(steps)
        for (matrix, _), step in zip(self._matrices, steps, strict=True):
            matrix.add_(step, alpha=-self._rates.muon * factor)
        self._step_embedding(self._rates.adam * factor)

    def _direction(self, index: int) -> Tensor:
        """Return the direction in which a matrix steps."""
        matrix, heights = self._matrices[index]
        ahead = _gradient(matrix).lerp(self._momenta[index], MUON_MOMENTUM)
        parts = [
            _orthogonalized(part) * max(1, part.shape[0] / part.shape[1]) ** 0.5
            for part in torch.split(ahead, list(heights))
        ]
        return torch.cat(parts)

    def _step_embedding(self, rate: float) -> None:
        gradient = _gradient(self._embedding)
        mean_memory, square_memory = ADAM_MEMORY
        self._mean.lerp_(gradient, 1 - mean_memory)
        self._square.lerp_(gradient.square(), 1 - square_memory)
        mean = self._mean / (1 - mean_memory**self._n_steps)
        size = (self._square / (1 - square_memory**self._n_steps)).sqrt_().add_(1e-8)
        self._embedding.addcdiv_(mean, size, value=-rate)

    def state(self) -> dict[str, Any]:
        """Return what `load_state` needs to go on from here."""
        return {
            "momenta": self._momenta,
            "mean": self._mean,
            "square": self._square,
            "n_steps": self._n_steps,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a stored state."""
        for momentum, stored in zip(self._momenta, state["momenta"], strict=True):
            momentum.copy_(stored)
        self._mean.copy_(state["mean"])
        self._square.copy_(state["square"])
        self._n_steps = state["n_steps"]


def _gradient(weight: Tensor) -> Tensor:
    if weight.grad is None:
        raise RuntimeError("call backward before a step")
    return weight.grad


def _orthogonalized(matrix: Tensor) -> Tensor:
    """Return about the nearest matrix with orthogonal rows or columns, by Newton-Schulz steps."""
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T.contiguous() if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.T
        slope = torch.addmm(square, square, square, beta=-4.7750, alpha=2.0315)
        x = torch.addmm(x, slope, x, beta=3.4445)
    result: Tensor = x.T if tall else x
    return result.float()
