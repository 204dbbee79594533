"""Drafts make calls fewer and wider, and change no answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import Engine, Request, RowDone, Sampling, drafting, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.drafting import Drafting, Lookup
from steer_engine.prompting import Message

SCHEMA = read_schema('title: str, mood: "good" | "bad", notes: list[str]')
TITLE = "The quick brown fox jumps over the lazy dog"


class Wide(FakeBackend):
    """A backend on which width costs nothing, which counts its calls."""

    is_memory_bound = True

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.n_calls = 0
        self.widest = 0

    def forward(self, runs):
        self.n_calls += 1
        self.widest = max(self.widest, *(run.n_logits for run in runs))
        return super().forward(runs)


def answers(backend, texts, *, sampling, max_tokens=400):
    asked = [
        Request(row, (Message("user", text),), SCHEMA, sampling, max_tokens)
        for row, text in enumerate(texts)
    ]
    with Engine(backend) as engine:
        return {e.row: (e.text, e.confidence) for e in engine.run(asked) if isinstance(e, RowDone)}


def free(monkeypatch, cost=0.0):
    monkeypatch.setattr(drafting, "_cost_of_width", lambda backend: cost)


@pytest.mark.parametrize("temperature", [0, 1.0])
@pytest.mark.parametrize("wish", ["", f'{{"title": "{TITLE}", "mood": "bad", "notes": ["a"]}}'])
def test_an_answer_is_the_same_with_and_without_drafts(wish, temperature, monkeypatch):
    free(monkeypatch)
    sampling = Sampling(temperature=temperature, seed=3)
    texts = [f"{TITLE} {n} and again {TITLE}" for n in range(5)]
    backend = Wide(wish)
    drafted = answers(backend, texts, sampling=sampling)
    assert drafted == answers(FakeBackend(wish), texts, sampling=sampling)
    assert len(drafted) == 5
    assert backend.widest > 1


def test_what_stands_in_the_prompt_takes_fewer_calls(monkeypatch):
    wish = f'{{"title": "{TITLE}", "mood": "bad", "notes": []}}'
    free(monkeypatch)
    backend, dear = Wide(wish), Wide(wish)
    answers(backend, [f"Read: {TITLE}."], sampling=Sampling())
    free(monkeypatch, cost=2.0)
    answers(dear, [f"Read: {TITLE}."], sampling=Sampling())
    assert backend.n_calls < 0.5 * dear.n_calls
    assert dear.widest == 1


def test_a_draft_stays_within_the_room_of_its_row(monkeypatch):
    """A row that is full has no place for tokens that may be wrong."""
    free(monkeypatch)
    backend = Wide("a" * 300)
    schema, prompt = read_schema("title: str"), (Message("user", "a" * 50),)
    asked = [Request(0, prompt, schema, Sampling(), 30)]
    with Engine(backend) as engine:
        [done] = [e for e in engine.run(asked) if isinstance(e, RowDone)]
    assert done.finish_reason == "length"


def test_the_cost_is_measured_once_and_only_where_drafts_may_pay():
    backend = Wide()
    backend.reserve(n_slots=1, n_tokens=100)
    gate = Drafting(backend)
    gate.prepare(100)
    n_calls = backend.n_calls
    assert n_calls > 0
    gate.prepare(100)
    assert backend.n_calls == n_calls
    assert len(backend._slots[0]) == 0
    plain = FakeBackend()
    gate = Drafting(plain)
    gate.prepare(100)
    assert not gate.is_on
    assert gate.n_tokens(1) == 0


def test_the_cost_is_measured_only_where_there_is_room_for_it():
    backend = Wide()
    backend.reserve(n_slots=1, n_tokens=8)
    gate = Drafting(backend)
    gate.prepare(8)
    assert (backend.n_calls, gate.is_on) == (0, False)
    backend.reserve(n_slots=1, n_tokens=9)
    gate.prepare(9)
    assert backend.n_calls > 0
    asked = [Request(0, (Message("user", "hi"),), None, Sampling(), 3)]
    with Engine(Wide("x")) as engine:
        assert [e.text for e in engine.run(asked) if isinstance(e, RowDone)] == ["x"]


def test_short_rows_end_although_only_all_of_them_have_the_room():
    asked = [Request(row, (Message("user", "a"),), None, max_tokens=3) for row in range(4)]
    with Engine(Wide("abc")) as engine:
        assert [e.text for e in engine.run(asked) if isinstance(e, RowDone)] == ["abc"] * 4


def test_drafts_are_as_long_as_they_pay(monkeypatch):
    free(monkeypatch, cost=0.05)
    gate = Drafting(Wide())
    gate.prepare(100)
    alone, together = gate.n_tokens(1), gate.n_tokens(8)
    assert alone > together >= 1
    assert gate.n_tokens(20) == 0  # all slots together cost as much as a call
    for _ in range(200):
        gate.note(n_right=0, is_wrong=True)
    tries = [gate.n_tokens(8) for _ in range(640)]
    assert sum(tries) == 10  # now and then, to see whether it pays again
    for _ in range(200):
        gate.note(n_right=3, is_wrong=False)
    assert gate.n_tokens(8) == 8


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, 10), st.integers(1, 8))
def test_a_draft_is_what_followed_the_same_tokens(tokens, n_forgotten, n_tokens):
    n_forgotten = min(n_forgotten, len(tokens))
    lookup = Lookup()
    lookup.read(tokens, n_forgotten=0)
    lookup.read((), n_forgotten=n_forgotten)
    tokens = tokens[: len(tokens) - n_forgotten]
    draft = list(lookup.draft(n_tokens))
    assert len(draft) <= n_tokens
    if draft:
        pair = np.array(tokens[-2:])
        starts = [i for i in range(len(tokens) - 1) if (pair == tokens[i : i + 2]).all()]
        assert any(tokens[i + 2 : i + 2 + len(draft)] == draft for i in starts)
