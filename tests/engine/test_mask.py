import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steer_engine.mask import allocate_mask, allow, allows, apply_mask, unpack_mask

vocab_sizes = st.integers(1, 200)


@st.composite
def masks(draw):
    vocab_size = draw(vocab_sizes)
    tokens = draw(st.frozensets(st.integers(0, vocab_size - 1)))
    mask = allocate_mask(vocab_size)
    allow(mask, tokens)
    return vocab_size, tokens, mask


@given(masks())
def test_a_mask_allows_what_was_put_into_it(case):
    vocab_size, tokens, mask = case
    assert {token for token in range(vocab_size) if allows(mask, token)} == tokens


@given(masks())
def test_unpacking_agrees_with_asking_token_by_token(case):
    vocab_size, tokens, mask = case
    assert set(np.flatnonzero(unpack_mask(mask, vocab_size))) == tokens


@given(masks())
def test_a_forbidden_token_gets_minus_infinity_and_the_rest_keeps_its_logit(case):
    vocab_size, tokens, mask = case
    logits = np.arange(vocab_size, dtype=np.float32)
    masked = apply_mask(logits, mask)
    assert all(masked[token] == logits[token] for token in tokens)
    assert np.isneginf(np.delete(masked, list(tokens))).all()


def test_a_token_beyond_the_mask_is_forbidden():
    assert not allows(allocate_mask(10), 64)
