"""What was answered once need not be asked again: after an interrupt always, else if wanted."""

from __future__ import annotations

import pytest

from steermagic.errors import OptionError
from steermagic.options import SteerOptions
from steermagic.store import CellText

TEXTS = [f"text {n}" for n in range(40)]
LONG = "word " * 2000


def test_the_rows_of_an_interrupted_run_are_taken_up(kernel):
    undisturbed = kernel().run(TEXTS, store="off")
    stopped = kernel().run(TEXTS, stop_after=20)
    assert stopped.is_cancelled
    assert len([row for row in stopped.rows if row.is_finished]) == 20
    again = kernel()
    run = again.run(TEXTS)
    assert len(again.asked) == 20
    assert set(again.asked).isdisjoint(row.number for row in stopped.rows if row.is_finished)
    assert run.notes == ("20 of 40 rows were finished before and are kept",)
    assert again.values(run) == again.values(undisturbed)
    assert again.states == ["continued", "done"]


def test_a_run_that_came_to_its_end_is_not_reused(kernel):
    kernel().run()
    again = kernel()
    assert again.run().notes == ()
    assert again.asked == [0, 1, 2]
    again.run()
    assert again.asked == [0, 1, 2]


def test_a_continued_run_is_not_taken_up_once_more(kernel):
    kernel().run(stop_after=1)
    kernel().run()
    again = kernel()
    assert again.run().notes == ()
    assert again.asked == [0, 1, 2]


def test_two_interrupts_lose_nothing(kernel):
    kernel().run(TEXTS, stop_after=10)
    kernel().run(TEXTS, stop_after=30)
    again = kernel()
    run = again.run(TEXTS)
    assert len(again.asked) == 10
    assert run.notes == ("30 of 40 rows were finished before and are kept",)
    assert again.states == ["continued", "continued", "done"]


def test_other_rows_of_a_changed_table_are_asked(kernel):
    kernel().run(["a", "b", "c"], stop_after=2)
    again = kernel()
    run = again.run(["x", "b", "a"])
    assert again.asked == [0]
    assert run.notes == ("2 of 3 rows were finished before and are kept",)
    assert again.values(run)[1:] == kernel().values(kernel().run(["b", "a"], store="off"))


def test_one_row_is_told_in_the_singular(kernel):
    kernel().run(["a"], schema="n: int 0..9, m: int 0..9", stop_after=1)
    assert kernel().run(["a"], schema="n: int 0..9, m: int 0..9").notes == (
        "1 of 1 row was finished before and is kept",
    )


def test_another_question_is_no_continuation(kernel):
    kernel().run(stop_after=1)
    again = kernel()
    again.run(schema="n: int 0..8")
    assert again.asked == [0, 1, 2]
    assert again.states == ["interrupted", "done"]


def test_an_interrupted_cell_without_rows_is_continued_by_the_same_cell(kernel):
    first, again = kernel(), kernel()
    first.follow(first.job(["a"]), stop_after=0, cell=CellText("n: int", "{{ a }}", {}))
    store = again.session.store(again._path)
    with store._database.transaction() as connection:
        connection.execute("UPDATE runs SET state = 'interrupted'")
        connection.execute("DELETE FROM run_rows")
    again.follow(again.job(["b"]), cell=CellText("n: int", "{{ b }}", {}))
    assert again.states == ["interrupted", "done"]
    again.follow(again.job(["b"]), cell=CellText("n: int", "{{ a }}", {}))
    assert again.states == ["continued", "done", "done"]


def test_the_cache_reuses_the_answers_of_all_runs(kernel):
    first = kernel().run(["a", "b"])
    again = kernel()
    run = again.run(["b", "c", "a"], cache=True)
    assert again.asked == [1]
    assert run.notes == ()
    assert [row.text for row in run.rows if row.number != 1] == [
        first.rows[1].text,
        first.rows[0].text,
    ]


def test_equal_prompts_of_a_run_are_asked_once_with_the_cache(kernel):
    one = kernel()
    run = one.run(["a", "b", "a", "a"], cache=True)
    assert one.asked == [0, 1]
    assert [row.number for row in run.rows] == [0, 1, 2, 3]
    assert len({one.values(run)[i] for i in (0, 2, 3)}) == 1
    [stored] = one.session.store(one._path).runs()
    assert (stored.n_done, stored.n_rows) == (4, 4)


def test_without_the_cache_they_are_asked_each(kernel):
    one = kernel()
    one.run(["a", "a"])
    assert one.asked == [0, 1]


def test_fresh_reuses_nothing_and_ends_what_was_broken_off(kernel):
    kernel().run(stop_after=2)
    again = kernel()
    assert again.run(fresh=True).notes == ()
    assert again.asked == [0, 1, 2]
    assert again.states == ["continued", "done"]


def test_drawn_answers_belong_to_their_row_and_seed(kernel):
    drawn = {"temperature": 0.9, "schema": "n: int 0..999"}
    kernel().run(["a", "b"], seed=1, **drawn)
    again = kernel()
    again.run(["a", "a"], seed=1, cache=True, **drawn)
    assert again.asked == [1]
    again.run(["a", "b"], seed=2, cache=True, **drawn)
    assert again.asked == [0, 1]


def test_another_model_is_asked(kernel):
    kernel().run()
    again = kernel()
    run = again.run(model="nine", cache=True)
    assert again.asked == [0, 1, 2]
    assert again.values(run) == [9, 9, 9]


def test_a_failure_is_stored_and_never_reused(kernel):
    kernel().run(["a", LONG, "b"])
    again = kernel()
    run = again.run(["a", LONG, "b"], cache=True)
    assert again.asked == [1]
    assert list(run.errors) == [1]
    stored, _ = again.session.store(again._path).runs()
    assert (stored.n_done, stored.n_failed) == (2, 1)
    [failed] = [row for row in again.session.store(again._path).rows(stored) if not row.is_kept]
    assert str(failed.error) == str(run.errors[1])


def test_equal_prompts_fail_each_for_itself(kernel):
    one = kernel()
    run = one.run([LONG, LONG], cache=True)
    assert sorted(run.errors) == [0, 1]


def test_an_answer_that_was_cut_short_says_so_again(kernel):
    budget = {"schema": "n: str", "max_tokens": 12}
    first = kernel().run(["a"], **budget)
    assert list(first.errors) == [0]
    again = kernel().run(["a"], cache=True, **budget)
    assert [str(error) for error in again.errors.values()] == [str(first.errors[0])]
    assert again.records == first.records


def test_what_was_copied_and_how_sure_the_model_was_come_back(kernel):
    schema = 'who: verbatim, n: "x" | "y"'
    first = kernel().run(["Ann met Bob"], schema=schema)
    again = kernel()
    run = again.run(["Ann met Bob"], schema=schema, cache=True)
    assert again.asked == []
    assert run.rows[0].evidence == first.rows[0].evidence
    assert run.rows[0].confidence == first.rows[0].confidence


def test_cache_and_fresh_contradict_each_other():
    with pytest.raises(OptionError, match="leave one out"):
        SteerOptions(cache=True, fresh=True)


def test_a_store_in_memory_is_the_kernels_own(kernel):
    one, other = kernel(), kernel()
    one.run(store="off")
    one.run(store="off", cache=True)
    assert one.asked == []
    other.run(store="off", cache=True)
    assert other.asked == [0, 1, 2]
    assert one.session.store("off").count() == 2
