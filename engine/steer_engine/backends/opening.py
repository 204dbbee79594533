"""From a model's file or folder to the backend that reads it.

Each library is imported where its backend is: none is needed for the others.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from steer_engine.backends import Backend
from steer_engine.backends.folder import read_folder
from steer_engine.backends.replaying import ReplayingBackend
from steer_engine.backends.slotted import SlottedBackend
from steer_engine.errors import ModelError

_LIBRARIES = {
    "llamacpp": ("llama_cpp",),
    "mlx": ("mlx_lm",),
    "transformers": ("torch", "transformers"),
}


def backend_named(model: str | Path | None) -> tuple[str | None, str | Path | None]:
    """Return which backend `model` names, as in ``mlx:folder``, and the rest."""
    if isinstance(model, str):
        name, colon, rest = model.partition(":")
        if colon and name in _LIBRARIES:
            return name, rest
    return None, model


def open_backend(
    path: Path, name: str | None = None, *, embedded: bool = False, n_threads: int | None = None
) -> Backend:
    """Load a GGUF file or a model's folder with the backend that is named, or that suits it.

    The embedded model can be had in each of them.

    Raises:
        ModelError: it cannot be loaded, or the backend is not installed.
    """
    if path.is_dir():
        return _open_folder(path, name or _suiting(path), embedded=embedded, n_threads=n_threads)
    if name in (None, "llamacpp"):
        from steer_engine.backends.llamacpp import open_llamacpp

        return open_llamacpp(path, n_threads=n_threads, embedded=embedded)
    if not embedded:
        raise ModelError(f"{path} is a GGUF file, which llama.cpp reads; leave out `{name}:`")
    _check_installed(name, "gguf")
    from steer_engine.backends.gguf_folder import write_folder

    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / path.stem
        write_folder(path, folder)
        backend = _open_folder(folder, name, embedded=True, n_threads=n_threads)
    backend.info = replace(backend.info, path=str(path))  # the folder is gone
    return backend


def _open_folder(
    path: Path, name: str, *, embedded: bool, n_threads: int | None
) -> SlottedBackend | ReplayingBackend:
    if name == "llamacpp":
        raise ModelError(f"{path} is a folder of safetensors, and llama.cpp reads .gguf files")
    _check_installed(name)
    if name == "mlx":
        from steer_engine.backends.mlxlm import open_mlx

        return open_mlx(path, embedded=embedded)
    from steer_engine.backends.torchlm import open_transformers

    return open_transformers(path, embedded=embedded, n_threads=n_threads)


def _suiting(path: Path) -> str:
    """Return the backend for a folder: MLX on a Mac, and for what only MLX reads."""
    if read_folder(path).is_mlx_quantized:
        return "mlx"
    order = ("mlx", "transformers") if sys.platform == "darwin" else ("transformers", "mlx")
    return next((name for name in order if all(map(find_spec, _LIBRARIES[name]))), order[0])


def _check_installed(name: str, *libraries: str) -> None:
    for library in (*_LIBRARIES[name], *libraries):
        if find_spec(library) is None:
            raise ModelError(f'{library} is not installed; run: pip install "steermagic[{name}]"')
