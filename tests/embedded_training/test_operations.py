"""The kernels for CPUs compute what PyTorch's own operations do, and their gradients."""

import pytest

pytest.importorskip("torch")

import torch

from embedded_training import operations
from embedded_training.network import NetworkShape, rotary_turns

SHAPE = NetworkShape()
NARROW = NetworkShape(width=256, n_heads=8, n_kv_heads=4)


def attend(qkv, shape=SHAPE):
    turns = rotary_turns(shape, qkv.shape[1], qkv.device)
    return operations.attend(qkv, turns, shape.n_heads, shape.n_kv_heads)


def attend_with_narrow_heads(qkv):
    return attend(qkv, NARROW)


def branch(x):
    beside, normal = operations.branch(x, SHAPE.norm_epsilon)
    return beside + 2 * normal


def cross_entropy(logits):
    return operations.cross_entropy(logits, torch.arange(len(logits)) * 7 % logits.shape[1])


OPERATIONS = {
    "one block of attention": (attend, (1, 32, sum(SHAPE.qkv_widths))),
    "attention over a broken block": (attend, (2, 77, sum(SHAPE.qkv_widths))),
    "attention over many blocks": (attend, (2, 320, sum(SHAPE.qkv_widths))),
    "attention with two queries a key": (
        attend_with_narrow_heads,
        (1, 65, sum(NARROW.qkv_widths)),
    ),
    "norm": (branch, (2, 5, SHAPE.width)),
    "gated activation": (operations.swiglu, (2, 5, 2 * SHAPE.hidden_width)),
    "loss": (cross_entropy, (9, SHAPE.vocabulary_size)),
}


def result_and_gradient(operation, x):
    x = x.clone().requires_grad_()
    result = operation(x)
    weights = torch.randn(result.shape, generator=torch.Generator().manual_seed(2))
    (result.float() * weights).sum().backward()
    return result.float(), x.grad.float()


@pytest.mark.parametrize(("operation", "sizes"), OPERATIONS.values(), ids=OPERATIONS.keys())
def test_kernels_agree_with_float32(operation, sizes):
    if not operations.kernels_run_here():
        pytest.skip("the processor has no products of bfloat16")
    x = torch.randn(sizes, generator=torch.Generator().manual_seed(1)).bfloat16()
    exact = result_and_gradient(operation, x.float())
    for ours, plain in zip(result_and_gradient(operation, x), exact, strict=True):
        torch.testing.assert_close(ours, plain, atol=0.03, rtol=0.02)


@pytest.mark.parametrize(("operation", "sizes"), OPERATIONS.values(), ids=OPERATIONS.keys())
def test_results_are_the_same_each_time(operation, sizes):
    x = torch.randn(sizes, generator=torch.Generator().manual_seed(1)).bfloat16()
    first, again = result_and_gradient(operation, x), result_and_gradient(operation, x)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))


def test_no_position_sees_a_later_one():
    x = torch.randn(1, 96, sum(SHAPE.qkv_widths), generator=torch.Generator().manual_seed(1))
    changed = x.clone()
    changed[:, 50:] = 3.0
    before, after = attend(x.bfloat16()), attend(changed.bfloat16())
    assert torch.equal(before[:, :50], after[:, :50])
    assert not torch.equal(before[:, 50:], after[:, 50:])


@pytest.mark.parametrize(
    "call",
    [
        lambda kernels: kernels.normalize(torch.ones(3, 24).bfloat16(), 1e-5),
        lambda kernels: kernels.swiglu(torch.ones(3, 48).bfloat16()),
        lambda kernels: kernels.cross_entropy(torch.ones(2, 32).bfloat16(), torch.tensor([0, 32])),
        lambda kernels: kernels.cross_entropy(
            torch.ones(2, 32).bfloat16(), torch.tensor([0, 9, 1])[::2]
        ),
        lambda kernels: kernels.attention(torch.ones(1, 4, 64).bfloat16(), torch.ones(4, 16), 2, 1),
    ],
)
def test_kernels_refuse_what_they_cannot_take(call):
    if not operations.kernels_run_here():
        pytest.skip("the processor has no products of bfloat16")
    with pytest.raises(RuntimeError, match="must be"):
        call(operations.kernels())


@pytest.mark.parametrize("sizes", [(32, 16), (77, 48), (1024, 960), (5, 16)])
def test_a_matrix_is_transposed_exactly(sizes):
    if not operations.kernels_run_here():
        pytest.skip("the processor has no products of bfloat16")
    x = torch.randn(sizes, generator=torch.Generator().manual_seed(1)).bfloat16()
    assert torch.equal(operations.kernels().transposed(x), x.T)
