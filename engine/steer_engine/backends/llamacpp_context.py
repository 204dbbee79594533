"""What llama.cpp computes in: the cache of a context, and the batch of one call."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from steer_engine.backends.llamacpp_model import Owned, native_log
from steer_engine.errors import BackendError
from steer_engine.plan import BATCH, OUTPUTS
from steer_engine.vocabulary import TokenId


@dataclass(frozen=True, slots=True)
class Cells:
    """How the cache is divided: one buffer for all slots, or equal parts that are apart.

    Apart, a token looks through its own slot only, which is faster where looking is not free. But
    all parts are as long as the longest row, and of a call in which some slots have more tokens
    than others, llama.cpp computes what they have more by itself.
    """

    n_slots: int
    n_cells: int
    are_apart: bool

    def are_enough_for(self, other: Cells) -> bool:
        return (
            self.are_apart == other.are_apart
            and self.n_slots >= other.n_slots
            and self.n_each >= other.n_each
        )

    @property
    def n_each(self) -> int:
        return self.n_cells // self.n_slots if self.are_apart else self.n_cells


def open_context(
    native: ModuleType,
    model: Owned,
    cells: Cells,
    *,
    n_threads: int,
    stop: ctypes.Array[ctypes.c_char],
) -> Owned:
    """Open a context with an empty cache; its calls end as soon as `stop` has any text.

    Raises:
        BackendError: there is not enough memory.
    """
    params = native.llama_context_default_params()
    params.n_ctx = cells.n_cells
    params.n_batch = params.n_ubatch = BATCH
    params.n_seq_max = cells.n_slots
    params.n_outputs_max = OUTPUTS
    params.n_threads = params.n_threads_batch = n_threads
    params.kv_unified = not cells.are_apart
    params.no_perf = True
    if not native.llama_supports_gpu_offload():
        # On a CPU it makes single tokens slower and results depend on how a prompt is cut.
        params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = native.llama_init_from_model(model.pointer, params)
    if not context:
        raise BackendError(
            f"no memory for {cells.n_cells} tokens of context ({native_log().reason()});"
            " use a smaller max_tokens or a smaller model"
        )
    # libc's strlen is the abort callback: it needs no GIL, so a stop is seen at once.
    libc = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
    strlen = ctypes.cast(libc.strlen, native.ggml_abort_callback)
    native.llama_set_abort_callback(context, strlen, ctypes.cast(stop, ctypes.c_void_p))
    return Owned(context, native.llama_free, needs=model)


class Batch:
    """A `llama_batch` whose arrays are numpy's, so that filling it costs no ctypes call a token."""

    def __init__(self, native: ModuleType, capacity: int) -> None:
        self._token = np.zeros(capacity, dtype=np.int32)
        self._position = np.zeros(capacity, dtype=np.int32)
        self._n_slots = np.ones(capacity, dtype=np.int32)
        self._slot = np.zeros(capacity, dtype=np.int32)
        self._output = np.zeros(capacity, dtype=np.int8)
        address, step = self._slot.ctypes.data, self._slot.itemsize
        self._slot_pointers = address + step * np.arange(capacity, dtype=np.uint64)
        self.outputs: list[int] = []
        self.native = native.llama_batch()
        arrays: dict[str, NDArray[np.generic]] = {
            "token": self._token,
            "pos": self._position,
            "n_seq_id": self._n_slots,
            "seq_id": self._slot_pointers,
            "logits": self._output,
        }
        for name, array in arrays.items():
            kind = type(getattr(self.native, name))
            setattr(self.native, name, ctypes.cast(array.ctypes.data, kind))

    @property
    def n_tokens(self) -> int:
        return int(self.native.n_tokens)

    @property
    def is_full(self) -> bool:
        return self.n_tokens == len(self._token)

    def add(self, token: TokenId, position: int, slot: int, *, output: bool) -> None:
        i = self.n_tokens
        self._token[i] = token
        self._position[i] = position
        self._slot[i] = slot
        self._output[i] = output
        if output:
            self.outputs.append(i)
        self.native.n_tokens = i + 1

    def clear(self) -> None:
        self.native.n_tokens = 0
        self.outputs.clear()
