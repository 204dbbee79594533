"""The written files say what a runtime has to know."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("gguf")
pytest.importorskip("safetensors")

import gguf
import torch

from embedded_training.asking import Example
from embedded_training.export import (
    CHAT_TEMPLATE,
    blended,
    half_split,
    read_gguf,
    write_gguf,
    write_hugging_face,
)
from embedded_training.layout import prompt_tokens
from embedded_training.network import Network, NetworkShape
from embedded_training.tokenizer import END, SPECIALS, load_tokenizer, make_encoder
from steer_engine import compose, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.prompting import ChatLayout

SHAPE = NetworkShape(width=64, n_layers=1, n_heads=2, n_kv_heads=1, hidden_width=64)


@pytest.fixture(scope="module")
def weights():
    return {name: tensor.detach() for name, tensor in Network(SHAPE, seed=1).state_dict().items()}


def test_the_gguf_file_names_template_tokens_and_length(tmp_path, weights):
    path = tmp_path / "tiny.gguf"
    write_gguf(path, SHAPE, weights, quantization="F16")
    fields = gguf.GGUFReader(path).fields
    assert fields["tokenizer.chat_template"].contents() == CHAT_TEMPLATE
    assert fields["tokenizer.ggml.eos_token_id"].contents() == END
    assert fields["llama.context_length"].contents() == 2048
    kinds = fields["tokenizer.ggml.token_type"].contents()
    tokens = fields["tokenizer.ggml.tokens"].contents()
    control = {token for token, kind in zip(tokens, kinds, strict=True) if kind == 3}
    assert control == set(SPECIALS)


def test_the_template_lays_out_what_the_model_was_trained_on():
    tokenizer = load_tokenizer()
    asked = Example("Two nights", {"type": "integer"}, 2)
    tokens = prompt_tokens(asked, make_encoder(tokenizer))
    layout = ChatLayout(CHAT_TEMPLATE, FakeBackend().vocabulary)
    text = layout.render(compose(asked.prompt, read_schema(asked.schema)))
    assert text == tokenizer.decode(tokens, skip_special_tokens=False)


def test_no_unfinished_file_is_left(tmp_path, weights):
    write_gguf(tmp_path / "tiny.gguf", SHAPE, weights, quantization="Q8_0")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.gguf"]


def test_a_share_of_other_weights_is_mixed_in(tmp_path, weights):
    path = tmp_path / "tiny.gguf"
    others = {name: tensor.detach() for name, tensor in Network(SHAPE, seed=2).state_dict().items()}
    write_gguf(path, SHAPE, others, quantization="F32")
    mixed = blended(weights, read_gguf(path), 0.25)
    assert mixed.keys() == weights.keys()
    for name, tensor in mixed.items():
        assert torch.allclose(tensor, 0.75 * weights[name] + 0.25 * others[name], atol=1e-5)


def test_the_hugging_face_folder_is_a_llama(tmp_path, weights):
    write_hugging_face(tmp_path, SHAPE, weights)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "llama"
    assert config["tie_word_embeddings"]
    assert (tmp_path / "model.safetensors").stat().st_size > 0


def test_reordered_rows_give_the_same_scores_under_half_split_rotation():
    """Hugging Face turns channel i together with i + half, this network with its neighbour."""
    generator = torch.Generator().manual_seed(1)
    width, half = SHAPE.head_width, SHAPE.head_width // 2
    query, key = torch.randn(2, width, SHAPE.width, generator=generator)
    x, y = torch.randn(2, SHAPE.width, generator=generator)
    angles = 5 * SHAPE.rope_base ** (-torch.arange(half) / half)
    turns = torch.polar(torch.ones(half), angles)

    def neighbours(vector):
        return torch.view_as_real(torch.view_as_complex(vector.view(half, 2)) * turns).flatten()

    def halves(vector):
        first, second = vector.chunk(2)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((first * cos - second * sin, second * cos + first * sin))

    ours = neighbours(query @ x) @ (key @ y)
    theirs = halves(half_split(query, 1) @ x) @ (half_split(key, 1) @ y)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-4)
