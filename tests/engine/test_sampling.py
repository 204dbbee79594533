import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import Sampling, SamplingError
from steer_engine.sampling import NarrowingSampler, draw, greedy, make_sampler, softmax

LOGITS = np.array([0.0, 3.0, -np.inf, 2.0, 1.0], dtype=np.float32)
finite_logits = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=50).map(
    lambda values: np.array(values, dtype=np.float32)
)


def draws(n=300, **options):
    sampler = make_sampler(Sampling(**options), row=0)
    return [sampler(LOGITS) for _ in range(n)]


def test_temperature_zero_is_greedy_and_the_lowest_id_wins_a_tie():
    assert make_sampler(Sampling(), row=3) is greedy
    assert greedy(np.array([1.0, 2.0, 2.0], dtype=np.float32)) == 1


def test_the_same_seed_and_row_draw_the_same_tokens():
    assert draws(temperature=1.5, seed=7) == draws(temperature=1.5, seed=7)
    assert draws(temperature=1.5, seed=7) != draws(temperature=1.5, seed=8)


def test_rows_of_one_run_draw_differently():
    first, second = (make_sampler(Sampling(temperature=2.0), row=row) for row in (0, 1))
    assert [first(LOGITS) for _ in range(50)] != [second(LOGITS) for _ in range(50)]


def test_a_forbidden_token_is_never_drawn():
    assert set(draws(temperature=5.0)) == {0, 1, 3, 4}


def test_draws_follow_the_probabilities():
    share = draws(n=4000, temperature=1.0).count(1) / 4000
    assert share == pytest.approx(softmax(LOGITS)[1], abs=0.03)


def test_top_p_keeps_the_token_that_crosses_the_line():
    # softmax: 0.03 0.64 0 0.24 0.09
    assert set(draws(temperature=1.0, top_p=0.5)) == {1}
    assert set(draws(temperature=1.0, top_p=0.7)) == {1, 3}


def test_min_p_is_relative_to_the_best_token():
    assert set(draws(temperature=1.0, min_p=0.3)) == {1, 3}


@given(finite_logits)
def test_softmax_makes_probabilities_that_sum_to_one(logits):
    assert softmax(logits).sum() == pytest.approx(1)


class Numbers:
    """A generator of the random numbers that it is given."""

    def __init__(self, *numbers):
        self.numbers = [*numbers]

    def random(self):
        return self.numbers.pop(0)


def test_a_token_that_is_hardly_likely_can_still_be_drawn():
    """Only the likely tokens are looked at first; the rest of the probability is not lost."""
    logits = np.zeros(1000, dtype=np.float32)
    logits[7] = 20.0
    in_all = 1 + 1e-3
    share = 999 * math.exp(-20)  # of the others
    assert draw(logits, temperature=1.0, rng=Numbers(0.5)) == 7
    assert draw(logits, temperature=1.0, rng=Numbers((1 + 0.25 * share) / in_all)) == 250
    assert draw(logits, temperature=1.0, rng=Numbers((1 + 0.9995 * share) / in_all)) == 999
    beyond = (1 + 2 * share) / in_all
    assert draw(logits, temperature=1.0, rng=Numbers(beyond, 0.0)) == 7


@pytest.mark.parametrize("temperature", [1e-300, 1e-3, 1e6, 1e300])
def test_every_temperature_has_a_draw(temperature):
    rng = np.random.default_rng(0)
    found = {draw(LOGITS, temperature=temperature, rng=rng) for _ in range(200)}
    assert found == ({1} if temperature < 1 else {0, 1, 3, 4})


def test_only_a_sampler_that_keeps_the_best_tokens_has_to_know_what_is_forbidden():
    kinds = [
        isinstance(make_sampler(sampling, row=0), NarrowingSampler)
        for sampling in (
            Sampling(),
            Sampling(temperature=1.0),
            Sampling(temperature=1.0, top_p=0.9),
            Sampling(temperature=1.0, min_p=0.1),
            Sampling(top_p=0.9),  # greedy
        )
    ]
    assert kinds == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, "temperature must be 0 or more"),
        ({"temperature": math.nan}, "temperature must be 0 or more"),
        ({"top_p": 0}, "top_p must be above 0"),
        ({"min_p": 1}, "min_p must be at least 0"),
        ({"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_a_parameter_out_of_range_is_refused(options, message):
    with pytest.raises(SamplingError, match=message):
        Sampling(**options)
