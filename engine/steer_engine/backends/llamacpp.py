"""llama.cpp through the low-level API of llama-cpp-python.

Read `llamacpp_model` and `llamacpp_vocabulary` for how a model is loaded.

The high-level class is avoided on purpose: it decodes one sequence, keeps every logit, and turns a
schema it cannot convert into "any JSON" without a word.
"""

from __future__ import annotations

import ctypes
import math
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steer_engine.backends import Run, slot_is_full
from steer_engine.backends.llamacpp_devices import plan_file
from steer_engine.backends.llamacpp_model import (
    Handle,
    Owned,
    bindings,
    cache_bytes_per_token,
    load_model,
    native_log,
    read_info,
    read_metadata,
)
from steer_engine.backends.llamacpp_vocabulary import vocabulary_of
from steer_engine.backends.replaying import ReplayingBackend, with_trim
from steer_engine.errors import BackendError, DefectError, ModelError
from steer_engine.plan import BATCH, OUTPUTS
from steer_engine.vocabulary import TokenId

if TYPE_CHECKING:
    from types import ModuleType

_ALONE = 32  # tokens from which on a call runs beside the main thread, so that it can be stopped


def open_llamacpp(
    path: Path, *, n_threads: int | None = None, embedded: bool = False
) -> LlamaCppBackend | ReplayingBackend:
    """Load the GGUF model at `path`.

    Raises:
        ModelError: the file is not a model that this llama.cpp can load, or there is not enough
            memory for it.
    """
    return with_trim(LlamaCppBackend(path, n_threads=n_threads, embedded=embedded))


class LlamaCppBackend:
    """A GGUF model in this process. See `Backend` for the promises.

    Where `can_trim` is false, a slot can be emptied or forked as a whole only.
    """

    def __init__(self, path: Path, *, n_threads: int | None = None, embedded: bool = False) -> None:
        """Load the model at `path`; see `open_llamacpp`."""
        self._native = bindings()
        self._plan = plan_file(path)
        self._model = load_model(self._native, path, n_gpu_layers=self._plan.n_gpu_layers)
        self._n_threads = n_threads or default_threads()
        self._token_bytes = max(1, cache_bytes_per_token(self._native, self._model.pointer))
        self._context: Owned | None = None
        self._memory: Handle = None
        self._lengths: list[int] = []
        self._n_slots = self._capacity = 0  # what there is room for
        self._room = 0
        self._batch = _Batch(self._native, BATCH)
        self._stop = ctypes.create_string_buffer(2)  # "" = go on, any text = stop
        # Held during native work: a call that Ctrl-C has left behind ends a moment later.
        self._in_use = threading.Lock()
        self.vocabulary = vocabulary_of(self._native, self._model)
        self.info = read_info(self._native, self._model.pointer, path, embedded=embedded)
        self.chat_template = read_metadata(
            self._native, self._model.pointer, "tokenizer.chat_template"
        )
        if not self.vocabulary.eos_ids:
            raise ModelError(
                f"{path} has no end-of-generation token: it is no text generator; name another"
            )

    @property
    def max_cached_tokens(self) -> int:
        return self._plan.room.n_tokens

    @property
    def can_trim(self) -> bool:
        native, model = self._native, self._model.pointer
        return not (native.llama_model_is_recurrent(model) or native.llama_model_is_hybrid(model))

    @property
    def is_memory_bound(self) -> bool:
        return bool(self._plan.machine.devices) and self._plan.n_gpu_layers != 0

    def best_slots(self, *, n_read: int, n_written: int) -> int:
        # Slots share the reading of the weights, once for each token that they write. In return
        # every token, also of a prompt, looks through what all of them hold: one buffer.
        n_held = n_read + n_written
        shared = self.info.size_bytes * n_written
        return max(1, round(math.sqrt(shared / self._token_bytes) / n_held))

    def reserve(self, *, n_slots: int, n_tokens: int) -> None:
        with self._in_use:
            self._reserve(n_slots, n_tokens)

    def forward(self, runs: Sequence[Run]) -> list[NDArray[np.float32]]:
        wanted = [
            np.empty((run.n_logits, self.vocabulary.vocab_size), dtype=np.float32) for run in runs
        ]
        rows: list[NDArray[np.float32]] = []  # where the outputs of the filled batch belong
        self._batch.clear()
        for run, logits in zip(runs, wanted, strict=True):
            first = len(run.tokens) - run.n_logits
            if self._lengths[run.slot] + len(run.tokens) > self._room:
                raise slot_is_full(run.slot, self._room)
            for i, token in enumerate(run.tokens):
                if self._batch.is_full or len(rows) == OUTPUTS:
                    self._compute(rows)
                self._batch.add(token, self._lengths[run.slot], run.slot, output=i >= first)
                self._lengths[run.slot] += 1
                if i >= first:
                    rows.append(logits[i - first])
        self._compute(rows)
        return wanted

    def trim(self, slot: int, n_tokens: int) -> None:
        keep = self._lengths[slot] - n_tokens
        if not self._native.llama_memory_seq_rm(self._memory, slot, keep, -1):
            raise DefectError("a cache was cut that can only be emptied; please report this")
        self._lengths[slot] = keep

    def fork(self, source: int, target: int, n_tokens: int) -> None:
        native = self._native
        native.llama_memory_seq_rm(self._memory, target, -1, -1)
        native.llama_memory_seq_cp(self._memory, source, target, 0, n_tokens)
        self._lengths[target] = n_tokens

    def close(self) -> None:
        with self._in_use:
            self._free_context()
            self._model.free()

    def _reserve(self, n_slots: int, n_tokens: int) -> None:
        native_log().clear()
        is_enough = n_slots <= self._n_slots and n_tokens <= self._capacity
        if is_enough:
            self._native.llama_memory_clear(self._memory, False)
        else:
            self._open_context(n_slots, n_tokens)
        self._lengths = [0] * n_slots
        self._room = n_tokens

    def _open_context(self, n_slots: int, n_tokens: int) -> None:
        native = self._native
        if n_tokens > self.max_cached_tokens:
            raise BackendError(
                f"no memory for {n_tokens} tokens of context, {self.max_cached_tokens} fit; use a"
                " smaller max_tokens or a smaller model"
            )
        self._free_context()
        params = native.llama_context_default_params()
        params.n_ctx = -(-n_tokens // 256) * 256
        params.n_batch = params.n_ubatch = BATCH
        params.n_seq_max = n_slots
        params.n_outputs_max = OUTPUTS
        params.n_threads = params.n_threads_batch = self._n_threads
        # One buffer for all slots: a part of a slot can be forked (a split one aborts the process).
        params.kv_unified = True
        params.no_perf = True
        if not native.llama_supports_gpu_offload():
            # On a CPU it makes single tokens slower and results depend on how a prompt is cut.
            params.flash_attn_type = native.LLAMA_FLASH_ATTN_TYPE_DISABLED
        context = native.llama_init_from_model(self._model.pointer, params)
        if not context:
            raise BackendError(
                f"no memory for {n_tokens} tokens of context ({native_log().reason()});"
                " use a smaller max_tokens or a smaller model"
            )
        self._context = Owned(context, native.llama_free, needs=self._model)
        # libc's strlen is the abort callback: it needs no GIL, so a stop is seen at once.
        libc = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
        strlen = ctypes.cast(libc.strlen, native.ggml_abort_callback)
        native.llama_set_abort_callback(context, strlen, ctypes.cast(self._stop, ctypes.c_void_p))
        self._memory = native.llama_get_memory(context)
        self._n_slots, self._capacity = n_slots, n_tokens

    def _compute(self, rows: list[NDArray[np.float32]]) -> None:
        """Run the filled batch, copy its outputs into `rows`, and empty both."""
        if self._batch.n_tokens == 0:
            return
        status = self._decode()
        if status != 0:
            reason = "no room in the KV cache" if status == 1 else native_log().reason()
            raise BackendError(
                f"llama.cpp could not compute the model ({reason}, status {status});"
                " use a smaller max_tokens or another model"
            )
        size = self.vocabulary.vocab_size
        for row, position in zip(rows, self._batch.outputs, strict=True):
            logits = self._native.llama_get_logits_ith(self._opened.pointer, position)
            if not logits:
                raise BackendError(
                    "the model gives no logits: it is no text generator; name another model"
                )
            row[:] = np.ctypeslib.as_array(logits, shape=(size,))
        rows.clear()
        self._batch.clear()

    def _decode(self) -> int:
        if self._batch.n_tokens >= _ALONE:
            return self._decode_beside()
        with self._in_use:
            self._stop.value = b""
            context = self._opened.pointer
            return int(self._native.llama_decode(context, self._batch.native))

    def _decode_beside(self) -> int:
        """Run a long call in a thread: Ctrl-C then stops it within milliseconds on a CPU."""
        status: list[int] = []
        is_cancelled = threading.Event()
        context = self._opened.pointer

        def work() -> None:
            with self._in_use:
                self._stop.value = b""
                if not is_cancelled.is_set():
                    status.append(self._native.llama_decode(context, self._batch.native))

        thread = threading.Thread(target=work, name="llama_decode")
        try:
            thread.start()
            thread.join()
        except BaseException:
            # The order matters: a thread that has not begun clears the flag, then looks.
            is_cancelled.set()
            self._stop.value = b"x"
            raise
        return status[0]

    @property
    def _opened(self) -> Owned:
        if self._context is None:
            raise BackendError("no slots are reserved, or the model is closed; open it again")
        return self._context

    def _free_context(self) -> None:
        if self._context is not None:
            self._context.free()
        self._context = self._memory = None
        self._lengths, self._n_slots, self._capacity = [], 0, 0


class _Batch:
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


def default_threads() -> int:
    """Return a thread count that leaves a core free.

    ggml's threads wait for each other by spinning: one busy core makes all of them slow.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (usable or 2) - 1)
