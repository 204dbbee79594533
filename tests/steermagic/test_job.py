"""A job knows its rows without holding them, and asks only what can be asked."""

from __future__ import annotations

from itertools import islice

import pandas as pd
import pytest

from steer_engine import read_schema
from steermagic.errors import InterpolationError
from steermagic.job import Job, job_over
from steermagic.options import SteerOptions
from steermagic.schemas import FoundSchema

FOUND = FoundSchema(read_schema("b: int"))


def over(data, prompt="{{ text }}", **names) -> Job:
    return job_over(data, prompt, FOUND, SteerOptions(over="t"), namespace=names)


def test_one_prompt_is_one_row():
    job = Job(("hi",), FOUND, SteerOptions())
    assert job.n_rows == 1
    assert job.table() is None
    assert job.reading_error is None
    assert [request.row for request in job.requests()] == [0]
    assert job.inputs(0) == (("prompt", "hi"),)


def test_requests_are_made_one_by_one():
    asked = []
    job = over(range(100_000), "{{ note(text) }}", note=lambda n: asked.append(n) or "x")
    first, second = islice(job.requests(), 2)
    assert (first.row, second.row) == (0, 1)
    assert asked == [0, 1]
    assert job.n_rows == 100_000


def test_a_row_that_cannot_be_asked_is_passed_over_with_its_reason():
    job = over([2, 0, 1, 0], "{{ 1 // text }}")
    for _ in range(2):  # requests can be made anew
        assert [request.row for request in job.requests()] == [0, 2]
        assert [*job.row_errors] == [1, 3]
    assert "row 1 of the table: {{ 1 // text }} raised ZeroDivision" in str(job.row_errors[1])
    assert job.inputs(1) == ()
    assert job.inputs(2) == (("1 // text", "1"),)


def test_an_empty_prompt_fails_alone():
    job = over(["x", None, "y"])
    assert [request.row for request in job.requests()] == [0, 2]
    assert "the prompt is empty" in str(job.row_errors[1])


def test_the_inputs_of_copied_texts_are_those_of_the_request():
    found = FoundSchema(read_schema("b: verbatim"))
    numbers = iter(range(3))
    options = SteerOptions(over="t")
    names = {"numbers": numbers}
    job = job_over([*"abc"], "{{ next(numbers) }} {{ text }}", found, options, namespace=names)
    requests = [*job.requests()]
    assert [request.inputs for request in requests] == [("0", "a"), ("1", "b"), ("2", "c")]
    assert job.inputs(1) == (("next(numbers)", "1"), ("text", "b"))


def test_inputs_that_columns_give_again_are_not_kept():
    """The whole table was there a second time for as long as the run was remembered."""
    found, table = FoundSchema(read_schema("b: verbatim")), [{"a": "x", "my b": "y"}]
    prompt = "{{ a }} {{ row['my b'] }} {{ row[\"a\"] }} {{ row['a'].upper() }}"
    for template, is_kept in ((prompt, True), (prompt.rpartition(" {{")[0], False)):
        job = job_over(table, template, found, SteerOptions(over="t"), namespace={})
        [request] = job.requests()
        assert bool(job._copied) == is_kept
        assert tuple(text for _, text in job.inputs(0)) == request.inputs


def test_why_a_copied_text_cannot_be_had_again_is_told():
    class Gone(tuple):
        __slots__ = ()

        def __getitem__(self, number):
            raise InterpolationError("there is no variable 'text'")

    job = Job(Gone(("a",)), FoundSchema(read_schema("b: verbatim")), SteerOptions())
    with pytest.raises(InterpolationError, match="no variable 'text'"):
        job.inputs(0)


def test_a_prompt_that_cannot_be_filled_in_again_has_no_inputs():
    job = over([*"ab"], "{{ next(numbers) }} {{ text }}", numbers=iter(range(2)))
    assert len([*job.requests()]) == 2
    assert job.inputs(1) == ()


def test_an_iterator_is_read_once_and_kept():
    job = over(iter("abc"))
    assert (job.n_rows, len(job.prompts)) == (None, 1)
    assert len([*job.requests()]) == len([*job.requests()]) == len(job.prompts) == 3
    pd.testing.assert_frame_equal(job.table(), pd.DataFrame({"text": ["a", "b", "c"]}))


def test_of_a_table_the_rows_that_were_not_reached_are_there_too():
    job = over(["a", "b", "c"])
    next(job.requests())
    assert len(job.prompts) == len(job.table()) == 3
