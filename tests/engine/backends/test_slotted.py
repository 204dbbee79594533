"""Runs become blocks; what all backends promise is in test_contract.py."""

import zlib

import numpy as np
import pytest

from steer_engine import ModelError
from steer_engine.backends import ModelInfo, Run
from steer_engine.backends.probing import choose_network
from steer_engine.backends.replaying import with_trim
from steer_engine.backends.row_by_row import RowNetwork
from steer_engine.backends.slotted import CHUNK, SlottedBackend
from steer_engine.errors import BackendError
from steer_engine.vocabulary import Vocabulary

VOCAB_SIZE = 50
INFO = ModelInfo("table", "", "table", "none", 0, 0, 4096, embedded=False, fingerprint="")
VOCABULARY = Vocabulary(
    spellings=(b"x",) * VOCAB_SIZE,
    eos_ids=frozenset({0}),
    special_ids=frozenset({0}),
    eos_id=0,
    tokenize_bytes=lambda text, parse_special: [1] * len(text),
)


def logits_behind(tokens):
    seed = zlib.crc32(np.asarray(tokens, dtype=np.int32).tobytes())
    return np.random.default_rng(seed).normal(size=VOCAB_SIZE).astype(np.float32)


class TableNetwork:
    """Its logits are a fixed function of the tokens that a slot holds.

    It keeps them in a table, as real networks keep keys and values.
    """

    can_trim = True

    def __init__(self, *, max_rows=4, free_width=1):
        self.max_rows, self.free_width = max_rows, free_width
        self.widths = []  # of every block, once for each of its rows

    def reserve(self, n_slots):
        self.table = np.full((n_slots, 4096), -1)

    def compute(self, block):
        n_rows, width = block.tokens.shape
        self.widths.append([width] * n_rows)
        logits = np.empty((n_rows, len(block.columns), VOCAB_SIZE), dtype=np.float32)
        for row, (slot, start) in enumerate(zip(block.slots, block.starts, strict=True)):
            self.table[slot, start : start + width] = block.tokens[row]
            for i, column in enumerate(block.columns):
                logits[row, i] = logits_behind(self.table[slot, : start + column + 1])
        return logits

    def copy(self, source, target, n_tokens):
        self.table[target, :n_tokens] = self.table[source, :n_tokens]


def slotted(network, *, n_slots=4, n_tokens=4096):
    backend = with_trim(
        SlottedBackend(
            network, vocabulary=VOCABULARY, info=INFO, chat_template=None, max_cached_tokens=1000
        )
    )
    backend.reserve(n_slots=n_slots, n_tokens=n_tokens)
    return backend


def row_by_row(calls=None):
    def call(tokens, cache, n_logits):
        cache += tokens
        if calls is not None:
            calls.append(len(tokens))
        ends = range(len(cache) - n_logits + 1, len(cache) + 1)
        return np.array([logits_behind(cache[:end]) for end in ends])

    return RowNetwork(list, call)


@pytest.mark.parametrize("make_network", [TableNetwork, row_by_row])
def test_a_random_story_of_runs_trims_and_forks(make_network):
    random = np.random.default_rng(7)
    backend, slots = slotted(make_network()), [[] for _ in range(4)]
    for _ in range(300):
        slot, other = random.choice(4, 2, replace=False)
        match random.integers(3):
            case 0:
                n_tokens = random.integers(len(slots[slot]) + 1)
                backend.trim(slot, n_tokens)
                slots[slot] = slots[slot][: len(slots[slot]) - n_tokens]
            case 1:
                n_tokens = random.integers(len(slots[slot]) + 1)
                backend.fork(slot, other, n_tokens)
                slots[other] = slots[slot][:n_tokens]
        asked = random.permutation(4)[: random.integers(1, 5)]
        new = [random.integers(VOCAB_SIZE, size=random.integers(1, 6)).tolist() for _ in asked]
        n_logits = [int(random.integers(len(tokens) + 1)) for tokens in new]
        found = backend.forward(list(map(Run, asked, new, n_logits)))
        for slot, tokens, n, logits in zip(asked, new, n_logits, found, strict=True):
            slots[slot] = slots[slot] + tokens
            ends = range(len(slots[slot]) - n + 1, len(slots[slot]) + 1)
            assert len(logits) == n
            for end, row in zip(ends, logits, strict=True):
                assert np.array_equal(row, logits_behind(slots[slot][:end]))


def test_runs_of_similar_length_share_a_call():
    network = TableNetwork()
    lengths = [1, 6, 1, 5]
    slotted(network).forward([Run(slot, [1] * n) for slot, n in enumerate(lengths)])
    assert network.widths == [[6, 6], [1, 1]]
    network = TableNetwork(free_width=8)
    slotted(network).forward([Run(slot, [1] * n) for slot, n in enumerate(lengths)])
    assert network.widths == [[6] * 4]


def test_a_call_has_as_many_rows_and_tokens_as_it_may():
    network = TableNetwork(max_rows=3)
    slotted(network).forward([Run(slot, [1]) for slot in range(4)])
    assert network.widths == [[1] * 3, [1]]
    network = TableNetwork(max_rows=99)
    slotted(network, n_slots=6).forward([Run(slot, [1] * 500) for slot in range(6)])
    assert network.widths == [[500] * 4, [500] * 2]


@pytest.mark.parametrize("n_logits", [0, 1, 300, 1100])
def test_a_long_run_is_computed_in_parts(n_logits):
    network = TableNetwork()
    tokens = [i % VOCAB_SIZE for i in range(1100)]
    [logits] = slotted(network).forward([Run(2, tokens, n_logits)])
    assert network.widths == [[512], [512], [76]]
    ends = range(1101 - n_logits, 1101)
    assert np.array_equal(
        logits, np.array([logits_behind(tokens[:end]) for end in ends]).reshape(-1, VOCAB_SIZE)
    )


def test_logits_beyond_the_vocabulary_are_cut_off():
    class Longer(TableNetwork):
        def compute(self, block):
            return np.pad(super().compute(block), [(0, 0), (0, 0), (0, 9)])

    [logits] = slotted(Longer()).forward([Run(0, [1])])
    assert logits.shape == (1, VOCAB_SIZE)


def test_more_slots_are_better_while_there_is_memory():
    assert slotted(TableNetwork(max_rows=8)).best_slots(n_read=50, n_written=50, n_each=100) == 8
    assert slotted(TableNetwork(max_rows=64)).best_slots(n_read=50, n_written=50, n_each=100) == 10
    sharing = slotted(TableNetwork(max_rows=64))
    assert sharing.best_slots(n_read=50, n_written=50, n_each=200, n_shared=100) == 4
    assert slotted(TableNetwork()).best_slots(n_read=5000, n_written=50, n_each=5050) == 1
    assert slotted(row_by_row()).best_slots(n_read=50, n_written=50, n_each=100) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("out of memory\n  in layer 3"), r"\(out of memory\)"),
        (MemoryError(), "MemoryErr"),
    ],
)
def test_an_error_of_the_library_is_one_line_of_ours(error, reason):
    class Failing(TableNetwork):
        def compute(self, block):
            raise error

    with pytest.raises(BackendError, match=rf"{reason}.*; use a smaller max_tokens"):
        slotted(Failing()).forward([Run(0, [1])])


def test_a_closed_model_is_an_error():
    backend = slotted(TableNetwork())
    backend.close()
    with pytest.raises(BackendError, match="closed; open it again"):
        backend.forward([Run(0, [1])])
    with pytest.raises(BackendError, match="closed; open it again"):
        backend.reserve(n_slots=1, n_tokens=8)


def test_cutting_is_offered_only_where_it_costs_nothing():
    assert slotted(TableNetwork()).can_trim
    assert not slotted(row_by_row()).can_trim


def test_tokens_are_computed_again_only_where_a_cache_holds_too_many():
    calls = []
    backend = slotted(row_by_row(calls))
    backend.forward([Run(0, [1, 2, 3], n_logits=0)])
    backend.fork(0, 1, 3)
    backend.forward([Run(1, [4]), Run(0, [5])])
    backend.trim(0, 2)
    backend.forward([Run(0, [6])])
    backend.fork(0, 2, 1)
    backend.forward([Run(2, [7])])
    assert calls == [3, 1, 1, 3, 2]


def test_a_long_slot_is_computed_again_in_pieces():
    calls = []
    backend = slotted(row_by_row(calls))
    backend.reserve(n_slots=1, n_tokens=2 * CHUNK)
    tokens = [n % 50 for n in range(CHUNK + 9)]
    [expected] = backend.forward([Run(0, tokens, n_logits=3)])
    backend.trim(0, 7)
    calls.clear()
    [again] = backend.forward([Run(0, tokens[-7:], n_logits=3)])
    assert np.array_equal(again, expected)
    assert calls == [CHUNK, 9]


def test_after_an_interrupted_call_slots_can_be_reserved_anew():
    def call(tokens, cache, n_logits):
        cache += tokens
        if tokens == [13]:
            raise KeyboardInterrupt
        return np.array([logits_behind(cache)])

    backend = slotted(RowNetwork(list, call))
    backend.forward([Run(0, [1, 2])])
    with pytest.raises(KeyboardInterrupt):
        backend.forward([Run(0, [13])])
    backend.reserve(n_slots=1, n_tokens=9)
    [logits] = backend.forward([Run(0, [3])])
    assert np.array_equal(logits[0], logits_behind([3]))


class Deaf(TableNetwork):
    """Takes the second row's logits from the first's slot: a mask that was misread."""

    def compute(self, block):
        logits = super().compute(block)
        logits[1:] = logits[:1]
        return logits


class Refusing(TableNetwork):
    """Fails with more than one row."""

    def compute(self, block):
        if len(block.slots) > 1:
            raise TypeError("an array is no int")
        return super().compute(block)


@pytest.mark.parametrize("kind", [None, TableNetwork, Deaf, Refusing])
def test_rows_are_computed_together_only_where_that_is_known_to_be_right(kind):
    batched, plain = kind and kind(), row_by_row()
    chosen, vocab_size = choose_network(batched, plain)
    assert vocab_size == VOCAB_SIZE
    assert chosen is (batched if kind is TableNetwork else plain)


def test_a_model_that_cannot_be_computed_is_refused():
    def call(tokens, cache, n_logits):
        raise IndexError("index out\nof range")

    with pytest.raises(ModelError, match=r"cannot be computed \(index out of range\)"):
        choose_network(None, RowNetwork(list, call))
