"""llama.cpp through the low-level API of llama-cpp-python.

Read `llamacpp_layouts`, `llamacpp_model` and `llamacpp_vocabulary` for how a model is loaded, and
`llamacpp_context` for what it computes in.

The high-level class is avoided on purpose: it decodes one sequence, keeps every logit, and turns a
schema it cannot convert into "any JSON" without a word.
"""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steer_engine.backends import Run, slot_is_full
from steer_engine.backends.llamacpp_context import Batch, Cells, open_context
from steer_engine.backends.llamacpp_devices import plan_file
from steer_engine.backends.llamacpp_model import (
    Handle,
    Owned,
    beside_main_thread,
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
from steer_engine.plan import BATCH, OUTPUTS, Room, default_threads

_Logits = NDArray[np.float32]  # (vocab_size,)

_ALONE = 32  # tokens from which on a call runs beside the main thread, so that it can be stopped
_GRAIN = 4  # tokens that ggml multiplies at a time where weights are laid out anew for the CPU
_HEAVY = 2**26  # bytes of weights from which on they outweigh what each slot costs by itself
_APART = 32  # slots beyond which a token costs what it did


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
        self._cells: Cells | None = None  # of the context that is open
        self._room = 0  # tokens that a slot may hold
        self._batch = Batch(self._native, BATCH)
        self._stop = ctypes.create_string_buffer(2)  # "" = go on, any text = stop
        # Held during native work: a call that Ctrl-C has left behind ends a moment later.
        self._in_use = threading.Lock()
        self.vocabulary = vocabulary_of(self._native, self._model)
        self.info = read_info(self._native, self._model.pointer, path, embedded=embedded)
        is_on_cpu = not self._native.llama_supports_gpu_offload()
        self._keeps_apart = is_on_cpu and self.can_trim and self.info.size_bytes >= _HEAVY
        self._filler = min(self.vocabulary.eos_ids, default=0)
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
    def max_row_tokens(self) -> int:
        return min(self.info.context_length, self.max_cached_tokens)

    @property
    def can_trim(self) -> bool:
        native, model = self._native, self._model.pointer
        return not (native.llama_model_is_recurrent(model) or native.llama_model_is_hybrid(model))

    @property
    def is_memory_bound(self) -> bool:
        return bool(self._plan.machine.devices) and self._plan.n_gpu_layers != 0

    @property
    def grain(self) -> int:
        return _GRAIN if self._cells is not None and self._cells.are_apart else 1

    def best_slots(self, *, n_read: int, n_written: int, n_each: int, n_shared: int = 0) -> int:
        del n_shared  # it is held once
        n_apart = min(_APART, self.max_cached_tokens // _cells_of(n_each) - 1)  # one is shared
        if self._keeps_apart and n_apart >= _GRAIN:
            return n_apart
        # Slots share the reading of the weights, once for each token that they write. In return
        # every token, also of a prompt, looks through what all of them hold: one buffer.
        n_held = n_read + n_written
        shared = self.info.size_bytes * n_written
        return max(1, round(math.sqrt(shared / self._token_bytes) / n_held))

    def reserve(self, *, n_slots: int, n_tokens: int, n_each: int | None = None) -> None:
        beside_main_thread(
            lambda is_cancelled: self._reserve(n_slots, n_tokens, n_each, is_cancelled)
        )

    def forward(self, runs: Sequence[Run]) -> list[NDArray[np.float32]]:
        for run in runs:
            if self._lengths[run.slot] + len(run.tokens) > self._room:
                raise slot_is_full(run.slot, self._room)
        fillers = [] if self.grain == 1 else self._fillers({run.slot for run in runs})
        outputs = [list[_Logits]() for _ in runs]
        unread = [(run, list[_Logits]()) for run in fillers]
        every = [*zip(runs, outputs, strict=True), *unread]
        # In any other order slots that are apart are computed one by one.
        self._forward(sorted(every, key=lambda pair: pair[0].slot))
        for run in fillers:
            self.trim(run.slot, 1)
        return [self._as_array(rows) for rows in outputs]

    def _forward(self, runs: Iterable[tuple[Run, list[_Logits]]]) -> None:
        askers: list[list[_Logits]] = []  # for each output of the filled batch
        self._batch.clear()
        for run, rows in runs:
            first = len(run.tokens) - run.n_logits
            for i, token in enumerate(run.tokens):
                if self._batch.is_full or len(askers) == OUTPUTS:
                    self._compute(askers, is_last=False)
                self._batch.add(token, self._lengths[run.slot], run.slot, output=i >= first)
                self._lengths[run.slot] += 1
                if i >= first:
                    askers.append(rows)
        self._compute(askers, is_last=True)

    def _as_array(self, rows: Sequence[_Logits]) -> NDArray[np.float32]:
        if len(rows) == 1:
            return rows[0][np.newaxis]
        return np.stack(rows) if rows else np.empty((0, self.vocabulary.vocab_size), np.float32)

    def _fillers(self, slots: Collection[int]) -> list[Run]:
        """Return tokens for idle slots beside busy ones, so that calls are of whole grains.

        A single token too many costs less than three that fill its grain.
        """
        fillers, n_together = list[Run](), 0
        for slot in range(len(self._lengths)):
            if slot in slots:
                n_together += 1
            elif n_together % _GRAIN > 1:
                fillers.append(Run(slot, [self._filler], n_logits=0))
                n_together += 1
            else:
                n_together = 0
        return fillers

    def trim(self, slot: int, n_tokens: int) -> None:
        keep = self._lengths[slot] - n_tokens
        if not self._native.llama_memory_seq_rm(self._memory, slot, keep, -1):
            raise DefectError("a cache was cut that can only be emptied; please report this")
        self._lengths[slot] = keep

    def fork(self, source: int, target: int, n_tokens: int) -> None:
        native = self._native
        native.llama_memory_seq_rm(self._memory, target, -1, -1)
        # Slots that are apart can be copied as a whole only.
        native.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        native.llama_memory_seq_rm(self._memory, target, n_tokens, -1)
        self._lengths[target] = n_tokens

    def close(self) -> None:
        with self._in_use:
            self._free_context()
            self._model.free()

    def _reserve(
        self, n_slots: int, n_tokens: int, n_each: int | None, is_cancelled: threading.Event
    ) -> None:
        with self._in_use:
            if is_cancelled.is_set():
                return
            native_log().clear()
            common = Cells(n_slots, Room(n_tokens).n_cells, are_apart=False)
            apart = self._apart(n_slots, n_each)
            try:
                self._use_cells(apart or common)
            except BackendError:
                if apart is None:
                    raise
                self._use_cells(common)  # which takes less
            self._lengths = [0] * n_slots
            self._room = n_each or n_tokens

    def _apart(self, n_slots: int, n_each: int | None) -> Cells | None:
        """Return a cache of slots that are apart, if that is faster and there is memory for it."""
        if n_each is None or n_slots <= _GRAIN or not self._keeps_apart:
            return None
        cells = Cells(n_slots, n_slots * _cells_of(n_each), are_apart=True)
        return cells if cells.n_cells <= self.max_cached_tokens else None

    def _use_cells(self, cells: Cells) -> None:
        if self._cells is not None and self._cells.are_enough_for(cells):
            self._native.llama_memory_clear(self._memory, False)
        else:
            self._open_context(cells)

    def _open_context(self, cells: Cells) -> None:
        if cells.n_cells > Room(self.max_cached_tokens).n_cells:
            raise BackendError(
                f"no memory for {cells.n_cells} tokens of context, {self.max_cached_tokens} fit;"
                " use a smaller max_tokens or a smaller model"
            )
        self._free_context()
        self._context = open_context(
            self._native, self._model, cells, n_threads=self._n_threads, stop=self._stop
        )
        self._memory = self._native.llama_get_memory(self._context.pointer)
        self._cells = cells

    def _compute(self, askers: list[list[_Logits]], *, is_last: bool) -> None:
        """Run the filled batch, hand out its outputs, and empty both.

        The outputs of the last batch stay in llama.cpp's memory, which the next batch overwrites:
        to copy 152,000 logits for each row would be a fifth of what the decode loop costs.
        """
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
        for rows, position in zip(askers, self._batch.outputs, strict=True):
            pointer = self._native.llama_get_logits_ith(self._opened.pointer, position)
            if not pointer:
                raise BackendError(
                    "the model gives no logits: it is no text generator; name another model"
                )
            logits = np.ctypeslib.as_array(pointer, shape=(size,))
            rows.append(logits if is_last else logits.copy())
        askers.clear()
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
        self._cells, self._lengths = None, []


def _cells_of(n_each: int) -> int:
    """Return the cells of a slot that is apart: there is one more than tokens, for a filler."""
    return Room(n_each + 1).n_cells
