import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer_engine import Sampling, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.decoding import Undone, decode
from steer_engine.drafting import Drafting
from steer_engine.errors import BudgetError, RowError
from steer_engine.grammar import GrammarCompiler
from steer_engine.matcher import FreeMatcher
from steer_engine.sampling import make_sampler
from steer_engine.slots import decode_rows
from steer_engine.waiting import Task

PERSON = read_schema('name: str, mood: "good" | "bad", born: int | None')
WISH = '{"name": "Ada <|end|> \\"é", "mood": "bad", "born": 1815}'
COMPILER = GrammarCompiler(FakeBackend().vocabulary)


def run(wish, schema=PERSON, *, max_tokens=200, sampling=Sampling()):  # noqa: B008
    """Decode from an empty-handed fake model; return the steps and the finish reason."""
    backend = FakeBackend(wish)
    matcher = (
        FreeMatcher(backend.vocabulary) if schema is None else COMPILER.compile(schema).matcher()
    )
    return follow(backend, matcher, max_tokens=max_tokens, sampling=sampling)


def follow(backend, matcher, *, max_tokens=200, sampling=Sampling()):  # noqa: B008
    """Decode with any matcher; return the steps that stayed and the finish reason, or raise."""
    prompt = backend.vocabulary.tokenize("<|user|>", parse_special=True)
    decoding = decode(
        backend.vocabulary,
        matcher,
        prompt,
        sampler=make_sampler(sampling, row=0),
        max_tokens=max_tokens,
    )
    task = Task(0, prompt, decoding, n_tokens=max_tokens + 10)
    steps = []
    for said in decode_rows(backend, iter([task]), max_slots=1, drafting=Drafting(backend)):
        if isinstance(said.what, RowError):
            raise said.what
        if isinstance(said.what, str):
            return steps, said.what
        if isinstance(said.what, Undone):
            del steps[len(steps) - said.what.n_steps :]
        else:
            steps += said.what
    raise AssertionError("a row has to end")


def text(steps):
    return b"".join(step.spelling for step in steps).decode()


def test_a_model_that_obeys_is_left_alone():
    steps, finish_reason = run(WISH)
    assert text(steps) == WISH
    assert finish_reason == "stop"
    assert not [step for step in steps if step.origin == "narrowed"]


@pytest.mark.parametrize("wish", ["", "Sure! Here is the JSON", '{"name": "x", "mood": "happy'])
def test_whatever_the_model_wants_the_text_is_valid_up_to_its_end(wish):
    steps, finish_reason = run(wish, read_schema('mood: "good" | "bad", ok: bool'))
    assert finish_reason == "stop"
    assert json.loads(text(steps))["mood"] in ("good", "bad")


def test_forced_tokens_are_not_sampled():
    steps, _ = run(WISH)
    keys = [step for step in steps if step.spelling in (b'{"', b"name")]
    assert all(step.origin == "forced" and step.logprob is None for step in keys)


def test_a_narrowed_token_says_what_the_model_wanted():
    steps, _ = run('{"name": "x", "mood": "happy"', read_schema('name: str, mood: "good" | "bad"'))
    [step] = [step for step in steps if step.wanted == b"h"]
    assert step.origin == "narrowed"
    assert step.spelling in (b"g", b"b")
    assert step.pointer == "/mood"
    assert step.wanted_logprob > -0.1 > -5 > step.logprob
    assert step.masked_logprob > step.logprob


def test_every_step_points_to_its_value():
    steps, _ = run(WISH)
    values = {}
    for step in steps:
        if step.origin == "chosen":
            values[step.pointer] = values.get(step.pointer, b"") + step.spelling
    assert values["/name"].startswith(b"Ada <|end|>")
    assert values["/born"].startswith(b"1815")


def test_max_tokens_bounds_the_steps_and_is_reported():
    for max_tokens in range(1, 30):
        with pytest.raises(BudgetError):
            run(WISH, max_tokens=max_tokens)
    steps, finish_reason = run("Sure! Here", None, max_tokens=4)
    assert (text(steps), finish_reason) == ("Sure", "length")


def test_a_budget_that_is_just_enough_is_enough():
    n_tokens = len(run(WISH)[0])
    assert run(WISH, max_tokens=n_tokens)[1] == "stop"


def test_an_unsteered_model_writes_what_it_wants():
    steps, finish_reason = run("Sure! Here", None)
    assert text(steps) == "Sure! Here"
    assert finish_reason == "stop"
    assert {step.origin for step in steps} == {"chosen"}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_sampled_text_is_always_valid_and_its_probabilities_are_probabilities(seed):
    schema = read_schema('a: "x" | "yy" | "z", b: int 0..99, c: bool | None')
    steps, _ = run("", schema, sampling=Sampling(temperature=3.0, seed=seed))
    record = json.loads(text(steps))
    assert 0 <= record["b"] <= 99
    for step in steps:
        if step.masked_logprob is not None:
            assert step.logprob <= step.masked_logprob + 1e-4
            assert step.masked_logprob <= 1e-4
            assert math.isfinite(step.logprob)


class Watched:
    """A matcher that counts how often its mask is computed."""

    def __init__(self, matcher):
        self._matcher, self.n_masks = matcher, 0

    def fill_mask(self, mask):
        self.n_masks += 1
        self._matcher.fill_mask(mask)

    def __getattr__(self, name):
        return getattr(self._matcher, name)


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=0.5)])
def test_no_mask_is_computed_for_a_model_that_obeys(sampling):
    matcher = Watched(COMPILER.compile(PERSON).matcher())
    steps, _ = follow(FakeBackend(WISH), matcher, sampling=sampling)
    assert text(steps) == WISH
    assert matcher.n_masks == 0


def test_a_sampler_that_keeps_the_best_tokens_always_has_a_mask():
    matcher = Watched(COMPILER.compile(PERSON).matcher())
    steps, _ = follow(FakeBackend(WISH), matcher, sampling=Sampling(temperature=0.5, top_p=0.9))
    assert text(steps) == WISH
    assert matcher.n_masks == sum(step.logprob is not None for step in steps)


def test_a_grammar_with_no_way_on_fails_the_row():
    class Stuck(FreeMatcher):
        def fill_mask(self, mask):
            mask[:] = 0

        def allows(self, token):
            return False

    backend = FakeBackend()
    with pytest.raises(RowError, match="no answer is left that the schema allows at the root"):
        follow(backend, Stuck(backend.vocabulary))
