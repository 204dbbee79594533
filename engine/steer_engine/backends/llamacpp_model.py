"""A GGUF file as llama.cpp loads it: bindings, native log, ownership, metadata."""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from steer_engine.backends import ModelInfo
from steer_engine.backends.llamacpp_layouts import lay_out
from steer_engine.errors import BackendError, ModelError

if TYPE_CHECKING:
    from types import ModuleType

_Result = TypeVar("_Result")

Handle: TypeAlias = object
"""A pointer that only llama.cpp looks into."""


def load_model(
    native: ModuleType, path: Path, *, vocab_only: bool = False, n_gpu_layers: int = -1
) -> Owned:
    """Load the GGUF file at `path`, or its vocabulary without the weights.

    The last `n_gpu_layers` go to the GPUs, if there are any; a negative number is all of them.

    Raises:
        ModelError: llama.cpp cannot load it.
    """
    native_log().clear()
    native.llama_backend_init()
    params = native.llama_model_default_params()
    params.vocab_only = vocab_only
    params.n_gpu_layers = n_gpu_layers
    layout = None if vocab_only else lay_out(params, native, path)

    def work(_: threading.Event) -> Owned | None:
        model = native.llama_model_load_from_file(os.fsencode(path), params)
        return Owned(model, native.llama_model_free, needs=layout) if model else None

    loaded = beside_main_thread(work)
    if loaded is None:
        raise ModelError(
            f"{path} cannot be loaded ({native_log().reason()});"
            " fetch the file again or name another"
        )
    return loaded


def beside_main_thread(work: Callable[[threading.Event], _Result]) -> _Result:
    """Return what `work` returns, or raise what it raises.

    In the main thread a Ctrl-C would be lost inside the log's callback. Here it sets the event that
    `work` is given, and leaves it behind to end by itself.
    """
    future = Future[_Result]()
    is_cancelled = threading.Event()

    def run() -> None:
        try:
            future.set_result(work(is_cancelled))
        except BaseException as error:  # noqa: BLE001 - whatever it is, who waits has to know
            future.set_exception(error)

    try:
        threading.Thread(target=run, name="llama").start()
        return future.result()
    except BaseException:
        is_cancelled.set()
        raise


def read_info(native: ModuleType, model: Handle, path: Path, *, embedded: bool) -> ModelInfo:
    """Return what a loaded model says of itself."""
    buffer = ctypes.create_string_buffer(256)
    native.llama_model_desc(model, buffer, len(buffer))
    return ModelInfo(
        name=read_metadata(native, model, "general.name") or path.stem,
        path=str(path),
        architecture=read_metadata(native, model, "general.architecture") or "unknown",
        quantization=buffer.value.decode("utf-8", "replace").split(" ")[-1],
        n_params=native.llama_model_n_params(model),
        size_bytes=native.llama_model_size(model),
        context_length=native.llama_model_n_ctx_train(model),
        embedded=embedded,
        fingerprint=fingerprint(path, n_weights=native.llama_model_size(model)),
    )


def fingerprint(path: Path, *, n_weights: int) -> str:
    """Return a hash, in hex, of a model file whose weights take `n_weights` bytes at its end.

    It reads the size, all of the header (metadata, vocabulary, the table of tensors) and blocks
    spread evenly over the weights, some 20 MB of a large file. So it changes with the header and
    with any other training or quantization, not with a single weight that is edited between blocks.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            n_bytes = file.seek(0, os.SEEK_END)
            # A model of several files has weights elsewhere: this one may be all header.
            n_header = n_bytes - n_weights if n_weights < n_bytes else min(n_bytes, _MAX_HEADER)
            stride = max(_BLOCK, (n_bytes - n_header) // _N_BLOCKS)
            digest = hashlib.sha256(str(n_bytes).encode())
            for start in (0, *range(n_header, n_bytes, stride)):
                file.seek(start)
                digest.update(file.read(_BLOCK if start else n_header))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def cache_bytes_per_token(native: ModuleType, model: Handle) -> int:
    """Return the size of one token's keys and values in 16-bit floats, over all layers."""
    n_heads = max(1, native.llama_model_n_head(model))
    head_width = native.llama_model_n_embd(model) // n_heads
    width = native.llama_model_n_head_kv(model) * head_width
    n_layers: int = native.llama_model_n_layer(model)
    return 2 * 2 * n_layers * int(width)


def read_metadata(native: ModuleType, model: Handle, key: str) -> str | None:
    """Return a value of the file's metadata as text, or None where there is none."""
    size = 256
    while True:
        buffer = ctypes.create_string_buffer(size)
        n_bytes = native.llama_model_meta_val_str(model, key.encode(), buffer, size)
        if n_bytes < 0:
            return None
        if n_bytes < size:
            return buffer.value.decode("utf-8", "replace")
        size = n_bytes + 1


class Owned:
    """A native object that is freed once: by `free`, or when nothing refers to it any more."""

    def __init__(
        self, pointer: Handle, free: Callable[[Handle], None], *, needs: object = None
    ) -> None:
        self._pointer = pointer
        self._needs = needs  # must not be freed before this
        self._finalizer = weakref.finalize(self, free, pointer)
        self._finalizer.atexit = False  # the process gives everything back by itself

    @property
    def pointer(self) -> Handle:
        if not self._finalizer.alive:
            raise BackendError("the model is closed; open it again")
        return self._pointer

    def free(self) -> None:
        self._finalizer()


@cache
def bindings() -> ModuleType:
    """Return the low-level bindings of llama-cpp-python."""
    try:
        import llama_cpp.llama_cpp
    except (ImportError, OSError) as error:
        raise ModelError(
            f"llama-cpp-python cannot be imported ({error}); reinstall it with"
            " `pip install --force-reinstall --no-cache-dir llama-cpp-python`"
        ) from error
    native: ModuleType = llama_cpp.llama_cpp
    return native


@cache
def native_log() -> _NativeLog:
    """Return the log of llama.cpp, which from then on is silent."""
    # llama.cpp has one log for the whole process, so this is the one thing here that is global.
    return _NativeLog(bindings())


class _NativeLog:
    """Keeps llama.cpp's log away from the notebook, and its errors for our own messages."""

    def __init__(self, native: ModuleType) -> None:
        self._errors: list[str] = []
        # The callback object must outlive every native call that may log.
        self._callback = native.llama_log_callback(self._keep)
        native.llama_log_set(self._callback, ctypes.c_void_p(0))

    def reason(self) -> str:
        """Return the first error since `clear`, which is the cause of those after it."""
        return self._errors[0] if self._errors else "llama.cpp gives no reason"

    def clear(self) -> None:
        self._errors.clear()

    def _keep(self, level: int, text: bytes, _data: object) -> None:
        line = " ".join(text.decode("utf-8", "replace").split())
        if line and level == _GGML_LOG_LEVEL_ERROR and len(self._errors) < _ERRORS:
            self._errors.append(line)


_MAX_HEADER, _BLOCK, _N_BLOCKS = 2**24, 2**14, 1024
_ERRORS = 20
_GGML_LOG_LEVEL_ERROR = 4
