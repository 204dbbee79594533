"""What a run that did not go well says of the rows that are kept."""

from __future__ import annotations

import pytest

from steer_engine import BackendError, read_schema
from steermagic.errors import FrameError, SteerCancelled
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.outcomes import check_outcome
from steermagic.runs import Row, Run
from steermagic.schemas import FoundSchema

LIST = FoundSchema(read_schema({"type": "array", "items": {"type": "string"}}))


def lists(*records: object, open_: object = None, **ended: object) -> Run:
    """A run over a table, each of whose rows is a list; that of the last one was stopped."""
    options = SteerOptions(over="t")
    job = job_over(["a"] * 9, "{{ text }}", LIST, options, namespace={})
    rows = [Row(n, each, "", (), is_kept=True, is_finished=True) for n, each in enumerate(records)]
    if open_ is not None:
        rows.append(Row(len(rows), open_, "", (), is_kept=bool(open_)))
    return Run(job, "fake", tuple(rows), **ended)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lists([], [], [], [], is_cancelled=True), "stopped; 4 finished rows are kept: in 'x'"),
        (
            lists([], ["a", "b", "c"], is_cancelled=True),
            "stopped; 2 finished rows are kept: in 'x'",
        ),
        (
            lists(["a"], open_=["a", "b"], is_cancelled=True),
            "stopped; 1 finished row is kept, 1 more in part: in 'x'",
        ),
        (
            lists(open_=[], is_cancelled=True),
            "stopped before a row was finished; nothing is kept",
        ),
    ],
)
def test_rows_of_the_table_are_counted_whatever_is_in_their_lists(run, told):
    """Items were counted, so that rows with empty lists were told to be lost."""
    with pytest.raises(SteerCancelled) as caught:
        check_outcome(run, kept_in="in 'x'")
    assert str(caught.value) == told


def test_items_of_the_one_list_are_its_rows():
    job = Job(("hi",), LIST, SteerOptions())
    run = Run(job, "fake", (Row(0, ["a", "b"], "", (), is_kept=True),), is_cancelled=True)
    with pytest.raises(SteerCancelled, match=r"^stopped; 2 finished rows are kept: in 'x'$"):
        check_outcome(run, kept_in="in 'x'")


def test_rows_with_empty_lists_are_gone_on_behind():
    with pytest.raises(BackendError) as caught:
        check_outcome(lists([], error=BackendError("it broke")), kept_in="in 'x'", is_cell=True)
    assert caught.value.__notes__ == [
        "1 finished row is kept: in 'x'; run the cell again to go on there"
    ]


@pytest.mark.parametrize(
    ("records", "told"), [(([],), "no line; 1 finished row is kept: in 'x'"), ((), "no line")]
)
def test_an_iterator_that_broke_tells_of_rows_only_where_some_are_kept(records, told):
    run = lists(*records)
    run.job.over.error = FrameError("no line")
    with pytest.raises(FrameError) as caught:
        check_outcome(run, kept_in="in 'x'")
    assert str(caught.value) == told
