import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest

from steer_engine import (
    BackendError,
    BudgetError,
    Engine,
    Finished,
    PromptTooLongError,
    Request,
    RowDone,
    RowFailed,
    Sampling,
    SchemaError,
    Started,
    Steps,
    compose,
    open_engine,
    read_schema,
)
from steer_engine.backends.fake import FakeBackend

PERSON = read_schema("name: str, born: int")
WISH = '{"name": "Ada", "born": 1815}'


def request(row=0, *, prompt="Who?", schema=PERSON, **options):
    return Request(row, compose(prompt, schema), schema, **options)


def events(requests, wish=WISH, **options):
    with Engine(FakeBackend(wish, **options)) as engine:
        return list(engine.run(requests))


def test_a_run_tells_its_story_in_order():
    started, *steps, done, finished = events([request()])
    assert started == Started(1)
    assert all(isinstance(event, Steps) for event in steps)
    assert isinstance(done, RowDone)
    assert isinstance(finished, Finished)
    assert done.record == {"name": "Ada", "born": 1815}
    assert done.text == WISH == b"".join(s.spelling for e in steps for s in e.steps).decode()
    assert (finished.n_done, finished.n_failed) == (1, 0)
    assert finished.n_tokens == sum(len(event.steps) for event in steps)


def test_events_can_be_pickled():
    requests = [request(), request(1, max_tokens=14), request(2, prompt="long " * 5000)]
    for event in events(requests):
        copy = pickle.loads(pickle.dumps(event))  # noqa: S301 - our own bytes
        assert repr(copy) == repr(event)


def test_rows_are_independent_and_come_in_order():
    done = [
        event for event in events([request(row) for row in (5, 3)]) if isinstance(event, RowDone)
    ]
    assert [event.row for event in done] == [5, 3]
    assert done[0].record == done[1].record


def test_a_budget_below_the_shortest_answer_is_refused_before_the_run():
    backend = FakeBackend(WISH)
    backend.forward = None
    with pytest.raises(BudgetError, match=r"max_tokens is 12, and the shortest .* has 13 tokens"):
        list(Engine(backend).run([request(), request(1, max_tokens=12)]))


@pytest.mark.parametrize("max_tokens", range(13, 25))
def test_a_row_out_of_budget_is_closed_and_valid(max_tokens):
    *_, done, finished = events([request(max_tokens=max_tokens)], wish='{"name": "' + "x" * 99)
    assert set(done.record) == {"name", "born"}
    assert done.finish_reason == "length"
    assert finished.n_done == 1


def test_a_row_longer_than_the_context_fails_alone():
    long, short = request(0, prompt="x" * 500), request(1)
    _, failed, *_, done, finished = events([long, short], context_length=400)
    assert isinstance(failed.error, PromptTooLongError)
    assert "reads at most 400" in str(failed.error)
    assert isinstance(done, RowDone)
    assert (finished.n_done, finished.n_failed) == (1, 1)


def test_a_text_of_too_many_bytes_for_any_tokenization_is_not_tokenized():
    backend = FakeBackend(WISH, context_length=400)
    usual = backend.vocabulary.tokenize_bytes

    def tokenize(text, *, parse_special):
        assert len(text) < 10_000
        return usual(text, parse_special=parse_special)

    backend.vocabulary = replace(backend.vocabulary, tokenize_bytes=tokenize)
    *_, failed, _ = Engine(backend).run([request(prompt="x" * 100_000)])
    assert isinstance(failed.error, PromptTooLongError)
    assert "the prompt has at least" in str(failed.error)


def test_a_schema_that_cannot_be_used_stops_the_run_before_any_model_work():
    backend = FakeBackend(WISH)
    backend.forward = None
    bad = read_schema('{"type": "string", "minLength": 3, "maxLength": 1}')
    with pytest.raises(SchemaError):
        list(Engine(backend).run([request(), request(1, schema=bad)]))


def test_an_unsteered_row_is_text():
    *_, done, _ = events([request(schema=None)], wish="Sure! It was Ada.")
    assert (done.record, done.text) == (None, "Sure! It was Ada.")


def test_an_unsteered_row_out_of_budget_says_so():
    *_, done, _ = events([request(schema=None, max_tokens=4)], wish="Sure! It was Ada.")
    assert (done.text, done.finish_reason) == ("Sure", "length")


def test_the_same_key_twice_is_never_let_through():
    schema = read_schema({"type": "object", "additionalProperties": {"type": "integer"}})
    *_, done, _ = events([request(schema=schema)], wish='{"a": 1, "a": 2}')
    assert isinstance(done, RowDone)
    assert done.text.startswith('{"a": 1, "a')
    assert done.text.count('"a":') == 1


def test_a_context_that_ends_before_the_budget_is_told_apart():
    *_, failed, _ = events([request(max_tokens=5000)], wish=WISH, context_length=300)
    assert isinstance(failed, RowDone)
    schema = read_schema("a: str")
    wish = '{"a": "' + "x" * 500
    *_, failed, _ = events([request(schema=schema, max_tokens=5000)], wish, context_length=200)
    assert failed.finish_reason == "context"
    *_, failed, _ = events([request(schema=schema)], wish, context_length=61)
    assert "the model's context was full" in str(failed.error)


def test_memory_for_less_than_the_context_is_a_shorter_context():
    backend = FakeBackend('{"name": "' + "x" * 500, context_length=4000)
    backend.max_row_tokens = 400
    asked = [request(prompt="x" * 500), request(1), request(2, max_tokens=60)]
    with Engine(backend) as engine:
        ends = {e.row: e for e in engine.run(asked) if isinstance(e, RowDone | RowFailed)}
    assert isinstance(ends[0].error, PromptTooLongError)
    assert "there is memory for 400, the answer included; shorten" in str(ends[0].error)
    assert (ends[1].finish_reason, ends[2].finish_reason) == ("context", "length")


def test_unsteered_text_may_be_anything():
    for wish in ["Hello, world", "}", "a, b]", '{"a\nb": 1}']:
        *_, done, _ = events([request(schema=None)], wish=wish)
        assert done.text == wish


def test_a_model_that_breaks_ends_a_run_without_end():
    class Broken(FakeBackend):
        def forward(self, runs):
            raise BackendError("the card fell out")

    asked, seen = count(), []
    with pytest.raises(BackendError, match="the card fell out"):
        seen.extend(Engine(Broken(WISH)).run(request(row) for row in asked))
    failed = [event.row for event in seen if isinstance(event, RowFailed)]
    assert failed == [*range(next(asked) - 1)]  # the next one shows that there are more


def test_a_second_run_in_one_thread_is_refused_while_the_first_is_open():
    engine = Engine(FakeBackend(WISH))
    first = engine.run([request()])
    next(first)
    with pytest.raises(BackendError, match="another run of this model is not finished"):
        next(engine.run([request()]))
    first.close()
    assert isinstance(list(engine.run([request()]))[-2], RowDone)


def test_runs_of_several_threads_follow_each_other():
    with open_engine() as engine, ThreadPoolExecutor(4) as pool:
        alone = [event for event in engine.run([request()]) if isinstance(event, RowDone)]
        runs = list(pool.map(lambda _: list(engine.run([request()])), range(8)))
    assert all(run[-2].record == alone[0].record for run in runs)


def test_closing_the_events_stops_the_work():
    run = Engine(FakeBackend(WISH)).run([request(), request(1)])
    assert isinstance(next(run), Started)
    assert isinstance(next(run), Steps)
    run.close()
    assert not list(run)


@pytest.mark.parametrize("kind", [Steps, RowDone])
def test_a_model_that_is_closed_meanwhile_fails_the_rows_that_go_on(kind):
    engine, seen = open_engine(), []
    for event in engine.run([request(row, max_tokens=60) for row in range(4)]):
        seen.append(event)
        if isinstance(event, kind):
            engine.close()
    failed = [event for event in seen if isinstance(event, RowFailed)]
    assert len(failed) == 4 - len([event for event in seen if isinstance(event, RowDone)])
    assert all(str(event.error) == "the model is closed; open it again" for event in failed)
    with pytest.raises(BackendError, match="the model is closed"):
        list(engine.run([request()]))


def test_a_model_that_another_thread_closes_is_freed_by_the_run():
    class Closing(FakeBackend):
        n_freed = 0

        def forward(self, runs):
            with ThreadPoolExecutor(1) as pool:
                pool.submit(engine.close).result()
            assert self.n_freed == 0
            return super().forward(runs)

        def close(self):
            self.n_freed += 1

    backend = Closing(WISH)
    engine = Engine(backend)
    assert any(isinstance(event, RowFailed) for event in engine.run([request()]))
    assert backend.n_freed == 1


def test_a_model_that_is_closed_while_requests_are_made_fails_them():
    engine = open_engine()

    def asked():
        yield request()
        engine.close()
        yield request(1)

    seen = list(engine.run(asked()))
    assert [event.row for event in seen if isinstance(event, RowFailed)] == [0, 1]


def test_seeds_repeat_and_differ():
    def record(seed):
        sampling = Sampling(temperature=2.0, seed=seed)
        schema = read_schema("a: int 0..99999")
        *_, done, _ = events([request(schema=schema, sampling=sampling)], wish="")
        return done.record

    assert record(1) == record(1)
    assert len({json.dumps(record(seed)) for seed in range(6)}) > 1
