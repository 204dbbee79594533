"""Starts a network with the circuits that copying needs, so that training only has to refine them.

Copying is: look up where the text has the label that was asked for, take what follows, and go on
until it ends. Gradient descent finds the attention heads for it only after many millions of tokens;
here they are put in by hand.

- Layer 0, heads 0 to 4, look back by 1 to 5 tokens and write a code of the token they see, each
  into a part of the residual stream of its own.
- Layer 1 compares codes. Its copying heads attend to the token that once followed the tokens just
  seen; its looking-up heads attend to what followed a label, where the JSON has that label as key:
  the key's last token is four tokens before the value (``key": "``), and the label's last token
  two or three before it (``label=value``, ``label: value``).
- What layer 1 attends to is written back as it was read, which raises the logit of that token.
"""

import torch
from torch import Tensor

from embedded_training.network import Block, Network, NetworkShape

OFFSETS = (1, 2, 3, 4, 5)
KEY_OFFSET = 4

# What the key heads of layer 1 know of a position, as offsets of the tokens before it, and what
# each query head that shares them looks for. Offset 0 is the token itself.
KEYS = ((1, 2), (3,), (2,), (1, 2, 3))
QUERIES = (((0, 1), None), ((KEY_OFFSET,), None), ((KEY_OFFSET,), None), ((0, 1, 2), None))

CONSTANT = 16.0  # of the embedding's constant channel, in standard deviations of the others
SHARPNESS = 0.6
WRITTEN = 0.15
MATCH = 2.0
COPY = 0.5
NEARBY = 0.3
FAST_TURN = 0.02  # radians a token
SLOW_TURN = 0.01  # radians a token; channels that turn faster cannot compare distant tokens


def prime(network: Network, *, seed: int) -> None:
    """Write the circuits into the first two layers of a new network, in place."""
    generator = torch.Generator().manual_seed(seed)
    shape = network.shape
    n_own = (
        shape.width - len(OFFSETS) * shape.head_width
    )  # the constant channel and the token's own
    code = _directions(shape, n_own, generator)
    places = {
        offset: torch.eye(shape.width)[n_own + index * shape.head_width :][: shape.head_width]
        for index, offset in enumerate(OFFSETS)
    }
    with torch.no_grad():
        network.embedding.mul_((shape.width / n_own) ** 0.5)
        network.embedding[:, n_own:] = 0
        network.embedding[:, 0] = CONSTANT * network.embedding[:, 1:n_own].std()
        first, second, *_ = network.layers()
        _look_back(first, shape, code, places)
        _compare_and_copy(second, shape, code, places, n_own=n_own, generator=generator)


def _directions(shape: NetworkShape, n_own: int, generator: torch.Generator) -> Tensor:
    """Return orthogonal directions of the token's own channels, (head width, width)."""
    rows = torch.zeros(shape.head_width, shape.width)
    rows[:, 1:n_own] = _orthogonal(n_own - 1, generator)[: shape.head_width]
    return rows


def _orthogonal(size: int, generator: torch.Generator) -> Tensor:
    orthogonal: Tensor = torch.linalg.qr(torch.randn(size, size, generator=generator)).Q
    return orthogonal


def _frequencies(shape: NetworkShape) -> Tensor:
    exponents = torch.arange(0, shape.head_width, 2).float() / shape.head_width
    return shape.rope_base**-exponents


def _look_back(block: Block, shape: NetworkShape, code: Tensor, places: dict[int, Tensor]) -> None:
    """Let a head look back by each offset and write the code of what it sees to its place."""
    width, n_shared = shape.head_width, shape.n_heads // shape.n_kv_heads
    value_start = shape.width + shape.n_kv_heads * width
    for head, offset in enumerate(places):
        query = slice(head * width, (head + 1) * width)
        block.qkv[query] = 0
        _add_position(block.qkv[query], shape, offset, SHARPNESS)
        kv_head = head // n_shared
        key = slice(shape.width + kv_head * width, shape.width + (kv_head + 1) * width)
        block.qkv[key] = 0
        _add_position(block.qkv[key], shape, 0, SHARPNESS)
        block.qkv[value_start + kv_head * width : value_start + (kv_head + 1) * width] = code
        block.attention_out[:, query] = places[offset].T * WRITTEN


def _add_position(rows: Tensor, shape: NetworkShape, offset: int, amplitude: float) -> None:
    """Let the constant channel drive the fast channels of a query or a key, turned by an offset.

    Rotary positions then make a score that peaks where the key stands `offset` tokens before the
    query, or that is lowest there if one of the amplitudes is negative.
    """
    frequencies = _frequencies(shape)
    angles = offset * frequencies
    turned = torch.stack((angles.cos(), -angles.sin()), 1)
    rows[:, 0] += (turned * (frequencies > FAST_TURN)[:, None] * amplitude).flatten()


def _compare_and_copy(
    block: Block,
    shape: NetworkShape,
    code: Tensor,
    places: dict[int, Tensor],
    *,
    n_own: int,
    generator: torch.Generator,
) -> None:
    width, n_shared = shape.head_width, shape.n_heads // shape.n_kv_heads
    value_start = shape.width + shape.n_kv_heads * width
    slow = (_frequencies(shape) < SLOW_TURN).repeat_interleave(2).nonzero().flatten()
    for kv_head, (key_offsets, queries) in enumerate(zip(KEYS, QUERIES, strict=True)):
        start = shape.width + kv_head * width
        _read_codes(block.qkv[start : start + width], key_offsets, code, places, slow)
        _add_position(block.qkv[start : start + width], shape, 0, NEARBY)
        seen = _directions(shape, n_own, generator)
        block.qkv[value_start + kv_head * width : value_start + (kv_head + 1) * width] = seen
        for shared, query_offsets in enumerate(queries):
            if query_offsets is None:
                continue
            head = kv_head * n_shared + shared
            columns = slice(head * width, (head + 1) * width)
            _read_codes(block.qkv[columns], query_offsets, code, places, slow)
            block.attention_out[:, columns] = seen.T * COPY
            if KEY_OFFSET in query_offsets:
                # The nearest match is the key in the JSON itself.
                _add_position(block.qkv[columns], shape, 1, -NEARBY)


def _read_codes(
    rows: Tensor, offsets: tuple[int, ...], code: Tensor, places: dict[int, Tensor], slow: Tensor
) -> None:
    """Let the slow channels of a head read the codes of these offsets, some channels for each."""
    rows.zero_()
    share = len(slow) // len(offsets)
    for index, offset in enumerate(offsets):
        channels = slow[index * share : (index + 1) * share]
        source = code * 2.0 if offset == 0 else places[offset]
        rows[channels] = source[:share] * MATCH
