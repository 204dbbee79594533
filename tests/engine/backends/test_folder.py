"""What stands beside the weights in a model's folder."""

import json

import pytest

from steer_engine import ModelError
from steer_engine.backends.folder import read_folder

CONFIG = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4}


@pytest.fixture
def folder(tmp_path):
    def write(**files):
        (tmp_path / "model.safetensors").write_bytes(b"weights")
        (tmp_path / "tokenizer.json").write_text("{}")
        for name, settings in {"config": CONFIG, **files}.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(settings))
        return read_folder(tmp_path)

    return write


def test_weights_that_could_run_code_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"has no \.safetensors file"):
        read_folder(tmp_path)
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ModelError, match=r"in pytorch_model\.bin, a format that can run code"):
        read_folder(tmp_path)


def test_weights_in_another_librarys_layout_do_not_count(folder, tmp_path):
    (tmp_path / "consolidated.safetensors").write_bytes(b"weights")
    assert folder().weights == (tmp_path / "model.safetensors",)


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "cannot be read"), ("[1]", "not a JSON object")]
)
def test_settings_that_cannot_be_read_name_their_file(folder, tmp_path, text, reason):
    folder()
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=rf"config\.json .*{reason}.*; fetch the file again"):
        read_folder(tmp_path)


def test_a_chat_template_stands_in_one_of_three_files(folder, tmp_path):
    assert folder().chat_template is None
    assert folder(chat_template={"chat_template": "processor's"}).chat_template == "processor's"
    assert folder(tokenizer_config={"chat_template": "one"}).chat_template == "one"
    several = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]
    assert folder(tokenizer_config={"chat_template": several}).chat_template == "yes"
    assert folder(tokenizer_config={"chat_template": several[:1]}).chat_template == "no"
    (tmp_path / "chat_template.jinja").write_text("file")
    assert folder().chat_template == "file"


@pytest.mark.parametrize("templates", [[{"name": "x"}], ["x"], {"default": "x"}, 3])
def test_a_chat_template_that_is_damaged_is_an_error(folder, tmp_path, templates):
    """Without one, messages are separated by blank lines, which the model never saw."""
    with pytest.raises(ModelError, match="has a damaged chat template; fetch the folder again"):
        folder(tokenizer_config={"chat_template": templates})
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match=r"chat_template\.jinja cannot be read .*; fetch the file"):
        read_folder(tmp_path)


def test_end_tokens_come_from_both_configurations(folder):
    found = folder(config={**CONFIG, "eos_token_id": 2}, generation_config={"eos_token_id": [3, 4]})
    assert found.eos_ids == {2, 3, 4}
    inner = {"text_config": {"eos_token_id": 7, "max_position_embeddings": 99}}
    found = folder(config=inner, generation_config={})
    assert found.eos_ids == {7}
    assert found.info(n_params=1, backend="mlx", embedded=False).context_length == 99


def test_a_named_token_is_a_text_or_an_entry(folder):
    found = folder(tokenizer_config={"eos_token": "</s>", "bos_token": {"content": "<s>"}})
    assert (found.named_token("eos_token"), found.named_token("bos_token")) == ("</s>", "<s>")
    assert found.named_token("pad_token") is None


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"quantization": {"bits": 4}}, "4-bit"),
        ({"quantization_config": {"quant_method": "gptq"}}, "gptq"),
        ({"torch_dtype": "bfloat16"}, "BF16"),
        ({"dtype": "float32"}, "F32"),
        ({"text_config": {}, "dtype": "float16"}, "F16"),
        ({}, "unknown"),
    ],
)
def test_the_quantization_has_a_name(folder, settings, name):
    found = folder(config={**CONFIG, **settings})
    assert found.quantization == name
    assert found.is_mlx_quantized == ("quantization" in settings)


def test_the_cache_has_room_for_as_many_tokens_as_a_gibibyte_holds(folder):
    found = folder(config={**CONFIG, "num_hidden_layers": 2, "num_key_value_heads": 2})
    assert found.max_cached_tokens(n_bytes=2) == 2**30 // (2 * 2 * 2 * 2 * 16)
    found = folder(config={"n_embd": 64, "n_head": 4, "n_layer": 3})
    assert found.max_cached_tokens(n_bytes=4) == 2**30 // (2 * 4 * 3 * 64)


def test_the_fingerprint_is_that_of_all_that_decides(folder, tmp_path):
    def fingerprint(backend="mlx"):
        info = read_folder(tmp_path).info(n_params=1, backend=backend, embedded=False)
        return info.fingerprint

    folder()
    prints = [fingerprint(), fingerprint("transformers")]
    (tmp_path / "README.md").write_text("#")
    assert fingerprint() == prints[0]
    for name, text in {
        "model.safetensors": "Weights",
        "tokenizer.json": "{ }",
        "config.json": '{"rope_theta": 5}',
        "generation_config.json": '{"eos_token_id": 3}',
        "tokenizer_config.json": '{"add_bos_token": true}',
        "chat_template.jinja": "{{ messages }}",
    }.items():
        (tmp_path / name).write_text(text)
        prints.append(fingerprint())
    assert len(set(prints)) == len(prints)
