"""How weights are laid out; `ggml` is asked for real."""

import subprocess
import sys

import numpy as np
import pytest

from forwards import forward
from gguf_files import gguf, model
from steer_engine import ModelError
from steer_engine.backends import Run, ggml, llamacpp_layouts
from steer_engine.backends.llamacpp import LlamaCppBackend
from steer_engine.backends.llamacpp_layouts import (
    fails_with_amx,
    ggml_library,
    lay_out,
    remedy,
    repacked_types,
)
from steer_engine.backends.llamacpp_model import bindings

Q4_0 = 2


@pytest.fixture(scope="module")
def layouts():
    layouts = ggml.layouts(ggml_library())
    if "CPU_REPACK" not in layouts:
        pytest.skip("this llama.cpp lays no weights out anew")
    return layouts


@pytest.fixture
def without_amx(monkeypatch):
    monkeypatch.setattr(llamacpp_layouts, "fails_with_amx", lambda native: True)


def multiplied(layout):
    command = [sys.executable, "-I", "-S", ggml.__file__, ggml_library()._name, layout]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_a_layout_is_tried_in_a_process_of_its_own(layouts):
    assert multiplied("CPU_REPACK") == 0
    assert multiplied("none of these") != 0


def test_amx_fails_where_it_is_advertised_and_kills():
    advertised = b"AMX_INT8 = 1" in bindings().llama_print_system_info()
    assert fails_with_amx(bindings()) == (advertised and multiplied("AMX") != 0)


def test_a_layout_is_for_some_types_and_shapes(layouts):
    def can(kind, shape):
        repacked = layouts["CPU_REPACK"]
        return ggml.can_multiply(ggml_library(), repacked, weight_type=kind, shape=shape)

    assert can(Q4_0, (256, 64))
    assert not can(Q4_0, (256, 63))
    assert not can(0, (256, 64))


def test_second_copies_are_of_types_that_are_laid_out_anew(layouts, monkeypatch):
    assert "Q4_0" in repacked_types(bindings())
    assert "F32" not in repacked_types(bindings())
    monkeypatch.setattr(llamacpp_layouts, "_layouts", lambda native: {})
    assert repacked_types(bindings()) == frozenset()


class Native:
    """Stands for a llama.cpp that was compiled for another machine."""

    def __init__(self, features):
        self.llama_print_system_info = lambda: features


def test_amx_counts_as_failing_where_it_cannot_be_tried(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert fails_with_amx(Native(b"AMX_INT8 = 1 | "))
    assert not fails_with_amx(Native(b"AVX2 = 1 | "))


def test_where_amx_fails_it_is_said_how_to_compile_llama_cpp(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "CXXFLAGS=-fno-dse pip install" in remedy(Native(b"AMX_INT8 = 1 | AVX2 = 1 | "))
    assert not remedy(Native(b"AVX2 = 1 | "))
    monkeypatch.setattr(llamacpp_layouts, "_IS_WINDOWS", True)
    assert not remedy(Native(b"AMX_INT8 = 1 | AVX2 = 1 | "))


@pytest.mark.parametrize(
    ("features", "is_usual"),
    [(b"REPACK = 1 | ", True), (b"AMX_INT8 = 1 | REPACK = 1 | ", False), (b"AVX2 = 1 | ", False)],
)
def test_on_windows_second_copies_are_of_the_usual_types(features, is_usual, monkeypatch):
    monkeypatch.setattr(llamacpp_layouts, "_IS_WINDOWS", True)
    assert ("Q4_0" in repacked_types(Native(features))) == is_usual


def params():
    return bindings().llama_model_default_params()


def test_llama_cpp_chooses_by_itself_where_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(llamacpp_layouts, "fails_with_amx", lambda native: False)
    chosen = params()
    assert lay_out(chosen, bindings(), tmp_path / "none.gguf") is None
    assert chosen.use_extra_bufts
    assert not chosen.tensor_buft_overrides


@pytest.mark.usefixtures("without_amx", "layouts")
def test_weights_of_all_layers_are_told_apart_by_their_parts(tmp_path):
    tensors = [(f"blk.{i}.ffn_up.weight", (64, 128), Q4_0, 64 * 128 * 18 // 32) for i in (0, 1, 11)]
    tensors += [
        ("blk.0.ffn_norm.weight", (64,), 0, 256),
        ("blk.0.ffn_down.weight", (64, 127), Q4_0, 64 * 127 * 18 // 32),
        ("token_embd.weight", (64, 128), Q4_0, 64 * 128 * 18 // 32),
        ("output.weight", (64, 128), Q4_0, 64 * 128 * 18 // 32),
    ]
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf({"general.architecture": "llama"}, tensors))
    chosen = params()
    overrides = lay_out(chosen, bindings(), path)
    assert not chosen.use_extra_bufts
    assert [each.pattern for each in overrides] == [
        rb"^blk\.(0|1|11)\.ffn_up\.weight$",
        rb"^output\.weight$",
        None,
    ]


@pytest.mark.usefixtures("without_amx", "layouts")
def test_nothing_is_laid_out_anew_where_layers_may_be_on_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr(bindings(), "llama_supports_gpu_offload", lambda: True)
    chosen = params()
    assert lay_out(chosen, bindings(), tmp_path / "none.gguf") is None
    assert not chosen.use_extra_bufts


@pytest.mark.usefixtures("without_amx", "layouts")
def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(model()[:200])
    with pytest.raises(ModelError):
        lay_out(params(), bindings(), path)


@pytest.mark.usefixtures("without_amx", "layouts")
def test_a_model_says_the_same_however_it_is_laid_out(tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    from requantized import write_four_bits

    path = tmp_path / "four-bits.gguf"
    write_four_bits(path)
    logits = []
    for is_new in (True, False):
        if not is_new:
            monkeypatch.setattr(llamacpp_layouts, "_layouts", lambda native: {})
        backend = LlamaCppBackend(path, n_threads=1)
        backend.reserve(n_slots=1, n_tokens=64)
        logits += forward(backend, [Run(0, list(range(300, 340)), n_logits=40)])
        backend.close()
    assert np.std(logits) > 2
    assert np.allclose(*logits, atol=0.05 * np.std(logits))
    assert np.abs(logits[0] - logits[1]).mean() < 0.002 * np.std(logits)
    assert np.array_equal(logits[0].argmax(-1), logits[1].argmax(-1))
    assert not np.array_equal(*logits)  # other sums of the same numbers
