import io
import json

import pytest

from model_stores import CONFIG, folder_files, safetensors, write
from steer_engine import ModelError
from steer_engine.catalogue.folders import (
    folder_facts,
    is_model_folder,
    read_folder_facts,
    weight_files,
)
from steer_engine.catalogue.safetensors import MAX_HEADER, StoredTensor, read_safetensors


@pytest.fixture
def folder(tmp_path):
    for name, data in folder_files().items():
        write(tmp_path / name, data)
    return tmp_path


def test_the_facts_of_a_folder(folder):
    facts = read_folder_facts(folder)
    assert (facts.architecture, facts.quantization, facts.context_length) == ("llama", "F16", 2048)
    assert (facts.name, facts.vocab_size) == (folder.name, 4)
    assert facts.n_params == 32 + 128 + 8 + 32
    assert facts.size_bytes == facts.shape.weight_bytes == 2 * facts.n_params
    assert facts.shape.layer_bytes == (2 * 128,)
    assert (facts.shape.input_bytes, facts.shape.output_bytes) == (2 * 32, 2 * 40)
    assert facts.shape.cache_bytes == (2 * 2 * 4,)  # keys and values, 16 bit, one head of width 4


def test_the_parts_that_an_index_lists_are_read(folder):
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    write(folder / "model-2.safetensors", safetensors(model__layers__0__extra=(10,)))
    names = ("model-1.safetensors", "model-2.safetensors")
    index = {"weight_map": {f"tensor {i}": name for i, name in enumerate(names)}}
    write(folder / "model.safetensors.index.json", json.dumps(index))
    assert is_model_folder(folder)
    assert read_folder_facts(folder).n_params == 200 + 10
    (folder / "model-2.safetensors").unlink()
    assert not is_model_folder(folder)
    with pytest.raises(ModelError, match=r"model-2\.safetensors cannot be read: No such file"):
        read_folder_facts(folder)


def test_weights_that_are_there_twice_count_once(folder):
    write(folder / "consolidated.safetensors", safetensors(tok_embeddings__weight=(4, 8)))
    assert read_folder_facts(folder).n_params == 200
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    write(folder / "model.safetensors.index.json", '{"weight_map": {"a": "model-1.safetensors"}}')
    assert read_folder_facts(folder).n_params == 200


def test_an_index_of_other_files_than_the_whole_one_is_stale(folder):
    write(folder / "model.safetensors.index.json", '{"weight_map": {"a": "model-1.safetensors"}}')
    assert weight_files(folder) == (folder / "model.safetensors",)


@pytest.mark.parametrize(
    "index", ["{}", '{"weight_map": {}}', '{"weight_map": {"a": "../secret"}}', '{"weight_map": 3}']
)
def test_an_index_may_name_files_of_its_folder_alone(folder, index):
    (folder / "model.safetensors").unlink()
    write(folder / "model.safetensors.index.json", index)
    assert not is_model_folder(folder)
    with pytest.raises(ModelError, match="does not list the files of a model; fetch it again"):
        read_folder_facts(folder)


def test_a_folder_without_a_configuration_is_no_model(folder):
    (folder / "config.json").unlink()
    assert not is_model_folder(folder)
    with pytest.raises(ModelError, match=r"config\.json cannot be read: No such file"):
        read_folder_facts(folder)


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is not JSON"), ("[" * 10**5, "is not JSON"), ("[]", "JSON object")]
)
def test_a_damaged_configuration_is_told(folder, text, said):
    write(folder / "config.json", text)
    with pytest.raises(ModelError, match=said):
        read_folder_facts(folder)


def test_weights_that_mlx_has_packed_are_counted_one_by_one():
    tensors = [
        StoredTensor("model.layers.0.w.weight", "U32", 100, 400),
        StoredTensor("model.layers.0.w.scales", "F16", 25, 50),
    ]
    facts = folder_facts(CONFIG | {"quantization": {"bits": 4, "group_size": 32}}, tensors, "m")
    assert (facts.n_params, facts.quantization) == (100 * 8 + 25, "4-bit")


def test_the_length_of_the_context_has_several_names():
    assert folder_facts({"max_seq_len": 77}, [], "m").context_length == 77


def test_the_settings_of_the_text_part_count():
    config = {"model_type": "gemma3", "text_config": CONFIG | {"num_experts_per_tok": 2}}
    shape = folder_facts(config, [], "m").shape
    assert (shape.width, shape.n_experts, shape.feed_forward_width) == (8, 2, 16)


def test_numbers_that_cannot_be_are_none():
    config = {"num_hidden_layers": "many", "hidden_size": -1, "vocab_size": 2**60}
    facts = folder_facts(config, [], "m")
    named = (facts.architecture, facts.quantization, facts.vocab_size)
    assert named == ("unknown", "unknown", 0)
    assert facts.shape.layer_bytes == ()


def _file(table, *, n_data=0):
    head = table if isinstance(table, bytes) else json.dumps(table).encode()
    return len(head).to_bytes(8, "little") + head + bytes(n_data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not a whole safetensors file"),
        (b"\xff" * 20, "is not a whole safetensors file"),
        ((MAX_HEADER + 1).to_bytes(8, "little") + bytes(20), "is not a whole safetensors file"),
        (_file(b"{]"), "is not JSON"),
        (_file({"a": 3}), "a damaged header"),
        (_file({"a": {"dtype": "F16", "shape": [-1]}}), "a damaged header"),
        (_file({"a": {"dtype": "F99", "shape": [1]}}), "a damaged header"),
        (_file({"a": {"dtype": "F16", "shape": "1"}}), "a damaged header"),
        (_file({"a": {"dtype": "F16", "shape": [100]}}, n_data=199), "is not whole"),
        (_file({"a": {"dtype": "F16", "shape": [2**40, 2**40, 2**40]}}), "is not whole"),
    ],
)
def test_a_damaged_header_is_refused(data, said):
    with pytest.raises(ModelError, match=said):
        read_safetensors(io.BytesIO(data), "a.safetensors", n_bytes=len(data))
