"""The runs of a store can be listed, found, looked at again, and taken out."""

from __future__ import annotations

import time

import pandas as pd
import pytest

from steer_engine import BackendError, BudgetError, RowError
from steermagic.errors import CommandError
from steermagic.job import job_over
from steermagic.judgements import Judgement
from steermagic.options import SteerOptions
from steermagic.outcomes import check_outcome
from steermagic.runs import Row, Run
from steermagic.schemas import read_source
from steermagic.store import CellText, Store, described, open_store, restored
from steermagic.store.locks import RunLock, is_going_on
from steermagic.store.records import Asked
from steermagic.tables import NUMBERS, mark_of

TEXTS = [f"text {n}" for n in range(30)]
LONG = "word " * 2000


@pytest.fixture
def store(path) -> Store:
    return Store(path)


def test_a_run_is_stored_with_its_cell(kernel, store):
    one = kernel()
    cell = CellText("n: int --over texts", "{{ text }}\n", {"seed": 3, "temperature": 0.5})
    run = one.follow(one.job(["a", LONG]), cell=cell)
    [stored] = store.runs()
    assert (stored.id, stored.state, stored.model) == (run.id, "done", "fake")
    assert stored.cell == cell
    assert (stored.n_rows, stored.n_done, stored.n_failed) == (2, 1, 1)
    assert stored.started <= stored.ended <= time.time()
    assert stored.options["over"] == "texts"


def test_the_newest_run_comes_first(kernel, store):
    ids = [kernel().run().id for _ in range(3)]
    assert [run.id for run in store.runs()] == ids[::-1]
    assert [run.id for run in store.runs(limit=1)] == ids[-1:]
    assert store.count() == 3


def test_a_run_is_found_by_the_beginning_of_its_id(kernel, store):
    run = kernel().run()
    assert store.find(run.id[:6]).id == run.id
    with pytest.raises(CommandError, match="there is no run 'xyz'; %steer runs lists them"):
        store.find("xyz")
    kernel().run()
    with pytest.raises(CommandError, match=r"2 runs begin with '' \(.*\); write more of it"):
        store.find("")


def test_the_newest_ids_are_those_of_runs_that_broke_off_if_so_wanted(kernel, store):
    one = kernel()
    first, second = (one.follow(one.job(), cell=CellText("", body, {})).id for body in "ab")
    called = one.run().id
    assert store.ids(limit=2) == [called, second]
    assert store.ids(limit=2, is_unfinished=True) == []
    with store._database.transaction() as connection:
        connection.execute("UPDATE runs SET state = 'running'")  # their kernel was killed
    assert store.ids(limit=3, is_unfinished=True) == [second, first]


def test_the_rows_of_a_run_come_in_order(kernel, store, monkeypatch):
    monkeypatch.setattr("steermagic.store.library._PAGE", 7)
    run = kernel().run([*TEXTS, LONG])
    rows = list(store.rows(store.runs()[0]))
    assert [row.number for row in rows] == list(range(31))
    assert [row.record for row in rows[:30]] == run.records
    assert not rows[30].is_kept


def test_a_stored_run_is_a_run_again(kernel, store):
    one = kernel()
    run = one.run(["a", LONG, "c"])
    [stored] = store.runs()
    again = restored(stored, store.rows(stored))
    assert again.id == run.id
    assert again.by_prompt == run.by_prompt
    assert [str(error) for error in again.errors.values()] == [
        str(error) for error in run.errors.values()
    ]
    frame = one.session.result(again)
    assert list(frame.columns) == ["n"]
    assert frame["n"].tolist() == one.values(run)
    assert frame.index.name == "row"


@pytest.mark.parametrize(("data", "is_numbered"), [("ab", True), (["b", "a"], False)])
def test_a_stored_run_knows_the_labels_of_its_table_again(data, is_numbered, kernel, store, path):
    table = pd.DataFrame({"text": [*data]}, index=None if is_numbered else data)
    options = SteerOptions(over="t", store=str(path))
    one = kernel()
    one.follow(job_over(table, "{{ text }}", read_source("n: int 0..9"), options, namespace={}))
    [stored] = store.runs()
    mark = restored(stored, store.rows(stored)).job.over.mark
    assert mark == mark_of(table.index)
    assert (mark == NUMBERS) is is_numbered


@pytest.mark.parametrize(
    "options",
    [
        {"choices": "x,y"},
        {"regex": "[ab]{3}"},
        {"grammar": 'start: "a" | "b"'},
        {"grammar": 'root ::= "a" | "b"'},
    ],
)
def test_texts_are_restored_as_texts(options, kernel, store):
    from steermagic import steer

    kernel_of_texts = kernel()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("steermagic.session.shared_session", lambda: kernel_of_texts.session)
        given = dict(options)
        if "choices" in given:
            given["choices"] = ["x", "y"]
        frame = steer("{{ text }}", over=["a", "b"], store=str(kernel_of_texts._path), **given)
    [stored] = store.runs()
    again = kernel_of_texts.session.result(restored(stored, store.rows(stored)))
    assert again["answer"].tolist() == frame["answer"].tolist()


def test_steps_are_restored_if_they_were_traced(kernel, store):
    run = kernel().run(["a"], trace=True)
    [stored] = store.runs()
    spelled = [step.spelling for step in restored(stored, store.rows(stored, max_steps=99)).steps]
    assert spelled == [step.spelling for step in run.steps]
    assert restored(stored, store.rows(stored)).steps == ()


def test_only_so_many_steps_are_restored(kernel, store):
    kernel().run(["a", "b", "c"], trace=True)
    [stored] = store.runs()
    rows = list(store.rows(stored, max_steps=1))
    assert [bool(row.steps) for row in rows] == [True, False, False]


def test_a_trace_outlives_an_equal_answer_without_one(kernel, store):
    kernel().run(["a"], trace=True)
    kernel().run(["a"])
    newest, _ = store.runs()
    assert next(store.rows(newest, max_steps=99)).steps


def test_pruning_keeps_what_other_runs_have(kernel, store):
    kernel().run(["a", "b"])
    newest = kernel().run(["b", "c"])
    pruned = store.prune(keep=1)
    assert (pruned.n_runs, pruned.n_answers) == (1, 1)
    [stored] = store.runs()
    assert stored.id == newest.id
    assert [row.text for row in store.rows(stored)] == [row.text for row in newest.rows]


def test_pruning_by_age_takes_old_runs_only(kernel, store):
    kernel().run()
    assert store.prune(days=1).n_runs == 0
    assert store.prune(days=0).n_runs == 1
    assert store.count() == 0


def test_pruning_gives_the_room_back(kernel, store, path):
    kernel().run([str(n) for n in range(150)])
    pruned = store.prune(keep=0)
    assert pruned.n_answers == 150
    assert pruned.n_bytes > 20_000
    assert path.stat().st_size < pruned.n_bytes + 8 * 4096  # the empty tables


def test_a_run_that_goes_on_is_neither_pruned_nor_taken_up(kernel, store):
    one, other = kernel(), kernel()

    def look(n_finished: int, _n_failed: int) -> None:
        if n_finished == 2:
            assert store.prune(keep=0).n_runs == 0
            assert other.states == ["running"]
            assert other.run().notes == ()
            assert other.asked == [0, 1, 2]

    one.session.run(one.job(), progress=look)
    assert one.states == ["done", "done"]


@pytest.mark.parametrize("more", ["", "d"], ids=["nothing is asked", "a row is asked"])
def test_answers_that_are_pruned_while_a_run_takes_them_up_are_kept(more, kernel, store):
    """The run counted rows that it did not have, for it referred to them after the pruning."""
    kernel().run(stop_after=2)
    one = kernel()

    def prune(n_finished: int, _n_failed: int) -> None:
        if n_finished == 2:
            assert store.prune(keep=0).n_answers == 2

    run = one.session.run(one.job(["a", "b", *more]), progress=prune)
    [stored] = store.runs()
    assert [row.text for row in store.rows(stored)] == [row.text for row in run.rows]
    assert stored.n_done == len(run.rows)


def test_half_a_surrogate_pair_is_kept_as_a_replacement_character(store):
    """A server may answer, and a cell hold, what has no bytes in UTF-8."""
    cell = CellText("x: str", "say \ud83d", {})
    asked = Asked("m", "m", "f", cell, "{}", '{"schema": "{}", "name": null}', "text", 2)
    record = store.begin("a" * 32, asked, reuse="nothing", trace=False)
    record.keep(Row(0, None, "a\ud83d", (), is_kept=True, is_finished=True), b"key")
    failed = Row(1, None, "\ud83d", (), is_kept=False, is_finished=True, error=RowError("\ud83d"))
    record.keep(failed, b"")
    record.end("done")
    assert record.problem is None
    run = store.find("a")
    assert run.cell is not None
    assert run.cell.body == "say \ufffd"
    assert [row.text for row in store.rows(run)] == ["a\ufffd", "\ud83d"]
    store.judge("a" * 32, (0, 0), Judgement("fixed", "\ud83d"))
    assert store.judgements("a" * 32) == {(0, 0): Judgement("fixed", "\ud83d")}
    with pytest.raises(CommandError, match="there is no run"):
        store.find("\ud83d")


def test_a_lock_is_let_go_of_and_leaves_nothing(path):
    path.parent.mkdir()
    assert not is_going_on(path, "a" * 32)
    with RunLock(path, "a" * 32) as lock:
        assert is_going_on(path, "a" * 32)
        lock.release()
        assert not is_going_on(path, "a" * 32)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("link", ["a file", "a folder"])
def test_a_run_goes_on_whatever_link_leads_to_its_store(link, path, tmp_path):
    """Another kernel took it for broken off, and pruned it."""
    path.parent.mkdir()
    other = tmp_path / "link"
    other.symlink_to(path if link == "a file" else path.parent)
    store = open_store(str(other if link == "a file" else other / path.name))
    asked = Asked("m", "m", "f", None, "{}", "{}", "text", 1)
    record = open_store(str(path)).begin("a" * 32, asked, reuse="nothing", trace=False)
    assert [run.state for run in store.runs()] == ["running"]
    assert store.prune(keep=0).n_runs == 0
    record.end("done")
    assert store.place == str(path)


def test_the_lock_of_a_process_that_is_gone_counts_for_nothing(path, kernel):
    one = kernel()
    run = one.run()
    with one.session.store(str(path))._database.transaction() as connection:
        connection.execute("UPDATE runs SET state = 'running'")
    lock = path.with_name(f"{path.name}-{run.id[:12]}.lock")
    lock.touch()
    assert one.states == ["broken off"]
    assert not lock.exists()


def test_a_lock_that_cannot_be_had_is_told(path, monkeypatch, kernel):
    one = kernel()
    one.run()
    monkeypatch.setattr("steermagic.store.locks._lock_file", lambda path, _run_id: path.parent)
    [note] = one.run().notes
    assert "unable to open database file" in note


def test_a_run_in_memory_goes_on_as_long_as_its_process(kernel):
    one = kernel()
    states = list[str]()

    def look(*_counts: int) -> None:
        states.extend(run.state for run in one.session.store("off").runs())

    one.session.run(one.job(["a"], store="off"), progress=look)
    assert states == ["running"]


def test_a_run_that_fails_at_the_door_leaves_nothing(kernel):
    one = kernel()
    assert isinstance(one.run(max_tokens=2).error, BudgetError)
    assert one.states == []
    inner = list[Run]()
    one.session.run(one.job(), progress=lambda *_: inner.append(one.session.run(one.job())))
    assert "not finished" in str(inner[0].error)
    assert one.states == ["done"]


def test_an_error_in_the_middle_keeps_the_rows_and_says_so(kernel):
    one = kernel()

    def fail(n_finished: int, _n_failed: int) -> None:
        if n_finished == 5:
            raise BackendError("the model is gone")

    run = one.session.run(one.job(TEXTS), progress=fail)
    with pytest.raises(BackendError) as caught:
        check_outcome(run, kept_in="in 'kept'", is_cell=True)
    [note] = caught.value.__notes__
    assert note == "5 finished rows are kept: in 'kept'; run the cell again to go on there"
    again = kernel()
    assert again.run(TEXTS).notes == ("5 of 30 rows were finished before and are kept",)
    assert again.states == ["continued", "done"]


def test_an_answer_that_is_gone_is_asked_for_again(kernel, store):
    kernel().run()
    with store._database.transaction() as connection:
        connection.execute("DELETE FROM answers")
    again = kernel()
    assert len(again.run(cache=True).records) == 3
    assert again.asked == [0, 1, 2]


def test_a_store_that_cannot_be_read_any_more_is_given_up(kernel, store):
    one = kernel()
    asked = described(one.session.engine(None).info, one.job(), None, spec="embedded")
    record = store.begin("a" * 32, asked, reuse="all", trace=False)
    store.close()
    assert record.take_up(0, b"key") is None
    assert "Cannot operate on a closed database" in str(record.problem)
    record.end("done")
