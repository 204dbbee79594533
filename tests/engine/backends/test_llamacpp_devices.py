import ctypes
from types import SimpleNamespace

import pytest

from gguf_files import model
from steer_engine import ModelError
from steer_engine.backends import llamacpp_devices
from steer_engine.backends.llamacpp_devices import plan_file, read_machine
from steer_engine.backends.llamacpp_layouts import ggml_library
from steer_engine.models import embedded_path
from steer_engine.plan import Device, Machine

CPU, GPU, SHARING_GPU, ACCELERATOR = range(4)
FOUND = [
    (CPU, b"CPU", 64), (GPU, b"CUDA0", 24), (SHARING_GPU, b"Vulkan0", 8), (GPU, b"Metal", 16),
    (GPU, b"MTL0", 16), (ACCELERATOR, b"BLAS", 0),
]  # fmt: skip


class Ggml:
    """Stands for ggml with devices that this machine lacks; a device is its number."""

    def ggml_backend_dev_count(self):
        return len(FOUND)

    def ggml_backend_dev_get(self, i):
        return i

    def ggml_backend_dev_type(self, i):
        return FOUND[i][0]

    def ggml_backend_dev_name(self, i):
        return FOUND[i][1]

    def ggml_backend_dev_memory(self, i, free, total):
        for place in (free, total):
            ctypes.cast(place, ctypes.POINTER(ctypes.c_size_t))[0] = FOUND[i][2]


@pytest.fixture
def native(monkeypatch):
    """llama.cpp as it is compiled for GPUs."""
    native = SimpleNamespace(
        llama_supports_gpu_offload=lambda: True,
        llama_backend_init=lambda: None,
    )
    monkeypatch.setattr(llamacpp_devices, "bindings", lambda: native)
    monkeypatch.setattr(llamacpp_devices, "ggml_library", Ggml)
    monkeypatch.setattr(llamacpp_devices, "repacked_types", lambda native: frozenset({"Q4_0"}))
    monkeypatch.setattr(llamacpp_devices, "remedy", lambda native: "compile it anew")


@pytest.mark.usefixtures("native")
def test_gpus_are_found_and_those_that_share_the_memory_told_apart():
    assert read_machine().repacked_types == {"Q4_0"}
    assert read_machine().remedy == "compile it anew"
    assert read_machine().devices == (
        Device("CUDA0", 24),
        Device("Vulkan0", 8, unified=True),
        Device("Metal", 16, unified=True),
        Device("MTL0", 16, unified=True),
    )


def test_this_machine_s_own_devices_have_memory():
    machine = read_machine()
    assert machine.free_bytes > 0
    assert all(device.free_bytes > 0 for device in machine.devices)


def test_ggml_itself_is_asked_in_the_right_way():
    ggml = ggml_library()
    names = [
        ggml.ggml_backend_dev_name(ggml.ggml_backend_dev_get(i))
        for i in range(ggml.ggml_backend_dev_count())
    ]
    assert b"CPU" in names


def test_a_plan_is_made_for_the_memory_that_is_free(monkeypatch):
    for n_free, fits in [(10**9, True), (50 * 10**6, False)]:
        monkeypatch.setattr(llamacpp_devices, "read_machine", lambda n=n_free: Machine(n))
        if fits:
            assert plan_file(embedded_path()).room.n_tokens >= 2048
        else:
            with pytest.raises(ModelError, match=r"steermagic-tiny\.gguf needs \d+ MB, 45 MB free"):
                plan_file(embedded_path())


def test_all_parts_of_a_split_model_are_planned_for(tmp_path):
    parts = [tmp_path / f"m-0000{i}-of-00002.gguf" for i in (1, 2)]
    for part in parts:
        part.write_bytes(model())
    assert plan_file(parts[0]).facts.size_bytes == 2 * len(model())
