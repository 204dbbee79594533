"""What a run has answered stays as it was, whatever other runs and programs do meanwhile."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from steer_engine import Confidence, RowError
from steermagic.runs import Row
from steermagic.store import RunRecord, Store
from steermagic.store.records import Asked

ASKED = Asked("m", "m", "f", None, "{}", '{"schema": "{}", "name": null}', "text", 2)
KEY, OTHER = (hashlib.sha256(question).digest() for question in (b"a", b"b"))


@pytest.fixture
def store(path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def answer(text: str, number: int = 0, **more) -> Row:
    return Row(number, text, text, (), is_kept=True, is_finished=True, **more)


def begin(store: Store, name: str, **how) -> RunRecord:
    return store.begin(name * 32, ASKED, **{"reuse": "unfinished", "trace": False, **how})


def run(store: Store, name: str, *rows: Row, state="done") -> None:
    """A run of which all rows ask the same."""
    record = begin(store, name, reuse="nothing")
    for row in rows:
        record.keep(row, KEY)
    record.end(state)


def texts(store: Store, name: str) -> list[str]:
    return [row.text for row in store.rows(store.find(name))]


def test_a_run_keeps_its_answers_when_another_gets_others(store):
    run(store, "a", answer("first"))
    run(store, "b", answer("second"))
    assert (texts(store, "a"), texts(store, "b")) == (["first"], ["second"])


def test_a_run_keeps_its_confidences_when_another_is_surer(store):
    for name, mean in (("a", 0.5), ("b", 0.9)):
        run(store, name, answer("x", confidence=(Confidence("", mean, mean, ()),)))
    [row] = store.rows(store.find("a"))
    assert row.confidence[0].mean == 0.5


def test_equal_rows_of_a_run_keep_their_own_answers(store):
    run(store, "a", answer("first", 0), answer("second", 1), state="interrupted")
    assert texts(store, "a") == ["first", "second"]
    record = begin(store, "b")
    taken = [record.take_up(number, KEY) for number in (0, 1, 2)]
    assert [row.text for row in taken if row] == ["first", "second", "second"]
    record.end("done")
    assert texts(store, "b") == ["first", "second", "second"]
    assert store.find("a").state == "continued"


def test_equal_answers_are_stored_once(store):
    run(store, "a", answer("same", 0), answer("same", 1))
    run(store, "b", answer("same"))
    assert store.prune(keep=0).n_answers == 1


def test_the_cache_has_the_newest_answer_but_first_that_of_an_unfinished_run(store):
    run(store, "a", answer("first"))
    run(store, "b", answer("second"))
    assert begin(store, "c", reuse="all").take_up(0, KEY).text == "second"
    run(store, "d", answer("broken off"), state="interrupted")
    run(store, "e", answer("last"))
    with store._database.transaction() as connection:
        connection.execute("UPDATE runs SET state = 'interrupted' WHERE id LIKE 'd%'")
    assert begin(store, "f", reuse="all").take_up(0, KEY).text == "broken off"


def test_an_unfinished_run_is_continued_by_other_answers_to_the_same(store):
    run(store, "a", answer("first"), state="interrupted")
    run(store, "b", answer("second"))
    assert store.find("a").state == "continued"


def test_a_run_of_failures_only_is_not_continued_by_another_of_them(store):
    failed = Row(0, None, "", (), is_kept=False, is_finished=True, error=RowError("no"))
    run(store, "a", failed, state="interrupted")
    run(store, "b", failed)
    assert store.find("a").state == "interrupted"


def work(store: Store, doing: Callable[[], object]) -> int:
    """Return how many hundred instructions SQLite needs for it."""
    steps = list[None]()
    store._database._connection.set_progress_handler(lambda: steps.append(None), 100)
    doing()
    store._database._connection.set_progress_handler(None, 0)
    return len(steps)


@pytest.mark.parametrize("is_asked_again", [True, False])
def test_the_end_of_a_run_takes_no_longer_with_each_run_that_was_broken_off(is_asked_again, store):
    """It went through all rows once for each of them, and all other kernels waited."""
    efforts = list[int]()
    for name, others in (("a", "b"), ("c", "defghijklmno")):
        for other in others:
            record = begin(store, other)
            record.keep(answer("x"), KEY if is_asked_again else OTHER)
            record.end("interrupted")
        record = begin(store, name)
        for number in range(500):
            record.keep(answer("x", number), KEY)
        efforts.append(work(store, lambda record=record: record.end("done")))
        state = "continued" if is_asked_again else "interrupted"
        assert {store.find(other).state for other in others} == {state}
    assert efforts[1] < 2 * efforts[0]


@pytest.mark.parametrize("reuse", ["all", "unfinished"])
def test_an_answer_is_found_as_fast_however_many_rows_have_it(reuse, store):
    run(store, "a", answer("x"), state="interrupted")
    record = begin(store, "b", reuse=reuse)
    before = work(store, lambda: record.take_up(0, KEY))
    run(store, "c", *(answer("x", number) for number in range(1000)), state="interrupted")
    record = begin(store, "d", reuse=reuse)
    assert work(store, lambda: record.take_up(0, KEY)) < before + 5


def test_of_the_newest_unfinished_run_the_same_rows_answer_is_taken(store):
    for name in "abc":
        rows = [answer(f"{name}{number}", number) for number in range(3)]
        run(store, name, *rows, state="done" if name == "c" else "interrupted")
        with store._database.transaction() as connection:
            connection.execute("UPDATE runs SET state = 'interrupted' WHERE id NOT LIKE 'c%'")
    record = begin(store, "d", reuse="all")
    assert [record.take_up(number, KEY).text for number in (2, 0, 1)] == ["b2", "b0", "b1"]
    assert record.n_taken_up == 3


def test_the_answers_of_an_older_store_are_found_and_kept(store):
    """Until then there was one answer to a question, under the bare key of it."""
    run(store, "a", answer("first"), state="interrupted")
    with store._database.transaction() as connection:
        connection.execute("UPDATE answers SET key = ?", (KEY,))
        connection.execute("UPDATE run_rows SET key = ?", (KEY,))
    record = begin(store, "b")
    assert record.take_up(0, KEY).text == "first"
    assert record.take_up(1, OTHER) is None
    record.end("done")
    run(store, "c", answer("second"))
    assert [texts(store, name) for name in "abc"] == [["first"], ["first"], ["second"]]
    assert store.find("a").state == "continued"


def lock(path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_rows_wait_for_a_program_that_holds_the_store(path, store, monkeypatch):
    monkeypatch.setattr("steermagic.store.database._PATIENCE_S", 0.05)
    record = begin(store, "a")
    other = lock(path)
    record.keep(answer("first", 0), KEY)
    record.keep(answer("second", 1), KEY)
    assert store._database.read("SELECT * FROM run_rows") == []
    other.close()
    record.keep(answer("third", 2), KEY)
    assert texts(store, "a") == ["first", "second", "third"]
    other = lock(path)
    record.keep(answer("fourth", 3), KEY)
    other.close()
    record.end("done")
    assert record.problem is None
    assert texts(store, "a")[3:] == ["fourth"]
    assert (store.find("a").state, store.find("a").n_rows) == ("done", 2)


def test_a_run_waits_once_for_a_program_that_holds_the_store_for_long(path, store, monkeypatch):
    waits = list[float]()
    monkeypatch.setattr("steermagic.store.database._PATIENCE_S", 0.05)
    record = begin(store, "a")
    connection = store._database._connection
    connection.set_trace_callback(
        lambda query: waits.append(int(query[-2:])) if "busy_timeout" in query else None
    )
    with closing(lock(path)):
        for number in range(3):
            record.keep(answer("x", number), KEY)
        record.end("done")
    assert [bool(wait) for wait in waits[::2]] == [True, False, False, True]
    assert all(waits[1::2])  # other readers of the session are as patient as ever
    assert str(record.problem) == (
        f"the run store {path} is held by another program (database is locked); wait until that is"
        " done, or give the setting `store` another path"
    )


@pytest.mark.parametrize("what", ["deleted", "replaced"])
@pytest.mark.parametrize("is_late", [False, True], ids=["before a row", "before the end"])
def test_a_store_that_is_gone_during_the_run_is_told(what, is_late, path, store):
    record = begin(store, "a")
    record.keep(answer("x"), KEY)
    for file in path.parent.glob("runs.sqlite*"):
        file.unlink()
    if what == "replaced":
        path.touch()
    if not is_late:
        record.keep(answer("y", 1), KEY)
        assert record.problem is not None
    record.end("done")
    assert str(record.problem) == (
        f"the run store {path} was deleted or replaced while it was in use; the next run is stored"
        " there again"
    )


@pytest.mark.parametrize("state", ["done", "failed", "interrupted"])
def test_the_end_of_a_run_waits_for_the_disk(state, store):
    full = 2  # as SQLite calls it
    record = begin(store, "a")
    record.keep(answer("x"), KEY)
    assert store._database.read("PRAGMA synchronous")[0][0] < full
    record.end(state)
    assert store._database.read("PRAGMA synchronous")[0][0] == full
