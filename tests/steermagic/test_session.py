"""A session loads a model once, remembers runs, and keeps what was finished."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

import steermagic
from steer_engine import (
    BudgetError,
    Engine,
    ModelError,
    Schema,
    TruncatedError,
    open_engine,
    read_schema,
    rows_of,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.closing import Closer
from steermagic.errors import CommandError, FrameError, OptionError, SteerCancelled
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.outcomes import check_outcome, failures
from steermagic.results import make_result
from steermagic.schemas import FoundSchema, read_source
from steermagic.session import Session

DOG = read_schema("name: str, age: int 0..9")
DOGS = [{"name": "Rex", "age": 3}, {"name": "Ada", "age": 4}, {"name": "Bo", "age": 5}]


def job(schema: Schema = DOG, **options: object) -> Job:
    return Job(("Invent a dog",), FoundSchema(schema), SteerOptions(**options))


def test_a_model_is_loaded_once():
    opened: list[str] = []

    def open_fake(spec: str) -> Engine:
        opened.append(spec)
        return Engine(FakeBackend())

    session = Session(open_fake)
    assert session.engine(None) is session.engine("embedded")
    session.use("big.gguf", alias="big")
    assert session.engine("big") is session.engine("big.gguf") is session.engine(None)
    assert opened == ["embedded", "big.gguf"]
    assert set(session.loaded()) == {"embedded", "big.gguf"}
    assert session.unload() == 2
    session.engine(None)
    assert opened == ["embedded", "big.gguf", "big.gguf"]


def test_a_model_of_several_names_is_loaded_once():
    opened: list[str] = []

    def open_fake(place: str) -> Engine:
        opened.append(place)
        return Engine(FakeBackend())

    session = Session(open_fake, lambda spec: str(Path(spec).absolute()))
    assert session.engine("a.gguf") is session.engine("./a.gguf")
    assert opened == [str(Path.cwd() / "a.gguf")]
    assert list(session.loaded()) == ["a.gguf"]
    assert session.unload() == 1
    assert session.loaded() == {}


def test_a_model_that_does_not_load_is_not_in_use():
    session = Session(open_engine)
    with pytest.raises(ModelError, match="there is no model file"):
        session.use("/no/such/model.gguf", alias="x")
    assert session.model is None
    assert session.aliases == {}


def test_a_run_gives_a_frame(wishing):
    session = wishing(DOGS[0])
    run = session.run(job())
    frame = session.result(run)
    assert frame.to_dict("records") == [DOGS[0]]
    assert frame.attrs == {"steermagic_run": run.id}
    assert session.last_run() is session.find_run(run.id) is run


def test_only_the_last_runs_keep_their_steps(wishing, monkeypatch):
    session = wishing(DOGS[0])
    n_steps = len(session.run(job()).steps)
    monkeypatch.setattr("steermagic.session._MAX_STEPS", 2 * n_steps)
    runs = [session.run(job()) for _ in range(3)]
    oldest = session.find_run(runs[0].id)
    assert (oldest.records, oldest.steps) == ([DOGS[0]], ())
    assert session.result(runs[0]).steer.confidence.notna().all(axis=None)
    assert session.find_run(runs[1].id) is runs[1]


def test_a_store_is_opened_once_however_it_is_spelt(wishing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = wishing(DOGS[0])
    assert session.store("off") is session.store("OFF") is session.store("none")
    assert session.store("runs.sqlite") is session.store(str(tmp_path / "runs.sqlite"))


def test_only_so_many_rows_of_runs_are_kept(wishing, monkeypatch):
    monkeypatch.setattr("steermagic.session._MAX_ROWS", 2)
    session = wishing(DOGS[0])
    runs = [session.run(job(store="off", cache=True)) for _ in range(3)]
    assert session.find_run(runs[0].id) is None
    assert session.find_run(runs[1].id) is runs[1]
    options = SteerOptions(over="t")
    large = session.run(job_over([*"abcd"], "{{ text }}", FoundSchema(DOG), options, namespace={}))
    assert session.last_run() is session.find_run(large.id) is large
    assert session.find_run(runs[2].id) is None


def test_equal_prompts_of_one_run_are_answered_once_if_cached(wishing):
    session = wishing(DOGS[0])
    texts = ["Invent a dog", "Another", "Invent a dog"]
    options = SteerOptions(cache=True, over="t")
    run = session.run(job_over(texts, "{{ text }}", FoundSchema(DOG), options, namespace={}))
    assert [row.number for row in run.rows] == [0, 1, 2]
    assert run.rows[0].steps is run.rows[2].steps
    assert run.rows[0].steps is not run.rows[1].steps


def test_a_prompt_that_failed_is_told_for_each_row_and_not_remembered(wishing):
    session = wishing(DOGS[0])
    options = SteerOptions(cache=True, over="t")
    long = "Invent a dog " * 1000
    again = job_over([long, long], "{{ text }}", FoundSchema(DOG), options, namespace={})
    for _ in range(2):
        run = session.run(again)
        assert sorted(run.errors) == [0, 1]
        assert run.by_prompt == [None, None]


def test_nothing_has_run_at_first(wishing):
    with pytest.raises(CommandError, match="nothing has run yet"):
        wishing("").last_run()


@pytest.mark.parametrize(
    ("form", "value"), [("dict", DOGS[0]), ("json", '{"name": "Rex", "age": 3}')]
)
def test_other_forms_of_a_result(form, value, wishing):
    session = wishing(DOGS[0])
    assert session.result(session.run(job(as_=form))) == value


def test_models_are_built_from_records(wishing):
    from pydantic import BaseModel

    class Dog(BaseModel):
        name: str
        age: int

    one = wishing(DOGS[0])
    found = read_source(Dog)
    assert one.answer(Job(("x",), found, SteerOptions(as_="model"))) == Dog(name="Rex", age=3)
    many = wishing(DOGS[:2])
    options = SteerOptions(as_="model", many=True)
    dogs = many.answer(Job(("x",), read_source(Dog, many=True), options))
    assert [dog.name for dog in dogs] == ["Rex", "Ada"]


def no_dogs_called(refused):
    from pydantic import BaseModel, field_validator

    class Dog(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, name: str) -> str:
            if name == refused:
                raise ValueError("no dogs today")
            return name

    return Dog


def test_a_validator_of_the_users_class_may_refuse(wishing):
    found = read_source(no_dogs_called("Rex"))
    with pytest.raises(FrameError) as caught:
        wishing(DOGS[0]).answer(Job(("x",), found, SteerOptions(as_="model")))
    assert str(caught.value) == (
        "Dog refuses the answer at /name: Value error, no dogs today;"
        " --as dict --cache shows what was answered, or say in the prompt what is wanted"
    )


def test_a_validator_that_refuses_one_row_leaves_the_others(wishing):
    found = read_source(no_dogs_called("Ada"))
    options = SteerOptions(as_="model", over="")
    over = job_over(["a", "b"], "{{ text }}", found, options, namespace={}).over
    refused = "Dog refuses 1 of 2 answers, which are None here; row 1 at /name: .*, no dogs today;"
    with pytest.warns(UserWarning, match=refused):
        dogs = make_result([{"name": "Rex"}, {"name": "Ada"}], found, options, over=over)
    assert dogs == [found.source(name="Rex"), None]


def test_strict_models_take_what_json_has_for_a_date(wishing):
    import datetime as dt

    from pydantic import BaseModel, ConfigDict

    class Dog(BaseModel):
        model_config = ConfigDict(strict=True)
        born: dt.date

    session = wishing({"born": "2024-03-01"})
    dog = session.answer(Job(("x",), read_source(Dog), SteerOptions(as_="model")))
    assert dog == Dog(born=dt.date(2024, 3, 1))


def test_a_result_that_cannot_be_made_is_refused_before_the_run():
    with pytest.raises(FrameError, match="--as model needs a schema that is a class"):
        job(as_="model")
    with pytest.raises(FrameError, match="there is no field 'lines'"):
        job(rows="lines")


@pytest.mark.parametrize(("text", "n_kept", "rows"), [("Ada", 1, "row is"), ("Bo", 2, "rows are")])
def test_an_interrupted_list_keeps_its_finished_rows(text, n_kept, rows, interrupted):
    session = interrupted(DOGS, text=text)
    run = session.run(job(rows_of(DOG)))
    assert session.result(run).to_dict("records") == DOGS[:n_kept]
    with pytest.raises(SteerCancelled) as caught:
        check_outcome(run, kept_in="in 'dogs'")
    assert str(caught.value) == f"stopped; {n_kept} finished {rows} kept: in 'dogs'"


def test_an_interrupted_object_keeps_nothing(interrupted):
    run = interrupted(DOGS[0], text="Re").run(job())
    with pytest.raises(SteerCancelled) as caught:
        check_outcome(run, kept_in="")
    assert str(caught.value) == "stopped before a row was finished; nothing is kept"
    assert run.rows[0].text == '{"name": "Re'


def test_a_script_is_really_interrupted(interrupted):
    with pytest.raises(KeyboardInterrupt):
        interrupted(DOGS[0], text="Re").answer(job())


def test_a_budget_that_no_answer_fits_is_refused_with_the_number_needed(wishing):
    with pytest.raises(BudgetError, match="has 12 tokens; raise max_tokens to that or more"):
        wishing("").answer(job(max_tokens=11))


def test_a_function_that_could_not_go_on_says_what_to_do():
    def texts():
        yield from ["a", "b"]
        raise ConnectionError("the line is dead")

    session = Session(lambda _spec: Engine(FakeBackend('{"n": 7}')))
    found, options = read_source("n: int 0..9"), SteerOptions(over="t")
    with pytest.raises(FrameError) as caught:
        session.answer(job_over(texts(), "{{ text }}", found, options, namespace={}))
    assert str(caught.value).endswith("; 2 finished rows are kept: the same call goes on there")


def test_an_answer_that_is_cut_short_is_valid_and_says_so(wishing):
    session = wishing({"name": "x" * 300, "age": 3})
    run = session.run(job(max_tokens=50))
    frame = session.result(run)
    assert len(frame["name"][0]) > 20
    assert frame["age"].dtype == "Int64"
    assert isinstance(frame.steer.errors[0], TruncatedError)
    assert len(run.steps) == 50
    assert failures(run).startswith("the answer was cut short after ")


def test_a_failed_row_says_what_it_had_written(wishing):
    session = wishing({"name": "x" * 300, "age": 3})
    session.engine(None)._check_budget = lambda *_: None  # as if nothing were known of a way out
    with patch.object(Closer, "exceeded", lambda *_: None), pytest.raises(BudgetError) as caught:
        session.answer(job(max_tokens=150))
    [note] = caught.value.__notes__
    assert note.startswith('It had written: {"name": "xxx')
    assert "%steer" not in note
    assert len(note) < 150
    assert len(session.last_run().rows[0].text) > 100


def test_a_preview_runs_nothing(wishing):
    session = wishing("")
    text, n_tokens = session.preview(job(system="Be brief."))
    assert "Be brief." in text
    assert "Invent a dog" in text
    assert "age: int 0..9" in text
    assert n_tokens > 10
    with pytest.raises(CommandError):
        session.last_run()


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (None, "the prompt is a text, not a value of type NoneType"),
        (5, "the prompt is a text, not a value of type int"),
        (" ", "the prompt is empty"),
    ],
)
def test_the_function_wants_a_prompt(prompt, message):
    """Without one an answer was invented, or a TypeError raised."""
    with pytest.raises(OptionError) as caught:
        steermagic.steer(prompt, DOG)
    assert str(caught.value) == message


def test_the_function_answers_like_a_cell(wishing, monkeypatch):
    session = wishing([DOGS[0]])
    monkeypatch.setattr("steermagic.session.shared_session", lambda: session)
    frame = steermagic.steer("Invent {{ dogs }}", "name: str, age: int", many=True)
    assert frame.to_dict("records") == [DOGS[0]]
    assert session.last_run().job.prompts[0] == "Invent {{ dogs }}"


def test_the_function_heeds_settings_and_takes_paths_and_other_numbers(
    wishing, monkeypatch, tmp_path
):
    session = wishing(DOGS[0])
    monkeypatch.setattr("steermagic.session.shared_session", lambda: session)
    monkeypatch.setenv("STEERMAGIC_MODEL", "far.gguf")
    monkeypatch.setenv("STEERMAGIC_SEED", "1")
    steermagic.steer("Invent a dog", DOG)
    assert session.last_run().job.options.seed == 1
    store = tmp_path / "runs.sqlite"
    near = Path("near.gguf")
    steermagic.steer("Invent a dog", DOG, model=near, store=store, seed=np.int64(3))
    assert session.last_run().job.options.seed == 3
    assert list(session.loaded()) == ["far.gguf", "near.gguf"]
    assert session.store(str(store)).count() == 1


FORKED = """
import os
import sys
import steermagic
from steermagic.session import shared_session

ask = lambda: steermagic.steer("Say a number", "n: int 0..9", fresh=True)["n"].tolist()
session, said = shared_session(), ask()
engine, store = session.engine(None), session.store()
child = os.fork()
if child == 0:
    assert session.loaded() == {}
    assert ask() == said
    assert session.engine(None) is not engine and session.store() is not store
    assert type(session.engine(None)).__name__ == "IsolatedEngine"
    assert session.unload() == 1
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
assert ask() == said
assert session.engine(None) is engine and session.store() is store
assert [run.state for run in store.runs()] == ["done"] * 3
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("isolate", ["true", "false"])
def test_a_fork_opens_models_and_stores_anew(isolate, tmp_path):
    settings = {"STEERMAGIC_ISOLATE": isolate, "STEERMAGIC_STORE": str(tmp_path / "runs.sqlite")}
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    subprocess.run(command, env={**os.environ, **settings}, timeout=100, check=True)
