"""The seam between the decode loop and whatever runs the model.

Every backend passes `tests/engine/backends/test_contract.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steer_engine.errors import DefectError
from steer_engine.vocabulary import TokenId, Vocabulary


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known about a loaded model, for people and for cache keys.

    `fingerprint` identifies what of the model decides on its answers: weights, vocabulary,
    settings. It is the same wherever the file is.
    """

    name: str
    path: str
    architecture: str
    quantization: str
    n_params: int
    size_bytes: int
    context_length: int
    embedded: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens to append to one slot, and for how many of its last positions logits are wanted."""

    slot: int
    tokens: Sequence[TokenId]
    n_logits: int = 1


class Backend(Protocol):
    """A language model with a KV cache of independent slots.

    A slot is a sequence of tokens, empty at first. Nothing is shared between slots but what `fork`
    copies. Methods raise `BackendError` when the native library fails, and `DefectError` when they
    are misused.
    """

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's tokens."""
        ...

    @property
    def info(self) -> ModelInfo:
        """What the model is; `info.context_length` is the most tokens a slot may ever hold."""
        ...

    @property
    def chat_template(self) -> str | None:
        """The model's own Jinja chat template, or None when it has none."""
        ...

    @property
    def max_cached_tokens(self) -> int:
        """How many tokens all slots together should hold at most, for the memory there is."""
        ...

    @property
    def max_row_tokens(self) -> int:
        """How many tokens one row may have here: the context, or what there is memory for."""
        ...

    @property
    def can_trim(self) -> bool:
        """Whether `trim` can drop a part of a slot. All models can drop the whole of one."""
        ...

    @property
    def is_memory_bound(self) -> bool:
        """Whether reading the weights may take longer than computing with them, as on a GPU.

        Then a call of some more tokens may cost hardly more, and drafts are tried.
        """
        ...

    def best_slots(self, *, n_read: int, n_written: int, n_each: int, n_shared: int = 0) -> int:
        """Return how many slots are fastest for rows that read and write so many tokens each.

        That is behind the `n_shared` tokens which all of them begin with. No slot will hold more
        than `n_each` tokens. At least 1.
        """
        ...

    def reserve(self, *, n_slots: int, n_tokens: int, n_each: int | None = None) -> None:
        """Make room for `n_slots` slots of `n_tokens` tokens together. All slots become empty.

        What slots share by `fork` counts once. A slot holds `n_each` tokens, or all of them.
        """
        ...

    @property
    def grain(self) -> int:
        """How many tokens the arithmetic takes at a time, with the slots that are reserved.

        Above 1, calls are best of one token for every slot; longer runs are computed by themselves,
        best so many tokens at a time. At 1, runs may have any length.
        """
        ...

    def forward(self, runs: Sequence[Run]) -> list[NDArray[np.float32]]:
        """Append every run to its slot in one model call.

        Returns, for each run, the logits after its last `n_logits` tokens, shape
        ``(n_logits, vocab_size)``. They last until the next `forward`, `reserve` or `close`.
        """
        ...

    def trim(self, slot: int, n_tokens: int) -> None:
        """Drop the last `n_tokens` tokens of a slot."""
        ...

    def fork(self, source: int, target: int, n_tokens: int) -> None:
        """Make `target` hold the first `n_tokens` tokens of `source`, in place of its own."""
        ...

    def close(self) -> None:
        """Free the model. Calling it again does nothing."""
        ...


def slot_is_full(slot: int, n_tokens: int) -> DefectError:
    """Return the error of a run that `slot` has no room for: whoever reserved it miscounted."""
    return DefectError(f"slot {slot} holds at most {n_tokens} tokens; please report this")
