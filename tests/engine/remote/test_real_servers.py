"""Against llama.cpp's server and llama-cpp-python's, which hold answers in ways of their own."""

import json

import pytest

from steer_engine import (
    BudgetError,
    Choices,
    Finished,
    GbnfGrammar,
    LarkGrammar,
    Noted,
    PromptTooLongError,
    Regex,
    Request,
    RowDone,
    RowFailed,
    Sampling,
    Steps,
    compose,
    open_engine,
    read_schema,
)

PERSON = read_schema("name: str, born: int")
TEXT = "The first program was written by Ada Lovelace, who was born in 1815."
ADA = {"name": "Ada Lovelace", "born": 1815}


@pytest.fixture(params=["llama_server", "llama_cpp_python"])
def real(request, engine_at):
    return engine_at(request.getfixturevalue(request.param))


def request(row=0, *, schema=PERSON, prompt=TEXT, **options):
    return Request(row, compose(prompt, schema), schema, **options)


def only_end(engine, *requests):
    *_, end, finished = engine.run(requests)
    assert isinstance(finished, Finished)
    return end


def test_rows_are_answered_and_valid(real):
    ends = [e for e in real.run([request(row) for row in range(6)]) if isinstance(e, RowDone)]
    assert sorted(end.row for end in ends) == [*range(6)]
    assert all(end.record == ADA for end in ends)


def test_an_answer_is_that_of_the_engine_in_this_process(llama_server, engine_at):
    with open_engine() as local:
        here = only_end(local, request())
    there = only_end(engine_at(llama_server), request())
    assert (there.record, there.text) == (here.record, here.text)
    assert there.n_prompt_tokens == here.n_prompt_tokens


def test_what_the_server_is_shows(llama_server, llama_cpp_python, engine_at):
    info = engine_at(llama_server).info
    assert (info.name, info.architecture) == ("steermagic-tiny", "llama-server")
    assert info.context_length == 1024
    assert info.n_params > 4e6
    assert engine_at(llama_cpp_python).info.architecture == "llama_cpp.server"


def test_steps_show_where_the_schema_overruled_the_model(llama_server, engine_at):
    schema = read_schema({"enum": ["qqq"]})
    events = list(engine_at(llama_server).run([request(schema=schema)]))
    steps = [step for event in events if isinstance(event, Steps) for step in event.steps]
    assert b"".join(step.spelling for step in steps) == b'"qqq"'
    assert any(step.origin == "narrowed" and step.wanted for step in steps)
    assert all(step.logprob <= 0 for step in steps)


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        (Choices(("blame é", "praise")), ["blame é", "praise"]),
        (GbnfGrammar('root ::= "left" | "right"'), ["left", "right"]),
    ],
)
def test_text_forms_are_held(real, form, texts):
    end = only_end(real, request(schema=form))
    assert end.record in texts
    assert end.text == end.record


@pytest.mark.parametrize("form", [Regex("^[A-Z]{2}-[0-9]{4}$"), LarkGrammar('start: "a" "b"')])
def test_forms_of_llguidance_are_held_where_the_server_has_it(llama_server, engine_at, form):
    end = only_end(engine_at(llama_server), request(schema=form))
    assert isinstance(end, RowDone)


def test_a_pattern_is_asked_for_as_json_where_nothing_else_is_known(llama_cpp_python, engine_at):
    end = only_end(engine_at(llama_cpp_python), request(schema=Regex("[A-Z][A-Z]-[0-9]")))
    assert len(end.text) == 4


def test_what_a_server_cannot_hold_is_noted_once_and_checked(llama_cpp_python, engine_at):
    engine = engine_at(llama_cpp_python)
    lark = request(schema=LarkGrammar('start: "zz" "y"'))
    runs = [list(engine.run([lark])) for _ in range(2)]
    notes = [[e.text for e in run if isinstance(e, Noted)] for run in runs]
    assert ["does not hold answers to a Lark grammar" in note for note in notes[0]] == [True]
    assert notes[1] == []
    assert isinstance(runs[1][-2], RowFailed)
    assert "3 answers in turn were not valid" in str(runs[1][-2].error)


def test_characters_of_several_tokens_are_whole(real):
    schema = read_schema({"enum": ["Žižek €5"]})
    assert only_end(real, request(schema=schema)).record == "Žižek €5"


def test_verbatim_values_come_with_their_place(real):
    end = only_end(real, request(schema=read_schema("name: verbatim")))
    (found,) = end.evidence
    assert TEXT[found.start : found.end] == end.record["name"] == "Ada Lovelace"


def test_an_answer_beyond_its_budget_is_no_answer(real):
    end = only_end(real, request(max_tokens=4))
    assert isinstance(end.error, BudgetError)
    assert "raise max_tokens" in str(end.error)
    assert end.text.startswith("{")


def test_a_budget_beyond_the_context_is_cut_to_it(real):
    assert only_end(real, request(max_tokens=5000)).record == ADA


def test_a_prompt_beyond_the_context_fails_alone(llama_server, engine_at):
    rows = [request(0, prompt="x " * 3000), request(1)]
    ends = [e for e in engine_at(llama_server).run(rows) if isinstance(e, RowDone | RowFailed)]
    failed, done = sorted(ends, key=lambda end: end.row)
    assert isinstance(failed.error, PromptTooLongError)
    assert done.record == ADA


def test_thoughts_come_before_the_answer(real):
    events = list(real.run([request(n_thoughts=12)]))
    thoughts = [s for e in events if isinstance(e, Steps) for s in e.steps if s.is_thought]
    end = events[-2]
    assert thoughts
    assert end.thoughts
    assert set(end.record) == {"name", "born"}


def test_unsteered_text_is_free(real):
    end = only_end(real, Request(0, compose(TEXT, PERSON), None))  # told the schema, not held to it
    assert (end.record, end.finish_reason) == (None, "stop")
    assert end.text


def test_seeds_repeat_and_differ(llama_server, engine_at):
    engine = engine_at(llama_server)
    schema = read_schema("a: int 0..99999")

    def record(seed):
        sampling = Sampling(temperature=3.0, seed=seed)
        return only_end(engine, request(schema=schema, sampling=sampling)).record

    assert record(1) == record(1)
    assert len({json.dumps(record(seed)) for seed in range(5)}) > 1


def test_what_the_model_would_read(llama_server, llama_cpp_python, engine_at):
    engine = engine_at(llama_server)
    text = engine.render(request())
    assert text.startswith("<|system|>Answer with one JSON object")
    assert TEXT in text
    assert engine.count_tokens(request()) == only_end(engine, request()).n_prompt_tokens
    other = engine_at(llama_cpp_python)
    assert TEXT in other.render(request())
    assert other.count_tokens(request()) is None
