"""What is particular to transformers; what all backends share is in test_contract.py."""

import json
import shutil

import numpy as np
import pytest

from hub_models import (
    SMALL,
    assert_answers_as_llama_cpp,
    assert_opens_silently,
    assert_reads_again,
    network_of,
    story,
)
from steer_engine import ModelError

pytest.importorskip("torch", reason="torch is not installed; CONTRIBUTING.md has how to")
pytest.importorskip("transformers")
pytest.importorskip("gguf")

import torch
import transformers

from steer_engine.backends import torchlm
from steer_engine.backends.row_by_row import RowNetwork
from steer_engine.backends.torchlm import TorchNetwork, open_transformers

CONFIG = {
    **SMALL,
    "bos_token_id": 4,
    "pad_token_id": 0,
}


@pytest.fixture
def make_model(embedded, tmp_path):
    """Writes the folder of a small model with random weights."""

    def make(kind, **config):
        torch.manual_seed(3)
        config = getattr(transformers, f"{kind}Config")(**CONFIG, **config)
        model = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for weights in model.parameters():
                weights.normal_(0, 0.2)
        model.save_pretrained(tmp_path)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(embedded / name, tmp_path / name)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Qwen2", {"num_key_value_heads": 2}),
        ("Mistral", {"num_key_value_heads": 2, "sliding_window": 8}),
        ("Gemma3Text", {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 8}),
        # Its attention has only the plain implementation, which adds the mask to the scores.
        ("GptOss", {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": 8,
                    "num_local_experts": 4}),
    ],
)  # fmt: skip
def test_many_rows_in_a_call_are_what_they_are_alone(make_model, monkeypatch, kind, config):
    """Windows are shorter than the rows here: transformers' own caches forget, ours mask."""
    folder = make_model(kind, **config)
    together = open_transformers(folder)
    assert network_of(together) is TorchNetwork
    monkeypatch.setattr(torchlm, "_slots", lambda model: None)
    alone = open_transformers(folder)
    assert network_of(alone) is RowNetwork
    assert np.allclose(story(together), story(alone), atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("Bloom", {}),  # reads positions out of a mask
        ("Lfm2", {"num_key_value_heads": 2, "full_attn_idxs": [1]}),  # has convolutions
    ],
)
def test_a_model_that_is_not_all_attention_by_position_is_run_row_by_row(make_model, kind, config):
    backend = open_transformers(make_model(kind, **config))
    assert_reads_again(backend)


def test_a_model_without_keys_and_values_is_refused(make_model):
    folder = make_model("Mamba", state_size=4)
    with pytest.raises(ModelError, match=r"of a kind \(mamba\) that is read only"):
        open_transformers(folder)


def test_the_embedded_model_answers_as_in_llama_cpp():
    assert_answers_as_llama_cpp("transformers:embedded", n_threads=1)


def test_nothing_is_written_to_stdout_or_stderr(embedded):
    assert_opens_silently(f"transformers:{embedded}")


def test_loading_leaves_the_settings_of_transformers_as_they_were(embedded):
    log = transformers.utils.logging
    before = log.get_verbosity(), log.is_progress_bar_enabled()
    open_transformers(embedded)
    assert (log.get_verbosity(), log.is_progress_bar_enabled()) == before


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"model_type": "nonesuch"}, "nonesuch"),
        ({"model_type": "x", "auto_map": {"AutoModelForCausalLM": "code.Model"}}, "cannot load"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "pip install optimum"),
        ({"quantization": {"bits": 4}}, "packed for MLX"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_one_line(embedded, tmp_path, wrong, reason):
    shutil.copytree(embedded, tmp_path, dirs_exist_ok=True)
    (tmp_path / "code.py").write_text("raise SystemExit('code of the model was run')")
    config = json.loads((embedded / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | wrong))
    with pytest.raises(ModelError, match=reason) as error:
        open_transformers(tmp_path)
    assert "\n" not in str(error.value)


def test_half_precision_is_computed_in_whole_on_a_cpu(embedded, tmp_path):
    model = transformers.AutoModelForCausalLM.from_pretrained(embedded, dtype=torch.bfloat16)
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(embedded / name, tmp_path / name)
    backend = open_transformers(tmp_path)
    assert backend.info.quantization == "BF16"
    [logits] = story(backend)[-1:]
    assert logits.dtype == np.float32
    assert np.abs(logits - story(open_transformers(embedded))[-1]).mean() < 0.5
