"""The embedded model reads prompts of up to the 2,048 tokens that it states."""

import math

import pytest

from steer_engine import (
    PromptTooLongError,
    Request,
    RowDone,
    RowFailed,
    Steps,
    compose,
    open_engine,
    read_schema,
)

SCHEMA = read_schema('code: str, status: "open" | "closed"')
FILLER = "The next line of this long letter says nothing about any code at all. "
ROOM = 100  # tokens left for the answer


@pytest.fixture(scope="module")
def engine():
    with open_engine() as engine:
        yield engine


def letter(engine, *, code, n_tokens):
    """A letter whose prompt has up to `n_tokens` tokens, with the code in its first line."""

    def request(n_lines):
        text = f"The code is {code}. The ticket is closed.\n" + n_lines * FILLER
        return Request(0, compose(text, SCHEMA), SCHEMA, max_tokens=ROOM)

    length = engine.count_tokens(request(1))
    a_line = engine.count_tokens(request(2)) - length
    return request(1 + (n_tokens - length) // a_line)


def run(engine, request):
    events = list(engine.run([request]))
    steps = [step for event in events if isinstance(event, Steps) for step in event.steps]
    [row] = [event for event in events if isinstance(event, RowDone | RowFailed)]
    return row, steps


def test_a_prompt_of_nearly_2048_tokens_is_read_and_continued(engine):
    assert engine.info.context_length == 2048
    row, steps = run(engine, letter(engine, code="KX-4471", n_tokens=2048 - ROOM))
    assert engine.count_tokens(letter(engine, code="KX-4471", n_tokens=2048 - ROOM)) > 1920
    # What it answers is a matter of quality; that it computes at this length is not.
    assert steps
    chosen = [step.logprob for step in steps if step.logprob is not None]
    assert chosen
    assert all(math.isfinite(logprob) and logprob <= 1e-4 for logprob in chosen)
    assert row.row == 0


def test_the_first_line_reaches_the_answer_from_the_far_end(engine):
    """The same letter with another code, equally long: the first choice is made otherwise."""
    first = {}
    for code in ("KX-4471", "BR-9023"):
        _, steps = run(engine, letter(engine, code=code, n_tokens=2048 - ROOM))
        first[code] = next(step.logprob for step in steps if step.logprob is not None)
    assert first["KX-4471"] != pytest.approx(first["BR-9023"], abs=1e-4)


def test_a_prompt_that_fills_the_context_is_refused_in_one_line(engine):
    row, steps = run(engine, letter(engine, code="KX-4471", n_tokens=2200))
    assert isinstance(row, RowFailed)
    assert isinstance(row.error, PromptTooLongError)
    assert not steps
