"""Many rows in one model call."""

import json
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import (
    Engine,
    Request,
    RowDone,
    RowFailed,
    Sampling,
    Steps,
    decoding,
    read_schema,
    waiting,
)
from steer_engine import engine as engine_module
from steer_engine.answers import Answer
from steer_engine.backends.fake import FakeBackend
from steer_engine.errors import BackendError, DefectError, RowError
from steer_engine.prompting import Message
from steer_engine.rooms import shared_prefix

SCHEMA = read_schema('name: str, mood: "good" | "bad"')
LONG = "Read the following text closely and answer: "


class Counting(FakeBackend):
    """Notes what every call of the model has to read."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.calls = []

    def forward(self, runs):
        self.calls.append([(run.slot, len(run.tokens)) for run in runs])
        return super().forward(runs)


class Tight(Counting):
    """Has no memory for more than 1,500 tokens."""

    def reserve(self, *, n_tokens, **room):
        if n_tokens > 1500:
            raise BackendError("no memory")
        super().reserve(n_tokens=n_tokens, **room)


class Grained(Counting):
    """Its arithmetic takes four tokens at a time."""

    grain = 4


def requests(texts, *, sampling=Sampling(), max_tokens=300):  # noqa: B008
    return [
        Request(row, (Message("user", LONG + text),), SCHEMA, sampling, max_tokens)
        for row, text in enumerate(texts)
    ]


def answers(backend, asked):
    """Return the text of each finished row, by its number."""
    with Engine(backend) as engine:
        return {e.row: e.text for e in engine.run(asked) if isinstance(e, RowDone)}


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_a_row_is_the_same_in_company_and_alone(temperature):
    sampling = Sampling(temperature=temperature, seed=3)
    asked = requests("abcdefg", sampling=sampling, max_tokens=2000)
    together = answers(Counting(), asked)
    alone = {}
    for request in asked:
        alone |= answers(Counting(), [request])
    assert together == alone
    assert len(together) == 7


def test_a_free_slot_takes_the_next_row_at_once():
    backend = Counting('{"name": "x", "mood": "bad"}')
    answers(backend, requests("abcdefgh" * 4))
    in_use = [len(call) for call in backend.calls[1:]]  # the first call reads what all share
    assert in_use == [16] * len(in_use)  # equal answers: sixteen rows end, sixteen begin
    ragged = Counting()
    answers(ragged, requests("abcdefgh" * 4, max_tokens=1000))
    n_rows = [len(call) for call in ragged.calls[1:]]
    n_full = n_rows.count(16)
    assert n_rows[:n_full] == [16] * n_full  # never fewer as long as rows are waiting


def test_rows_are_taken_as_they_are_needed_and_let_go(monkeypatch):
    taken = []

    class Noted(Answer):
        def __init__(self, request):
            super().__init__(request)
            taken.append(weakref.ref(self))

    monkeypatch.setattr(engine_module, "Answer", Noted)
    n_ahead = []
    with Engine(Counting('{"name": "x", "mood": "bad"}')) as engine:
        run = engine.run(iter(requests("abcdefgh" * 125)))
        assert next(run).n_rows is None
        for n_done, _ in enumerate((e for e in run if isinstance(e, RowDone)), 1):
            n_ahead.append(len(taken) - n_done)
    assert n_done == len(taken) == 1000
    assert max(n_ahead) < 200
    assert not [each for each in taken if each() is not None]


class Clock:
    """Time that passes in calls of the model, and in an iterator, but not else."""

    now, n_taken = 0.0, 0

    def monotonic(self):
        return self.now

    def slow(self, asked, *, seconds):
        for request in asked:
            self.now += seconds
            self.n_taken += 1
            yield request


class Clocked(Counting):
    clock = None

    def forward(self, runs):
        self.clock.now += 0.01
        return super().forward(runs)


@pytest.mark.parametrize(("seconds", "n_most"), [(0.05, 25), (1, 3), (60, 3)])
def test_rows_of_a_slow_iterator_are_answered_as_they_come(monkeypatch, seconds, n_most):
    backend = Clocked('{"name": "x", "mood": "bad"}')
    backend.clock = clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    asked = requests("abcdefgh" * 25)
    with Engine(backend) as engine:
        run = engine.run(clock.slow(asked, seconds=seconds))
        n_since = [clock.n_taken - event.row for event in run if isinstance(event, RowDone)]
    assert len(n_since) == len(asked)
    assert max(n_since) <= n_most
    assert clock.now < 2.2 * seconds * len(asked)


def test_a_long_answer_is_not_held_up_by_a_slow_iterator(monkeypatch):
    backend = Clocked(json.dumps({"name": "x" * 300, "mood": "bad"}))
    backend.clock = clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    with Engine(backend) as engine:
        run = engine.run(clock.slow(requests("abcdef"), seconds=5))
        n_taken = [clock.n_taken for event in run if isinstance(event, RowDone)]
    assert n_taken[0] <= 3


def test_rows_of_a_quick_iterator_are_all_looked_at_ahead(monkeypatch):
    backend = Clocked('{"name": "x", "mood": "bad"}')
    backend.clock = clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    assert len(answers(backend, clock.slow(requests("abcdefgh"), seconds=0.001))) == 8
    assert len(backend.calls[1]) == 8


@pytest.mark.parametrize("place", [0, 20, 150])
def test_after_a_long_row_there_are_as_many_slots_as_before(place):
    class Apart(Counting):
        def best_slots(self, *, n_each, **counts):
            return min(32, 20_000 // n_each)

    wish = '{"name": "x", "mood": "bad"}'
    texts = [*"abcdefgh" * 38]
    without, among = (Apart(wish, context_length=20_000) for _ in range(2))
    answers(without, requests(texts))
    texts.insert(place, "x" * 6000)
    assert len(answers(among, requests(texts))) == 305
    assert max(map(len, without.calls)) == max(map(len, among.calls[-60:])) == 32
    assert len(among.calls) < 2.5 * len(without.calls) + 10


def test_an_odd_prompt_does_not_stop_the_sharing_for_all_behind_it():
    texts = ["a" * 20 for _ in range(300)]
    odd = replace(requests(["b"])[0], messages=(Message("user", "Quite another"),))
    asked = [replace(each, row=row) for row, each in enumerate([odd, *requests(texts)])]
    backend = Counting('{"name": "x", "mood": "bad"}')
    assert len(answers(backend, asked)) == 301
    n_read = [n for call in backend.calls[len(backend.calls) // 2 :] for _, n in call]
    assert max(n_read) < len(LONG)


def test_later_rows_may_share_less_and_be_longer():
    texts = ["a" * 20 for _ in range(300)]
    asked = requests(texts)
    odd = Request(300, (Message("user", "Quite another prompt " + "b" * 3000),), SCHEMA)
    short = replace(asked[0], row=301, messages=(Message("user", LONG[:20]),))
    backend = Counting('{"name": "x", "mood": "bad"}')
    backend.max_cached_tokens = 6000
    done = answers(backend, iter([*asked, odd, short]))
    assert len(done) == 302


def test_a_row_whose_memory_is_refused_fails_alone():
    with Engine(Tight('{"name": "x", "mood": "bad"}')) as engine:
        events = [*engine.run(requests(["a", "x" * 2000, "b"]))]
    assert [event.row for event in events if isinstance(event, RowDone)] == [0, 2]
    assert [event.row for event in events if isinstance(event, RowFailed)] == [1]


def test_rows_that_are_refused_do_not_take_those_behind_them_along():
    asked = [*requests(["x" * 2000] * 300), replace(requests(["y"])[0], row=300)]
    backend = Tight('{"name": "x", "mood": "bad"}')
    with Engine(backend) as engine:
        events = [*engine.run(iter(asked))]
    assert [event.row for event in events if isinstance(event, RowDone)] == [300]
    assert len([event for event in events if isinstance(event, RowFailed)]) == 300


def test_rows_wait_for_room_in_memory():
    backend = Counting('{"name": "x", "mood": "bad"}')
    backend.max_cached_tokens = 1000
    assert len(answers(backend, requests("abcdefgh", max_tokens=300))) == 8
    assert max(len(call) for call in backend.calls) == 3


def test_what_all_prompts_begin_with_is_read_once():
    backend = Counting()
    answers(backend, requests("abc"))
    [(_, n_shared)] = backend.calls[0]
    assert n_shared >= len(LONG) - 8  # some of its tokens are longer than a byte
    n_rest = [n_tokens for call in backend.calls[1:] for _, n_tokens in call]
    assert max(n_rest) < n_shared


def test_slots_keep_step_where_the_arithmetic_takes_several_tokens_at_a_time():
    asked, grained = requests("abcdefg", max_tokens=2000), Grained()
    assert answers(grained, asked) == answers(Counting(), asked)
    sizes = [[n for _, n in call] for call in grained.calls[1:]]
    in_step = [n for call in sizes if len(call) >= 4 for n in call]
    assert in_step.count(1) > 50
    assert all(n > 16 and n % 4 == 1 for n in in_step if n != 1)
    assert any(1 < n <= 16 for call in sizes if len(call) < 4 for n in call)


def test_events_of_rows_are_interleaved_and_each_row_ends_once():
    with Engine(Counting()) as engine:
        events = list(engine.run(requests("abcd")))
    rows = [event.row for event in events if isinstance(event, Steps)]
    assert rows != sorted(rows)
    assert sorted(e.row for e in events if isinstance(e, RowDone)) == [0, 1, 2, 3]


def test_a_row_that_fails_leaves_the_others_alone():
    asked = requests(["a", "b" * 5000, "c"])
    with Engine(Counting()) as engine:
        events = list(engine.run(asked))
    [failed] = [event for event in events if isinstance(event, RowFailed)]
    assert failed.row == 1
    assert sorted(e.row for e in events if isinstance(e, RowDone)) == [0, 2]


def test_a_defect_in_one_row_leaves_the_others_alone(monkeypatch):
    calls = []

    def broken_once(self, logits):
        calls.append(logits)
        if len(calls) == 7:
            raise DefectError("a promise was broken")
        return choose(self, logits)

    choose = decoding._Decoder.choose
    monkeypatch.setattr(decoding._Decoder, "choose", broken_once)
    with Engine(Counting()) as engine:
        events = list(engine.run(requests("abcd")))
    [failed] = [event for event in events if isinstance(event, RowFailed)]
    assert "a promise was broken" in str(failed.error)
    assert len([event for event in events if isinstance(event, RowDone)]) == 3


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_a_row_without_numbers_leaves_the_others_alone(temperature):
    class Overflowing(Counting):
        def forward(self, runs):
            logits = super().forward(runs)
            for run, rows in zip(runs, logits, strict=True):
                rows[:] = np.nan if run.slot == 2 and len(self.calls) > 6 else rows
            return logits

    sampling = Sampling(temperature=temperature)
    with Engine(Overflowing()) as engine:
        events = list(engine.run(requests("abcd", sampling=sampling)))
    [failed] = [event for event in events if isinstance(event, RowFailed)]
    assert (failed.row, type(failed.error)) == (2, RowError)
    assert len([event for event in events if isinstance(event, RowDone)]) == 3


@pytest.mark.parametrize("kind", [BackendError, DefectError])
def test_a_model_that_breaks_fails_every_row_that_has_not_ended(kind):
    class Breaking(Counting):
        def forward(self, runs):
            if len(self.calls) == 5:
                raise kind("the card fell out")
            return super().forward(runs)

    with Engine(Breaking()) as engine:
        events = list(engine.run(requests("abcdef")))
    failed = [event for event in events if isinstance(event, RowFailed)]
    assert [event.row for event in failed] == [0, 1, 2, 3, 4, 5]
    assert "fell out" in str(failed[0].error)


@given(st.lists(st.lists(st.integers(0, 2), min_size=1), min_size=2))
def test_the_shared_prefix_begins_every_prompt_and_leaves_each_a_token(prompts):
    common = [1] * 20
    shared = shared_prefix([common + prompt for prompt in prompts])
    assert shared[:20] == common
    for prompt in prompts:
        assert (common + prompt)[: len(shared)] == shared
        assert len(shared) < len(common + prompt)


def test_one_row_shares_nothing():
    assert shared_prefix([[1] * 50]) == []
