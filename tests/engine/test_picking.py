"""Which token comes next: sampled first, and checked then."""

import math
from collections import Counter

import numpy as np
import pytest

from steer_engine import Sampling
from steer_engine.backends.fake import FakeBackend
from steer_engine.backtracking import Backtracking
from steer_engine.mask import allocate_mask, allow
from steer_engine.matcher import FreeMatcher
from steer_engine.outlook import Outlook
from steer_engine.picking import Picker
from steer_engine.sampling import greedy, make_sampler, softmax
from steer_engine.steps import Step

VOCABULARY = FakeBackend().vocabulary
N = VOCABULARY.vocab_size
LOGITS = np.full(N, -30.0, dtype=np.float32)
LOGITS[:6] = [2.0, 3.0, 1.0, 2.5, 0.0, 1.5]


class Allowing(FreeMatcher):
    """A matcher that allows some tokens, and counts its masks."""

    def __init__(self, *tokens):
        super().__init__(VOCABULARY)
        self._mask = allocate_mask(N)
        allow(self._mask, frozenset(tokens))
        self.n_masks = 0

    def fill_mask(self, mask):
        self.n_masks += 1
        super().fill_mask(mask)


def picker_of(matcher, sampler=greedy, search=None):
    return Picker(matcher, sampler, search or Backtracking(), vocab_size=N)


def test_drawing_first_draws_each_token_as_often_as_drawing_from_the_mask():
    """Most of what the model likes is forbidden, so that most tokens are drawn twice."""
    allowed, n_draws = [0, 2, 4], 4000
    sampler = make_sampler(Sampling(temperature=0.8, seed=1), row=0)
    picker = picker_of(Allowing(*allowed), sampler)
    outlook = Outlook(LOGITS)
    counts = Counter(picker.pick(outlook, 0, with_mask=False).token for _ in range(n_draws))
    assert counts.keys() == set(allowed)
    for token, prob in zip(allowed, softmax(LOGITS[allowed], temperature=0.8), strict=True):
        assert counts[token] / n_draws == pytest.approx(prob, abs=0.025)


def test_a_favourite_that_is_legal_is_taken_and_a_certain_one_needs_no_mask():
    matcher = Allowing(1, 2)
    pick = picker_of(matcher).pick(Outlook(LOGITS), 0, with_mask=False)
    assert (pick.token, pick.is_overruled) == (1, False)
    assert pick.masked_logprob == pytest.approx(-math.log(1 + math.exp(-2)), abs=1e-3)
    assert matcher.n_masks == 1  # what else is legal decides on its probability
    certain = LOGITS.copy()
    certain[1] = 9.0
    pick = picker_of(matcher).pick(Outlook(certain), 0, with_mask=False)
    assert (pick.token, matcher.n_masks) == (1, 1)
    assert math.exp(pick.masked_logprob) == pytest.approx(1, abs=0.01)


def test_a_favourite_that_is_not_legal_is_overruled():
    pick = picker_of(Allowing(0, 2)).pick(Outlook(LOGITS), 0, with_mask=False)
    assert (pick.token, pick.is_overruled) == (0, True)
    assert pick.masked_logprob == pytest.approx(-math.log(1 + math.exp(-1)), abs=1e-3)


def test_a_legal_token_can_be_drawn_over_a_favourite_that_is_not():
    """Its probability among the legal ones is known also where those are hardly likely at all."""
    logits = LOGITS.copy()
    logits[1] = 60.0
    picker = picker_of(Allowing(10, 11), sampler=lambda logits: 10)
    pick = picker.pick(Outlook(logits), 0, with_mask=False)
    assert pick.is_overruled
    assert pick.masked_logprob == pytest.approx(math.log(0.5), abs=1e-3)


def test_what_was_tried_in_vain_is_not_picked_again():
    search = Backtracking()
    search.take_back([Step(1, b"x", "chosen", "")], 1)
    picker = picker_of(Allowing(1, 2), search=search)
    assert picker.pick(Outlook(LOGITS), 0, with_mask=False).token == 2
    assert picker.pick(Outlook(LOGITS), 1, with_mask=False).token == 1


def test_where_nothing_is_legal_there_is_no_pick():
    assert picker_of(Allowing()).pick(Outlook(LOGITS), 0, with_mask=False) is None
