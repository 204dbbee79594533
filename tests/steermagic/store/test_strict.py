"""`--strict` stops at the first row that fails, and keeps those before."""

from __future__ import annotations

import pytest

from steer_engine import PromptTooLongError
from steermagic.outcomes import check_outcome

LONG = "word " * 2000
TEXTS = [*(f"text {n}" for n in range(200)), LONG, *(f"more {n}" for n in range(200))]


def test_the_first_failure_ends_the_run(kernel):
    one = kernel()
    run = one.run(TEXTS, strict=True)
    assert 0 < len(run.records) < 250
    with pytest.raises(PromptTooLongError, match="the prompt has") as caught:
        check_outcome(run, kept_in="in 'kept'")
    [note] = caught.value.__notes__
    assert note == f"--strict stopped the run; {len(run.records)} finished rows are kept: in 'kept'"
    assert one.states == ["stopped"]


def test_its_rows_are_taken_up_by_the_next_run(kernel):
    n_kept = len(kernel().run(TEXTS, strict=True).records)
    again = kernel()
    run = again.run([text for text in TEXTS if text != LONG], strict=True)
    assert len(again.asked) == 400 - n_kept
    assert run.errors == {}
    assert again.states == ["continued", "done"]


def test_without_it_the_run_goes_on(kernel):
    run = kernel().run(["a", LONG, "b"])
    check_outcome(run, kept_in="")
    assert len(run.records) == 2


def test_a_row_that_cannot_be_asked_about_counts(kernel):
    one = kernel()
    job = one.job(
        [*map(str, range(300))], prompt="{{ text }} {{ 1 // (int(text) - 250) }}", strict=True
    )
    run = one.follow(job)
    assert list(run.errors) == [250]
    assert max(one.asked) < 250
    assert one.states == ["stopped"]
