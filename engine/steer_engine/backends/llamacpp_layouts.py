"""How the weights of a GGUF model lie in memory: laid out anew for the arithmetic of this CPU.

llama.cpp does that by itself. But its first choice, AMX, kills the process at the first prompt
where an older GCC compiled it, which leaves out most settings of AMX (GCC bug 114098), and where a
virtual machine advertises AMX and refuses it. There it is told to take the next one.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from steer_engine.backends import ggml
from steer_engine.catalogue import GgufModel, find_at
from steer_engine.catalogue.gguf import Tensor
from steer_engine.catalogue.gguf_facts import read_gguf_file
from steer_engine.catalogue.tensor_types import TENSOR_TYPES

_AMX, _REPACKED = "AMX", "CPU_REPACK"
_USUAL = frozenset({"Q4_0", "Q4_K", "Q2_K", "IQ4_NL"})  # types of CPU_REPACK on x86-64
_IS_WINDOWS = os.name == "nt"  # where ggml's functions are spread over libraries
_PATIENCE_S = 60.0
_REMEDY = (
    "this llama.cpp cannot use the matrix instructions of this processor (AMX); where an older GCC"
    " compiled it, CXXFLAGS=-fno-dse pip install --force-reinstall --no-cache-dir --no-deps"
    " llama-cpp-python makes it twice as fast"
)
_MATRIX = 2  # dimensions
_FACTOR = re.compile(r"blk\.(?P<layer>\d+)\.(?P<part>.+)|output\.weight")
# A type that ggml does not know ends the process; every one knows these.
_TYPES = {kind.name: number for number, kind in TENSOR_TYPES.items() if number in range(1, 24)}


class _Override(ctypes.Structure):  # llama_model_tensor_buft_override
    _fields_ = (("pattern", ctypes.c_char_p), ("layout", ctypes.c_void_p))


def lay_out(params: ctypes.Structure, native: ModuleType, path: Path) -> object:
    """Set in `params` how the weights of the GGUF file at `path` will be laid out.

    Return what the model needs as long as it lives.

    Raises:
        ModelError: the file is damaged or cannot be read.
    """
    if not fails_with_amx(native):
        return None
    params.use_extra_bufts = False
    if _IS_WINDOWS or native.llama_supports_gpu_offload():  # layers on a GPU stay as they are
        return None
    repacked = _layouts(native).get(_REPACKED)
    if repacked is None:
        return None
    patterns = list(_patterns(_tensors(path), repacked))
    overrides = (_Override * (len(patterns) + 1))(*(_Override(each, repacked) for each in patterns))
    params.tensor_buft_overrides = ctypes.addressof(overrides)
    return overrides


def repacked_types(native: ModuleType) -> frozenset[str]:
    """Return the types of weights that lie in memory twice: as in the file, and laid out anew."""
    if _IS_WINDOWS:
        repacks = b"REPACK = 1" in native.llama_print_system_info() and not fails_with_amx(native)
        return _USUAL if repacks else frozenset()
    layouts = _layouts(native).values()
    return frozenset(
        name for name in _TYPES if any(_can_have(each, name, ggml.TYPICAL) for each in layouts)
    )


@cache
def fails_with_amx(native: ModuleType) -> bool:
    """Tell whether AMX is there, and this llama.cpp is killed when it uses it."""
    if b"AMX_INT8 = 1" not in native.llama_print_system_info():
        return False
    if _IS_WINDOWS:
        return True  # not tried there
    command = [sys.executable, "-I", "-S", ggml.__file__, str(ggml_library()._name), _AMX]  # noqa: SLF001 - its path
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.TimeoutExpired):  # no Python can be started here
        return True
    return done.returncode != 0


def remedy(native: ModuleType) -> str:
    """Return how llama.cpp would be faster here; empty where there is nothing to do."""
    return _REMEDY if fails_with_amx(native) and not _IS_WINDOWS else ""


@cache
def ggml_library() -> ctypes.CDLL:
    """Return the ggml that llama-cpp-python comes with."""
    import llama_cpp._ggml

    return ggml.declare(llama_cpp._ggml.libggml)  # noqa: SLF001 - bound nowhere else


def _layouts(native: ModuleType) -> dict[str, ggml.Pointer]:
    """Return the layouts that do work here."""
    found = ggml.layouts(ggml_library())
    fails = fails_with_amx(native)
    return {name: each for name, each in found.items() if name != _AMX or not fails}


def _tensors(path: Path) -> Iterator[Tensor]:
    model = find_at(path)
    for part in model.parts if isinstance(model, GgufModel) else ():
        yield from read_gguf_file(part).tensors


def _patterns(tensors: Iterable[Tensor], layout: ggml.Pointer) -> Iterator[bytes]:
    """Yield regular expressions for the names of the weights that `layout` can have.

    llama.cpp compares each name with each expression, so there is one for a part of all layers.
    """
    layers = defaultdict[str, list[str]](list)
    for tensor in tensors:
        name = _FACTOR.fullmatch(tensor.name)
        if name and _can_have(layout, tensor.type_name, tensor.shape):
            layers[name["part"] or ""].append(name["layer"])
    for part, numbers in layers.items():
        text = rf"^blk\.({'|'.join(numbers)})\.{re.escape(part)}$" if part else r"^output\.weight$"
        yield text.encode()


@cache
def _can_have(layout: ggml.Pointer, type_name: str, shape: tuple[int, ...]) -> bool:
    number = _TYPES.get(type_name)
    if number is None or len(shape) != _MATRIX:
        return False
    return ggml.can_multiply(ggml_library(), layout, weight_type=number, shape=shape)
