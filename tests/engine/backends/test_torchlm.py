"""What is particular to transformers; what all backends share is in test_contract.py."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from steer_engine import ModelError, Request, RowDone, compose, open_engine, read_schema
from steer_engine.backends import Run
from steer_engine.models import embedded_path

pytest.importorskip("torch", reason="torch is not installed; CONTRIBUTING.md has how to")
pytest.importorskip("transformers")
pytest.importorskip("gguf")

import torch
import transformers

from steer_engine.backends import torchlm
from steer_engine.backends.gguf_folder import write_folder
from steer_engine.backends.replaying import ReplayingNetwork
from steer_engine.backends.torchlm import TorchNetwork, open_transformers

SMALL = {
    "vocab_size": 2048,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "eos_token_id": 4,
    "bos_token_id": 4,
    "pad_token_id": 0,
}
TOKENS = [(7 * i * i + 11) % 2000 for i in range(40)]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    write_folder(embedded_path(), folder)
    return folder


@pytest.fixture
def make_model(embedded, tmp_path):
    """Writes the folder of a small model with random weights."""

    def make(kind, **config):
        torch.manual_seed(3)
        config = getattr(transformers, f"{kind}Config")(**SMALL, **config)
        model = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for weights in model.parameters():
                weights.normal_(0, 0.2)
        model.save_pretrained(tmp_path)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(embedded / name, tmp_path / name)
        return tmp_path

    return make


def story(backend):
    """Return the logits of some calls that have rows of several lengths, trims and forks."""
    backend.reserve(n_slots=4, n_tokens=300)
    backend.forward([Run(3, TOKENS[:12], n_logits=0)])
    for slot, n_tokens in enumerate((7, 12, 12)):
        backend.fork(3, slot, n_tokens)
    logits = backend.forward([Run(2, TOKENS[:30]), Run(0, TOKENS[3:23], 5), Run(1, TOKENS[:28], 2)])
    backend.trim(1, 3)
    backend.trim(0, 11)
    logits += backend.forward([Run(slot, TOKENS[slot : slot + 2], 2) for slot in (0, 1, 2)])
    logits += backend.forward([Run(0, [5]), Run(2, [6])])
    return np.concatenate(logits)


def network_of(backend):
    return type(backend._network)


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
    assert network_of(alone) is ReplayingNetwork
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
    assert network_of(backend) is ReplayingNetwork
    backend.reserve(n_slots=2, n_tokens=99)
    [expected] = backend.forward([Run(0, TOKENS[:9])])
    backend.trim(0, 4)
    backend.fork(0, 1, 3)
    [trimmed, forked] = backend.forward([Run(0, TOKENS[5:9]), Run(1, TOKENS[3:9])])
    assert np.allclose(expected, trimmed, atol=1e-4)
    assert np.allclose(expected, forked, atol=1e-4)


def test_a_model_without_keys_and_values_is_refused(make_model):
    folder = make_model("Mamba", state_size=4)
    with pytest.raises(ModelError, match=r"of a kind \(mamba\) that is read only"):
        open_transformers(folder)


def test_the_embedded_model_answers_as_in_llama_cpp():
    schema = read_schema('name: str, amount: float, kind: "praise" | "complaint"')
    texts = ["Maria paid 12.50 and loves it!", "Jo paid 7 dollars and it broke at once."]

    def answers(model):
        requests = [Request(row, compose(text, schema), schema) for row, text in enumerate(texts)]
        with open_engine(model, n_threads=1) as engine:
            assert engine.info.embedded
            return {e.row: e.record for e in engine.run(requests) if isinstance(e, RowDone)}

    assert len(answers("transformers:embedded")) == len(texts)
    assert answers("transformers:embedded") == answers("embedded")


def test_nothing_is_written_to_stdout_or_stderr(embedded):
    code = f"""
from steer_engine import open_engine
open_engine("transformers:" + {str(embedded)!r}).close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


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
