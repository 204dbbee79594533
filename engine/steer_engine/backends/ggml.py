"""ggml, below llama.cpp: its devices, and the layouts that its CPU code has for weights.

    python ggml.py LIBRARY LAYOUT

multiplies in a layout and does nothing else. It is a process of its own, since a virtual machine
may advertise instructions and refuse them, which kills the process; only the standard library is
imported here, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

Pointer: TypeAlias = int
"""Something that only ggml looks into."""

_CPU, _F32, _Q4_0 = 0, 0, 2  # GGML_BACKEND_DEVICE_TYPE_CPU, GGML_TYPE_F32, GGML_TYPE_Q4_0
_N_COLUMNS = 512  # of the other factor, as llama.cpp asks whether a layout can be used
TYPICAL = 256, 64  # whole tiles in every layout, and every layout has Q4_0
_SCRATCH = 2**20  # bytes; the descriptions of some tensors and a graph


class _ScratchParams(ctypes.Structure):  # ggml_init_params
    _fields_ = (("size", ctypes.c_size_t), ("buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


def declare(ggml: ctypes.CDLL) -> ctypes.CDLL:
    """Return the library with what its functions take and give; llama-cpp-python declares none."""
    pointer, size, number, name = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p
    sizes = ctypes.POINTER(size)
    for function, result, *arguments in (
        ("backend_dev_count", size),
        ("backend_dev_get", pointer, size),
        ("backend_dev_by_type", pointer, number),
        ("backend_dev_type", number, pointer),
        ("backend_dev_name", name, pointer),
        ("backend_dev_memory", None, pointer, sizes, sizes),
        ("backend_dev_backend_reg", pointer, pointer),
        ("backend_dev_buffer_type", pointer, pointer),
        ("backend_dev_supports_op", ctypes.c_bool, pointer, pointer),
        ("backend_dev_init", pointer, pointer, name),
        ("backend_reg_get_proc_address", pointer, pointer, name),
        ("backend_buft_name", name, pointer),
        ("backend_buffer_free", None, pointer),
        ("backend_alloc_ctx_tensors_from_buft", pointer, pointer, pointer),
        ("backend_tensor_set", None, pointer, name, size, size),
        ("backend_graph_compute", number, pointer, pointer),
        ("init", pointer, _ScratchParams),
        ("free", None, pointer),
        ("nbytes", size, pointer),
        ("new_tensor_2d", pointer, pointer, number, ctypes.c_int64, ctypes.c_int64),
        ("mul_mat", pointer, pointer, pointer, pointer),
        ("new_graph", pointer, pointer),
        ("build_forward_expand", None, pointer, pointer),
    ):
        native = getattr(ggml, f"ggml_{function}")
        native.restype, native.argtypes = result, arguments
    return ggml


def layouts(ggml: ctypes.CDLL) -> Mapping[str, Pointer]:
    """Return the CPU's own buffer types by name, the one that llama.cpp prefers first."""
    cpu = ggml.ggml_backend_dev_by_type(_CPU)
    registry = ggml.ggml_backend_dev_backend_reg(cpu)
    address = ggml.ggml_backend_reg_get_proc_address(registry, b"ggml_backend_dev_get_extra_bufts")
    pointers = ctypes.POINTER(ctypes.c_void_p)
    found = ctypes.CFUNCTYPE(pointers, ctypes.c_void_p)(address)(cpu)
    by_name: dict[str, Pointer] = {}
    for layout in iter(iter(found).__next__, None):  # a null pointer ends them
        by_name[ggml.ggml_backend_buft_name(layout).decode()] = layout
    return by_name


def can_multiply(
    ggml: ctypes.CDLL, layout: Pointer, *, weight_type: int, shape: Sequence[int]
) -> bool:
    """Tell whether the CPU's code multiplies by weights of this `ggml_type` and shape there."""
    with _scratch(ggml) as of_weights, _scratch(ggml) as of_rest:
        weights = ggml.ggml_new_tensor_2d(of_weights, weight_type, *shape)
        factor = ggml.ggml_new_tensor_2d(of_rest, _F32, shape[0], _N_COLUMNS)
        product = ggml.ggml_mul_mat(of_rest, weights, factor)
        with _allocated(ggml, of_weights, layout):
            cpu = ggml.ggml_backend_dev_by_type(_CPU)
            return bool(ggml.ggml_backend_dev_supports_op(cpu, product))


def multiply(ggml: ctypes.CDLL, layout: Pointer) -> None:
    """Multiply by weights in that layout."""
    cpu = ggml.ggml_backend_dev_by_type(_CPU)
    with _scratch(ggml) as of_weights, _scratch(ggml) as of_rest:
        weights = ggml.ggml_new_tensor_2d(of_weights, _Q4_0, *TYPICAL)
        factor = ggml.ggml_new_tensor_2d(of_rest, _F32, *TYPICAL)
        product = ggml.ggml_mul_mat(of_rest, weights, factor)
        graph = ggml.ggml_new_graph(of_rest)
        ggml.ggml_build_forward_expand(graph, product)
        own = ggml.ggml_backend_dev_buffer_type(cpu)
        with _allocated(ggml, of_weights, layout), _allocated(ggml, of_rest, own):
            for tensor in (weights, factor):
                n_bytes = ggml.ggml_nbytes(tensor)
                ggml.ggml_backend_tensor_set(tensor, bytes(n_bytes), 0, n_bytes)
            ggml.ggml_backend_graph_compute(ggml.ggml_backend_dev_init(cpu, None), graph)


@contextmanager
def _scratch(ggml: ctypes.CDLL) -> Iterator[Pointer]:
    scratch = ggml.ggml_init(_ScratchParams(size=_SCRATCH, no_alloc=True))
    try:
        yield scratch
    finally:
        ggml.ggml_free(scratch)


@contextmanager
def _allocated(ggml: ctypes.CDLL, scratch: Pointer, layout: Pointer) -> Iterator[None]:
    buffer = ggml.ggml_backend_alloc_ctx_tensors_from_buft(scratch, layout)
    try:
        yield
    finally:
        ggml.ggml_backend_buffer_free(buffer)


def main() -> None:
    """Multiply; the layout is named on the command line."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # to be killed here is no accident
    ggml = declare(ctypes.CDLL(sys.argv[1]))
    multiply(ggml, layouts(ggml)[sys.argv[2]])


if __name__ == "__main__":
    main()
