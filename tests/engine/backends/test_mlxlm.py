"""What is particular to mlx-lm; what all backends share is in test_contract.py."""

import json
import shutil
import threading

import numpy as np
import pytest

from hub_models import (
    SMALL,
    TOKENS,
    assert_answers_as_llama_cpp,
    assert_opens_silently,
    assert_reads_again,
    network_of,
    story,
)
from steer_engine import (
    Engine,
    ModelError,
)
from steer_engine.backends import Run

pytest.importorskip("mlx_lm", reason="mlx-lm is not installed")
pytest.importorskip("gguf")

import mlx.core as mx
import mlx.utils
from mlx_lm.utils import load_model, quantize_model

from steer_engine.backends import mlxlm
from steer_engine.backends.mlxlm import MlxNetwork, open_mlx
from steer_engine.backends.row_by_row import RowNetwork

CONFIG = {
    **SMALL,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
}


@pytest.fixture
def make_model(embedded, tmp_path):
    """Writes the folder of a small model with random weights."""

    def make(**config):
        config = {**CONFIG, **config}
        kind, arguments = mlxlm_classes(config)
        mx.random.seed(5)
        model = kind(arguments.from_dict(config))
        weights = mlx.utils.tree_map(
            lambda weight: mx.random.normal(weight.shape) * 0.2, model.parameters()
        )
        return write(tmp_path, embedded, weights, config)

    return make


def mlxlm_classes(config):
    from mlx_lm.utils import _get_classes

    return _get_classes(config)


def write(folder, embedded, weights, config):
    mx.save_safetensors(str(folder / "model.safetensors"), dict(mlx.utils.tree_flatten(weights)))
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(embedded / name, folder / name)
    return folder


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "qwen3", "rope_theta": 10000.0},
        {
            "model_type": "gemma3_text",
            "num_hidden_layers": 4,
            "sliding_window": 8,
            "sliding_window_pattern": 2,
            "query_pre_attn_scalar": 8,
        },
    ],
    ids=lambda config: config["model_type"],
)
def test_many_rows_in_a_call_are_what_they_are_alone(make_model, monkeypatch, config):
    """Windows are shorter than the rows here: mlx-lm's own caches forget, ours mask."""
    folder = make_model(**config)
    together = open_mlx(folder)
    assert network_of(together) is MlxNetwork
    monkeypatch.setattr(mlxlm, "_slots", lambda model, output: None)
    alone = open_mlx(folder)
    assert network_of(alone) is RowNetwork
    assert np.allclose(story(together), story(alone), atol=1e-4)


def test_a_model_that_misreads_the_mask_of_many_rows_is_run_row_by_row(make_model):
    """mlx-lm's Gemma 2 adds the mask along the wrong axis."""
    folder = make_model(
        model_type="gemma2",
        attn_logit_softcapping=50.0,
        final_logit_softcapping=30.0,
        query_pre_attn_scalar=8.0,
    )
    assert network_of(open_mlx(folder)) is RowNetwork


def test_a_recurrent_model_is_trimmed_and_forked_by_reading_again(make_model):
    folder = make_model(
        model_type="mamba", state_size=4, conv_kernel=4, use_bias=False, use_conv_bias=True,
        time_step_rank=4,
    )  # fmt: skip
    backend = open_mlx(folder)
    assert_reads_again(backend)


@pytest.mark.parametrize("is_tied", [True, False])
def test_logits_are_computed_only_where_they_are_wanted(make_model, monkeypatch, is_tied):
    sizes = []
    narrowed = mlxlm._OutputLayer._narrowed

    def watched(self, layer):
        def call(hidden):
            sizes.append(hidden.shape[1])
            return layer(hidden)

        return narrowed(self, call)

    monkeypatch.setattr(mlxlm._OutputLayer, "_narrowed", watched)
    backend = open_mlx(make_model(model_type="qwen2", tie_word_embeddings=is_tied))
    backend.reserve(n_slots=1, n_tokens=99)
    sizes.clear()
    backend.forward([Run(0, TOKENS[:30], n_logits=3)])
    assert sizes == [3]


def test_an_output_layer_of_another_name_gives_the_same(make_model, monkeypatch):
    folder = make_model(model_type="qwen2")
    expected = story(open_mlx(folder))
    monkeypatch.setattr(mlxlm._OutputLayer, "_narrowed", lambda self, layer: layer)
    assert np.allclose(story(open_mlx(folder)), expected, atol=1e-4)


def test_newer_names_in_a_configuration_are_understood(make_model):
    """mlx-lm's models take their default for what they do not find."""
    expected = story(open_mlx(make_model(model_type="qwen2", rope_theta=500.0)))
    newer = {"rope_type": "default", "rope_theta": 500.0}
    found = story(open_mlx(make_model(model_type="qwen2", rope_parameters=newer)))
    assert np.array_equal(found, expected)
    older = make_model(
        model_type="qwen2", rope_theta=500.0, rope_scaling={"rope_type": "linear", "factor": 2.0}
    )
    expected = story(open_mlx(older))
    newer = {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0}
    found = story(open_mlx(make_model(model_type="qwen2", rope_parameters=newer)))
    assert np.array_equal(found, expected)


def test_a_quantized_model_loads_and_is_near_the_whole_one(embedded, tmp_path):
    model, config = quantize_model(*load_model(embedded), group_size=64, bits=8)
    quantized = open_mlx(write(tmp_path, embedded, model.parameters(), config))
    assert quantized.info.quantization == "8-bit"
    assert quantized.info.n_params == open_mlx(embedded).info.n_params
    close = np.abs(story(quantized) - story(open_mlx(embedded)))
    assert close.mean() < 0.5


def test_the_embedded_model_answers_as_in_llama_cpp():
    assert_answers_as_llama_cpp("mlx:embedded")


def test_a_model_can_be_used_in_another_thread(embedded):
    backend = open_mlx(embedded)
    expected, found = story(backend), []
    thread = threading.Thread(target=lambda: found.append(story(backend)))
    thread.start()
    thread.join()
    assert np.array_equal(found[0], expected)


def test_nothing_is_written_to_stdout_or_stderr(embedded):
    assert_opens_silently(f"mlx:{embedded}")


def test_a_model_that_cannot_be_loaded_is_one_line(make_model):
    folder = make_model(model_type="qwen2")
    config = json.loads((folder / "config.json").read_text())
    for wrong, reason in [
        ({"model_type": "nonesuch"}, "Model type nonesuch not supported"),
        ({"model_file": "code.py"}, "custom module"),
        ({"num_hidden_layers": 3}, "Missing"),
    ]:
        (folder / "config.json").write_text(json.dumps(config | wrong))
        with pytest.raises(ModelError, match=rf"mlx-lm cannot load .*{reason}.*name another") as e:
            open_mlx(folder)
        assert "\n" not in str(e.value)


def test_a_closed_engine_frees_the_model(embedded):
    import gc
    import weakref

    engine = Engine(open_mlx(embedded))
    network = weakref.ref(engine._backend._network)
    engine.close()
    gc.collect()
    assert network() is None
