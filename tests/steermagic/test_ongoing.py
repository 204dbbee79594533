"""A run while it goes on: rows are kept before they are told, old steps are let go."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager

import pandas as pd
import pytest

from steer_engine import (
    BackendError,
    Engine,
    RowDone,
    RowError,
    RowFailed,
    Step,
    Steps,
    StepsUndone,
)
from steer_engine.backends.fake import FakeBackend
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.schemas import read_source
from steermagic.session import Session
from steermagic.store.database import Database


@pytest.fixture
def session(tmp_path, monkeypatch) -> Session:
    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    return Session(lambda _spec: Engine(FakeBackend('{"n": 7}')))


def job(n_rows: int = 40, **options: object) -> Job:
    table = pd.DataFrame({"text": [f"text {n}" for n in range(n_rows)]})
    given = SteerOptions(over="table", **options)
    return job_over(table, "{{ text }}", read_source("n: int 0..9"), given, namespace={})


def test_a_large_run_has_the_steps_of_its_newest_rows(session, monkeypatch):
    n_steps = len(session.run(job(1)).steps)
    monkeypatch.setattr("steermagic.session._MAX_STEPS", 5 * n_steps)
    run = session.run(job())
    assert len(run.steps) == 5 * n_steps
    assert len(run.records) == 40
    assert all(row.text == '{"n": 7}' for row in run.rows)
    assert [row.number for row in run.rows if row.steps] == [*range(35, 40)]


def test_a_single_row_keeps_its_steps_however_many(session, monkeypatch):
    monkeypatch.setattr("steermagic.session._MAX_STEPS", 1)
    assert len(session.run(job(1)).steps) > 1


def test_a_row_is_in_the_store_when_it_is_told(session):
    def look(n_finished: int, _n_failed: int) -> None:
        [(n_kept,)] = database.read("SELECT count(*) FROM run_rows JOIN answers USING (key)")
        told.append((n_finished, n_kept))

    database, told = session.store()._database, list[tuple[int, int]]()
    session.run(job(), progress=look)
    assert told == [(n, n) for n in range(1, 41)]


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
def test_an_interrupt_while_a_row_is_written_loses_nothing(is_late, session, monkeypatch):
    real, n_calls = Database.transaction, 0

    @contextmanager
    def interrupted(self, **how):
        nonlocal n_calls
        n_calls += 1
        if n_calls == 11 and not is_late:  # the first is that of the run itself
            raise KeyboardInterrupt
        with real(self, **how) as connection:
            yield connection
        if n_calls == 11:
            raise KeyboardInterrupt

    session.store()
    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", interrupted)
        run = session.run(job())
    assert run.is_cancelled
    assert len([row for row in run.rows if row.is_finished]) == 10
    [stored] = session.store().runs()
    assert (stored.state, stored.n_done) == ("interrupted", 10)
    assert session.run(job()).notes == ("10 of 40 rows were finished before and are kept",)


def test_an_interrupt_keeps_what_the_engine_had_finished_meanwhile(tmp_path, monkeypatch):
    class Ahead(Engine):
        """Finishes its rows before the first is told, as one in another process may."""

        def run(self, requests):
            events = deque(super().run(requests))
            try:
                while events:
                    yield events.popleft()
            except KeyboardInterrupt:
                yield from events
                raise

    def stop(n_finished: int, _n_failed: int) -> None:
        if n_finished == 3:
            raise KeyboardInterrupt

    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    session = Session(lambda _spec: Ahead(FakeBackend('{"n": 7}')))
    run = session.run(job(), progress=stop)
    assert run.is_cancelled
    assert len([row for row in run.rows if row.is_finished]) == 40
    [stored] = session.store().runs()
    assert (stored.state, stored.n_done) == ("interrupted", 40)


def test_a_model_that_breaks_leaves_a_run_to_go_on_with(tmp_path, monkeypatch):
    class Breaking(FakeBackend):
        n_calls = 0

        def forward(self, runs):
            self.n_calls += 1
            if self.n_calls == 20:
                raise BackendError("the card fell out")
            return super().forward(runs)

    monkeypatch.setenv("STEERMAGIC_STORE", str(tmp_path / "runs.sqlite"))
    session = Session(lambda _spec: Engine(Breaking('{"n": 7}')))
    broken = session.run(job(500))
    assert str(broken.error) == "the card fell out"
    [stored] = session.store().runs()
    assert stored.state == "failed"
    assert 0 < stored.n_done == len(broken.records) < 300
    assert session.last_run() is broken
    run = session.run(job(500))
    assert run.notes == (f"{stored.n_done} of 500 rows were finished before and are kept",)
    assert len(run.records) == 500


class Telling(Engine):
    """Says what the test does, once a request has come for each row."""

    def __init__(self, *events: object) -> None:
        super().__init__(FakeBackend(""))
        self._events = events

    def run(self, requests):
        deque(requests)
        yield from self._events


def test_steps_are_taken_back_as_many_as_there_were():
    step = Step(0, b"7", "chosen", "/n")
    done = RowDone(1, {"n": 7}, "7", "stop", 1, 0.0)
    events = (StepsUndone(0, 0), Steps(1, (step, step)), StepsUndone(1, 0), StepsUndone(1, 1))
    run = Session(lambda _spec: Telling(*events, done)).run(job(2))
    assert [row.steps for row in run.rows if row.number == 1] == [(step,)]


def test_rows_before_one_that_cannot_be_asked_about_are_kept_by_strict(session):
    run = session.run(job_with_a_gap(at=20, strict=True))
    assert [row.number for row in run.rows if row.is_kept] == [*range(20)]
    assert list(run.errors) == [20]
    [stored] = session.store().runs()
    assert (stored.state, stored.n_done) == ("stopped", 20)


def job_with_a_gap(*, at: int, **options: object) -> Job:
    """A job of which one row has an empty prompt."""
    table = pd.DataFrame({"text": [None if n == at else f"text {n}" for n in range(40)]})
    given = SteerOptions(over="table", **options)
    return job_over(table, "{{ text }}", read_source("n: int 0..9"), given, namespace={})


def test_strict_waits_for_the_rows_before_the_one_that_failed_and_for_no_other():
    failed = RowFailed(1, RowError("no"), "")
    before, behind = (RowDone(n, {"n": 7}, "7", "stop", 1, 0.0) for n in (0, 2))
    run = Session(lambda _spec: Telling(failed, before, behind)).run(job(3, strict=True))
    assert [row.number for row in run.rows] == [0, 1]


def test_rows_that_the_store_has_are_told_as_well(session):
    session.run(job(3))
    told = list[int]()
    session.run(job(5, cache=True), progress=lambda n, _: told.append(n))
    assert told == [1, 2, 3, 4, 5]


def test_many_rows_of_the_store_are_noted_in_parts(session, monkeypatch):
    monkeypatch.setattr("steermagic.store.records._MAX_WAITING", 3)
    session.run(job(10))
    session.run(job(10, cache=True))
    newest, _ = session.store().runs()
    assert [row.number for row in session.store().rows(newest)] == [*range(10)]


def test_an_iterator_that_breaks_leaves_a_run_to_go_on_with(session):
    def texts(*, broken: bool):
        yield from ({"text": f"text {n}"} for n in range(30))
        if broken:
            raise ConnectionError("the line is dead")

    def over(data) -> Job:
        options = SteerOptions(over="rows")
        return job_over(data, "{{ text }}", read_source("n: int"), options, namespace={})

    run = session.run(over(texts(broken=True)))
    assert len(run.records) == 30
    [stored] = session.store().runs()
    assert (stored.state, stored.n_rows) == ("failed", None)
    again = session.run(over(texts(broken=False)))
    assert again.notes == ("30 rows were finished before and are kept",)
    newest, _ = session.store().runs()
    assert (newest.state, newest.n_rows) == ("done", 30)
