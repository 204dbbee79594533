"""Batches: drawn in one process, shared by workers, or drawn by readers."""

from dataclasses import replace
from itertools import islice

import pytest

pytest.importorskip("torch")
pytest.importorskip("tokenizers")

from embedded_training.batching import BatchSource, stream_of

SOURCE = BatchSource(seed="1 0", batch_tokens=4000)


def drawn(source, n_batches, *, n_readers=0):
    return list(islice(stream_of(source, n_readers=n_readers), n_batches))


def rows(batch):
    return {tuple(row) for row in batch.tokens.tolist()}


def test_a_source_draws_the_same_again():
    first, again = drawn(SOURCE, 3), drawn(SOURCE, 3)
    assert [rows(batch) for batch in first] == [rows(batch) for batch in again]
    assert all(2000 < batch.n_tokens <= 4000 for batch in first)


def test_workers_share_each_batch():
    [whole] = drawn(replace(SOURCE, n_workers=2, worker=0), 1)
    [rest] = drawn(replace(SOURCE, n_workers=2, worker=1), 1)
    assert whole.n_tokens == rest.n_tokens
    assert not rows(whole) & rows(rest)


def test_readers_draw_texts_of_their_own():
    batches = drawn(SOURCE, 4, n_readers=2)
    seen = [rows(batch) for batch in batches]
    assert sum(map(len, seen)) == len(set().union(*seen))
