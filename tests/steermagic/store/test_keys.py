"""A key is that of everything that decides what an answer is, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steer_engine import (
    Choices,
    LarkGrammar,
    Message,
    Regex,
    Request,
    Sampling,
    read_schema,
)
from steermagic.store import answer_key

GREEDY = Request(0, (Message("user", "hi"),), read_schema("a: str"), inputs=("hi",))
DRAWN = replace(GREEDY, sampling=Sampling(temperature=0.5, seed=1))


def key(request: Request, fingerprint: str = "f") -> bytes:
    return answer_key(request, fingerprint=fingerprint)


OTHERS = {
    "message": {"messages": (Message("user", "ho"),)},
    "role": {"messages": (Message("system", "hi"),)},
    "division": {"messages": (Message("user", "h"), Message("user", "i"))},
    "schema": {"schema": read_schema("b: str")},
    "no schema": {"schema": None},
    "regex": {"schema": Regex("a")},
    "choices": {"schema": Choices(("a",))},
    "grammar": {"schema": LarkGrammar("a")},
    "budget": {"max_tokens": 7},
    "thoughts": {"n_thoughts": 7},
    "inputs": {"inputs": ("h", "i")},
    "no inputs": {"inputs": None},
}


@pytest.mark.parametrize("request_", [GREEDY, DRAWN], ids=["greedy", "drawn"])
def test_what_decides_on_an_answer_is_in_its_key(request_):
    keys = {key(request_), key(request_, "g")}
    keys |= {key(replace(request_, **change)) for change in OTHERS.values()}
    assert len(keys) == 2 + len(OTHERS)
    assert {len(each) for each in keys} == {32}


@pytest.mark.parametrize(
    "change",
    [
        {"row": 1},
        {"sampling": Sampling(temperature=0.5, seed=2)},
        {"sampling": Sampling(temperature=0.4, seed=1)},
        {"sampling": Sampling(temperature=0.5, seed=1, top_p=0.5)},
        {"sampling": Sampling(temperature=0.5, seed=1, min_p=0.5)},
    ],
)
def test_what_is_drawn_depends_on_the_row_and_the_sampling(change):
    assert key(replace(DRAWN, **change)) != key(DRAWN)


def test_what_is_not_drawn_does_not():
    assert key(replace(GREEDY, row=1)) == key(GREEDY)
    assert key(replace(GREEDY, sampling=Sampling(seed=3, top_p=0.5))) == key(GREEDY)


def test_another_version_may_answer_otherwise(monkeypatch):
    before = key(GREEDY)
    monkeypatch.setattr("steermagic.store.keys.__version__", "0.0.0")
    assert key(GREEDY) != before


def test_half_a_character_has_a_key_too():
    odd = replace(GREEDY, messages=(Message("user", "\ud83d"),), schema=Regex("\ud83d"))
    assert key(odd) != key(GREEDY)
