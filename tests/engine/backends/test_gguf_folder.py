"""The embedded model as a folder is the same model."""

import json

import numpy as np
import pytest

from steer_engine.backends.folder import read_folder
from steer_engine.backends.folder_vocabulary import read_vocabulary
from steer_engine.backends.llamacpp import LlamaCppBackend
from steer_engine.models import embedded_path

pytest.importorskip("gguf")
pytest.importorskip("safetensors")

from safetensors.numpy import load_file

from steer_engine.backends.gguf_folder import write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("folder")
    write_folder(embedded_path(), path / "new")
    return path / "new"


@pytest.fixture(scope="module")
def original():
    backend = LlamaCppBackend(embedded_path(), n_threads=1)
    yield backend
    backend.close()


def test_the_vocabulary_is_the_same(folder, original):
    found = read_vocabulary(read_folder(folder), vocab_size=original.vocabulary.vocab_size)
    expected = original.vocabulary
    assert found.spellings == expected.spellings
    assert found.special_ids == expected.special_ids
    assert (found.eos_ids, found.eos_id) == (expected.eos_ids, expected.eos_id)
    assert found.adds_bos == expected.adds_bos
    for text in ["Maria paid 12.50 €", "naïve 😀\n\n\tx  y", "<|user|>hi<|end|>", '{"a": 1}']:
        for parse_special in (False, True):
            assert found.tokenize(text, parse_special=parse_special) == expected.tokenize(
                text, parse_special=parse_special
            )


def test_what_is_known_of_the_model_is_the_same(folder, original):
    found = read_folder(folder)
    info = found.info(n_params=original.info.n_params, backend="mlx", embedded=True)
    assert found.chat_template == original.chat_template
    assert info.context_length == original.info.context_length
    assert info.architecture == original.info.architecture


def test_all_weights_are_there(folder, original):
    weights = load_file(folder / "model.safetensors")
    assert sum(each.size for each in weights.values()) == original.info.n_params
    n_layers = json.loads((folder / "config.json").read_text())["num_hidden_layers"]
    assert len(weights) == 9 * n_layers + 2
    assert {each.dtype for each in weights.values()} == {np.dtype(np.float32)}
