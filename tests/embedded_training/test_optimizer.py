"""The optimiser: steps lower the loss, and a stored state goes on as if nothing had happened."""

import copy

import pytest

pytest.importorskip("torch")

import torch
from torch.nn import functional

from embedded_training.network import Network, NetworkShape
from embedded_training.optimizer import LearningRates, Optimizer

SHAPE = NetworkShape(
    vocabulary_size=40, width=32, n_layers=1, n_heads=4, n_kv_heads=2, hidden_width=48
)
TOKENS = torch.arange(33) * 3 % 40


def step(network, optimizer):
    network.zero_grad()
    logits = network(TOKENS[None, :-1], dtype=torch.float32)[0]
    loss = functional.cross_entropy(logits, TOKENS[1:])
    loss.backward()
    optimizer.step(1.0)
    return loss.item()


def test_steps_lower_the_loss():
    network = Network(SHAPE, seed=1)
    optimizer = Optimizer(network, LearningRates())
    losses = [step(network, optimizer) for _ in range(40)]
    assert losses[-1] < losses[0] / 2


def test_a_stored_state_goes_on_alike():
    network = Network(SHAPE, seed=1)
    optimizer = Optimizer(network, LearningRates())
    step(network, optimizer)
    twin = copy.deepcopy(network)
    twin_optimizer = Optimizer(twin, LearningRates())
    twin_optimizer.load_state(copy.deepcopy(optimizer.state()))
    step(network, optimizer)
    step(twin, twin_optimizer)
    for ours, stored in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, stored)


def test_a_step_without_gradients_is_refused():
    with pytest.raises(RuntimeError, match="backward"):
        Optimizer(Network(SHAPE, seed=1), LearningRates()).step(1.0)
