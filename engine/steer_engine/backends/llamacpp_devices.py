"""What llama.cpp finds on this machine: GPUs, and what its CPU code does with weights."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import ModuleType

from steer_engine.backends.llamacpp_layouts import ggml_library, remedy, repacked_types
from steer_engine.backends.llamacpp_model import bindings
from steer_engine.catalogue import find_at, read_facts
from steer_engine.errors import ModelError
from steer_engine.plan import Device, Machine, Plan, free_memory, make_plan

_GPU, _SHARING_GPU = 1, 2  # GGML_BACKEND_DEVICE_TYPE_GPU and …_IGPU


def read_machine() -> Machine:
    """Return the memory that is free now, here and on each GPU that llama.cpp can use.

    Raises:
        ModelError: llama-cpp-python cannot be imported.
    """
    native = bindings()
    devices = tuple(_devices(native)) if native.llama_supports_gpu_offload() else ()
    return Machine(free_memory(), devices, repacked_types(native), remedy(native))


def plan_file(path: Path) -> Plan:
    """Return how the GGUF model at `path` will lie in the memory that is free.

    Raises:
        ModelError: its header cannot be read, or it needs more than there is.
    """
    plan = make_plan(read_facts(find_at(path)), read_machine())
    if not plan.fits:
        raise ModelError(f"{path.name} {plan.advice}")
    return plan


def _devices(native: ModuleType) -> list[Device]:
    native.llama_backend_init()  # also where no model has been loaded yet
    ggml = ggml_library()
    found = list[Device]()
    for i in range(ggml.ggml_backend_dev_count()):
        device = ggml.ggml_backend_dev_get(i)
        kind = ggml.ggml_backend_dev_type(device)
        if kind not in (_GPU, _SHARING_GPU):
            continue
        name = ggml.ggml_backend_dev_name(device).decode("utf-8", "replace")
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        # Metal calls itself a GPU, and shares the memory all the same.
        is_unified = kind == _SHARING_GPU or name.startswith(("Metal", "MTL"))
        found.append(Device(name, free.value, unified=is_unified))
    return found
