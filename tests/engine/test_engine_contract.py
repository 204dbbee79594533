"""What every engine promises, wherever its model runs; see `steer_engine.any_engine.AnyEngine`."""

from itertools import chain, count

import pytest

from steer_engine import (
    Choices,
    Engine,
    Finished,
    PromptTooLongError,
    Request,
    RowDone,
    RowFailed,
    SchemaError,
    Started,
    Steps,
    StepsUndone,
    UnsatisfiableError,
    compose,
    open_engine,
    read_schema,
    validation_error,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.engine import MAX_SLOTS
from steer_engine.isolation import IsolatedEngine

PERSON = read_schema("name: str, born: int 1000..2100")
PAYMENT = read_schema('name: str, paid: float 0.., mood: "good" | "bad" | None')
COPIED = read_schema("name: verbatim")
IMPOSSIBLE = read_schema({"type": "integer", "minimum": 2, "maximum": 1})
TEXT = "Ada Lovelace, who was born in 1815, paid 12.50 for a kettle and is very happy."


def open_fake(request):
    return Engine(FakeBackend('{"name": "Ada", "born": 1815}'))


def open_llamacpp(request):
    return open_engine(n_threads=1)


def open_isolated(request):
    return IsolatedEngine(n_threads=1)


def open_mlx(request):
    pytest.importorskip("mlx_lm", reason="mlx-lm is not installed")
    pytest.importorskip("gguf")
    return open_engine("mlx:embedded")


def open_transformers(request):
    pytest.importorskip("torch", reason="torch is not installed; CONTRIBUTING.md has how to")
    pytest.importorskip("transformers")
    return open_engine("transformers:embedded", n_threads=1)


def open_remote(request):
    return open_engine(request.getfixturevalue("llama_server"))


ENGINES = [open_fake, open_llamacpp, open_isolated, open_mlx, open_transformers, open_remote]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    with request.param(request) as engine:
        yield engine


def ask(row=0, *, schema=PERSON, text=TEXT, **options):
    return Request(row, compose(text, schema), schema, **{"max_tokens": 80, **options})


def ends(events):
    return {event.row: event for event in events if isinstance(event, RowDone | RowFailed)}


def written(events):
    """The bytes of each row as its steps tell them."""
    steps = {}
    for event in events:
        if isinstance(event, Steps):
            steps.setdefault(event.row, []).extend(event.steps)
        elif isinstance(event, StepsUndone):
            del steps[event.row][-event.n_steps :]
    return {row: b"".join(step.spelling for step in row_steps) for row, row_steps in steps.items()}


def test_a_run_begins_with_started_and_ends_with_finished(engine):
    started, *between, finished = engine.run([ask(row) for row in (7, 3, 5)])
    assert started == Started(3)
    assert not any(isinstance(event, Started | Finished) for event in between)
    assert sorted(ends(between)) == [3, 5, 7]
    assert (finished.n_done, finished.n_failed) == (3, 0)
    assert finished.n_tokens == sum(len(e.steps) for e in between if isinstance(e, Steps)) > 0
    assert finished.seconds > 0


@pytest.mark.parametrize("schema", [PERSON, PAYMENT])
def test_records_are_valid_and_are_what_the_steps_say(engine, schema):
    events = list(engine.run([ask(row, schema=schema) for row in range(5)]))
    spelled = written(events)
    assert len(ends(events)) == 5
    for row, end in ends(events).items():
        assert isinstance(end, RowDone), end
        assert validation_error(schema, end.record) is None
        assert spelled[row] == end.text.encode()


def test_a_verbatim_value_comes_with_its_place(engine):
    text = "The first program was written by Ada Lovelace, who was born in 1815."
    [end] = ends(engine.run([ask(schema=COPIED, text=text)])).values()
    [found] = end.evidence
    assert text[found.start : found.end] == end.record["name"]


def test_nothing_is_said_of_a_row_after_its_end(engine):
    is_ended = set()
    for event in engine.run([ask(row) for row in range(6)]):
        if isinstance(event, Steps | StepsUndone | RowDone | RowFailed):
            assert event.row not in is_ended
        if isinstance(event, RowDone | RowFailed):
            is_ended.add(event.row)
    assert is_ended == {*range(6)}


def test_requests_are_taken_as_they_are_needed(engine):
    """Of an endless table some rows are read ahead; closing ends the run, and another can begin."""
    taken = []

    def endless():
        for row in count():
            taken.append(row)
            yield ask(row)

    run = engine.run(endless())
    assert next(run) == Started(None)
    n_done = 0
    for event in run:
        n_done += isinstance(event, RowDone)
        if n_done == 3:
            break
    run.close()
    n_taken = len(taken)
    assert 3 <= n_taken <= 6 * MAX_SLOTS
    assert len(ends(engine.run([ask()]))) == 1
    assert len(taken) == n_taken


def test_an_interrupt_ends_a_run_after_what_had_happened(engine):
    """Each row's end is told once at most, before the interrupt goes on; another run can begin."""
    run = engine.run([ask(row) for row in range(9)])
    told = [next(event for event in run if isinstance(event, RowDone))]
    with pytest.raises(KeyboardInterrupt):
        told.extend(chain([run.throw(KeyboardInterrupt())], run))
    ended = [event.row for event in told if isinstance(event, RowDone | RowFailed)]
    assert len(ended) == len({*ended})
    assert isinstance(ends(engine.run([ask()]))[0], RowDone)


def test_a_run_of_nothing_is_a_run(engine):
    assert [type(event) for event in engine.run([])] == [Started, Finished]


def test_an_error_in_the_table_reaches_the_caller_and_harms_nothing_else(engine):
    def broken():
        yield ask(0)
        raise ZeroDivisionError("row 1")

    with pytest.raises(ZeroDivisionError, match="row 1"):
        list(engine.run(broken()))
    assert isinstance(ends(engine.run([ask()]))[0], RowDone)


def test_a_schema_that_nothing_satisfies_is_refused_before_the_run(engine):
    with pytest.raises(UnsatisfiableError):
        engine.check(IMPOSSIBLE)
    with pytest.raises(SchemaError):
        next(engine.run([ask(schema=IMPOSSIBLE)]))
    engine.check(PERSON)


def test_a_prompt_that_is_too_long_fails_alone(engine):
    rows = ends(engine.run([ask(0), ask(1, text="and so on " * 3000), ask(2)]))
    assert isinstance(rows[1].error, PromptTooLongError)
    assert "\n" not in str(rows[1].error)
    assert isinstance(rows[0], RowDone)
    assert isinstance(rows[2], RowDone)


def test_texts_of_a_form_and_texts_of_none(engine):
    form = Choices(("praise", "blame"))
    chosen, free = ends(engine.run([ask(0, schema=form), ask(1, schema=None)])).values()
    assert chosen.record in form.options
    assert isinstance(free, RowDone)
    assert free.record is None


def test_the_prompt_can_be_seen_and_counted(engine):
    assert TEXT in engine.render(ask())
    n_tokens = engine.count_tokens(ask())
    [_, *_, end, _] = engine.run([ask()])
    assert n_tokens == end.n_prompt_tokens > 0


def test_a_schema_can_be_explained_also_if_it_is_refused(engine):
    assert {clause.keyword for clause in engine.explain(PERSON).clauses} >= {"type", "minimum"}
    assert engine.explain(IMPOSSIBLE).is_refused


def test_the_model_is_known(engine):
    info = engine.info
    assert info.name
    assert info.fingerprint
    assert info.context_length > 500


@pytest.mark.parametrize("open_it", ENGINES)
def test_closing_twice_does_nothing(open_it, request):
    engine = open_it(request)
    engine.close()
    engine.close()
