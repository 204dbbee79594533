"""What is cut out of a larger model computes what it computed there."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")
pytest.importorskip("gguf")
pytest.importorskip("tokenizers")

import torch

from embedded_training import pretrained
from embedded_training.network import Network, NetworkShape
from embedded_training.pretrained import SAME_AS, cut
from embedded_training.tokenizer import END, load_tokenizer

OWN = load_tokenizer()
TOKENS = [*SAME_AS.values(), *reversed(OWN.get_vocab())]
LARGE = NetworkShape(vocabulary_size=len(TOKENS), n_layers=2, hidden_width=1024)


@pytest.fixture
def source(monkeypatch):
    """A model of two layers, of which the second has neurons that do nothing."""
    monkeypatch.setattr(pretrained, "LAYERS", (1,))
    monkeypatch.setattr(pretrained, "N_EXAMPLES", 2)
    network = Network(LARGE, seed=1)
    with torch.no_grad():
        network.layers()[1].down[:, 100:484] = 0
        network.output_gain[:] = torch.linspace(0.5, 2, LARGE.width)
    return network


def test_layer_neurons_and_tokens_are_taken_over(source):
    kept = cut(source.state_dict(), LARGE, TOKENS)
    assert kept["blocks.0.down"].shape == (576, 640)
    assert torch.equal(kept["embedding"][END], source.embedding[TOKENS.index("<|im_end|>")])

    small = Network(replace(NetworkShape(), n_layers=1), seed=2)
    small.load_state_dict(kept)
    source.blocks = source.blocks[1:]
    text = OWN.encode("Mara Ito paid 12.50")
    with torch.no_grad():
        there = source(torch.tensor([[TOKENS.index(t) for t in text.tokens]]), dtype=torch.float32)
        here = small(torch.tensor([text.ids]), dtype=torch.float32)
    columns = [TOKENS.index(OWN.id_to_token(i)) for i in range(300, 400)]
    torch.testing.assert_close(here[..., 300:400], there[..., columns], atol=1e-4, rtol=1e-4)
