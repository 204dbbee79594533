"""The network against a plain implementation of the same model."""

import pytest

pytest.importorskip("torch")

import torch
from torch.nn import functional

from embedded_training.network import Network, NetworkShape

SMALL = NetworkShape(
    vocabulary_size=50, width=32, n_layers=2, n_heads=4, n_kv_heads=2, hidden_width=48
)


def plain_logits(network, tokens):
    """The model in as few words as possible, with torch's own attention and gradients."""
    shape = network.shape

    def norm(x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + shape.norm_epsilon)

    def rotated(x):  # (heads, tokens, head width)
        exponents = torch.arange(0, shape.head_width, 2).double() / shape.head_width
        angles = torch.arange(x.shape[1])[:, None] * shape.rope_base**-exponents
        even, odd, cos, sin = x[..., ::2], x[..., 1::2], angles.cos(), angles.sin()
        return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)

    def heads(x, count):
        return x.view(len(tokens), count, shape.head_width).transpose(0, 1)

    x = network.embedding[tokens]
    for block in network.layers():
        q, k, v = (norm(x) @ block.qkv.T).split(list(shape.qkv_widths), -1)
        q, k, v = heads(q, shape.n_heads), heads(k, shape.n_kv_heads), heads(v, shape.n_kv_heads)
        shared = shape.n_heads // shape.n_kv_heads
        k, v = (y.repeat_interleave(shared, 0) for y in (rotated(k), v))
        attended = functional.scaled_dot_product_attention(
            rotated(q).to(v.dtype), k.to(v.dtype), v, is_causal=True
        )
        x = x + attended.transpose(0, 1).flatten(1) @ block.attention_out.T
        gate, up = (norm(x) @ block.gate_up.T).chunk(2, -1)
        x = x + (functional.silu(gate) * up) @ block.down.T
    return (norm(x) * network.output_gain) @ network.embedding.T


@pytest.fixture
def network():
    network = Network(SMALL, seed=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(std=0.2, generator=torch.Generator().manual_seed(2))
        network.output_gain.uniform_(0.5, 2, generator=torch.Generator().manual_seed(3))
    return network


@pytest.mark.parametrize("n_tokens", [7, 32, 128])
def test_logits_equal_the_plain_ones(network, n_tokens):
    tokens = torch.arange(n_tokens) * 7 % SMALL.vocabulary_size
    logits = network(tokens[None], dtype=torch.float32)[0]
    torch.testing.assert_close(logits, plain_logits(network, tokens), atol=1e-3, rtol=1e-3)


def test_gradients_equal_the_plain_ones(network):
    tokens = torch.arange(64) * 7 % SMALL.vocabulary_size
    gradients = []
    for logits in (network(tokens[None], dtype=torch.float32)[0], plain_logits(network, tokens)):
        network.zero_grad()
        functional.cross_entropy(logits[:-1], tokens[1:]).backward()
        gradients.append([weight.grad.clone() for weight in network.parameters()])
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain, atol=1e-4, rtol=1e-2)


def test_only_the_kept_places_are_computed_and_alike(network):
    tokens = (torch.arange(64) * 7 % SMALL.vocabulary_size).view(2, 32)
    every = network(tokens, dtype=torch.float32).flatten(0, 1)
    kept = torch.tensor([3, 31, 40])
    torch.testing.assert_close(network(tokens, dtype=torch.float32, kept=kept), every[kept])
