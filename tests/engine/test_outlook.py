"""The probabilities behind some logits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine.errors import RowError
from steer_engine.mask import pack_mask
from steer_engine.outlook import Outlook
from steer_engine.sampling import softmax

PEAKS = st.sampled_from([0.0, 3.0, 8.0, 15.0, 30.0, 80.0])


def logits_of(seed, peak, n=2000):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=n, scale=2.5).astype(np.float32)
    logits[rng.integers(n)] = peak
    return logits


@given(st.integers(0, 99), PEAKS)
def test_probabilities_are_right_to_a_thousandth(seed, peak):
    logits = logits_of(seed, peak)
    outlook, probs = Outlook(logits), softmax(logits)
    assert outlook.favourite == probs.argmax()
    for token in (outlook.favourite, 0, 1999):
        assert outlook.logprob(token) == pytest.approx(np.log(probs[token]), abs=1e-3)


@given(st.integers(0, 99), PEAKS)
def test_the_share_of_what_a_mask_allows_is_right_to_a_thousandth(seed, peak):
    logits = logits_of(seed, peak)
    outlook = Outlook(logits)
    allowed = np.random.default_rng(seed + 1).random(len(logits)) < 0.4
    allowed[outlook.favourite] = True
    share = softmax(logits)[allowed].sum()
    assert outlook.allowed_share(pack_mask(allowed)) == pytest.approx(share, rel=1e-3)


def test_forbidden_tokens_have_no_probability():
    logits = np.array([1.0, -np.inf, 2.0, -np.inf], dtype=np.float32)
    outlook = Outlook(logits)
    assert outlook.favourite == 2
    assert np.exp(outlook.logprob(0)) + np.exp(outlook.logprob(2)) == pytest.approx(1)
    assert outlook.logprob(1) == -np.inf


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_is_refused_in_one_line(odd):
    logits = logits_of(0, 8.0)
    logits[1500] = odd
    with pytest.raises(RowError, match=r"the model computes (nan|inf) .* another quantization"):
        Outlook(logits)
