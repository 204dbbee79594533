import random

import pytest

from steer_engine import (
    Choices,
    Engine,
    Request,
    RowDone,
    RowFailed,
    Steps,
    compose,
    open_engine,
    read_schema,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.reasoning import _TRAINED, PLAIN
from steer_engine.thinking import ThoughtMatcher, most_ending_tokens

PERSON = read_schema("name: str, born: int")
ANSWER = '{"name": "Ada", "born": 1815}'
VOCABULARY = FakeBackend().vocabulary


class ReasoningBackend(FakeBackend):
    """A model with tags; what it wants after them goes on with its wish."""

    chat_template = f"{FakeBackend.chat_template}{{# <think> </think> #}}"


def run(wish, *, schema=PERSON, backend=FakeBackend, **options):
    request = Request(0, compose("Who?", schema), schema, **options)
    with Engine(backend(wish)) as engine:
        events = list(engine.run([request]))
    end = next(event for event in events if isinstance(event, RowDone | RowFailed))
    steps = [step for event in events if isinstance(event, Steps) for step in event.steps]
    return end, steps


def test_a_model_thinks_and_then_answers_in_the_schema():
    end, steps = run(f"It was Ada.\nAnswer:\n{ANSWER}", n_thoughts=50)
    assert (end.record, end.text) == ({"name": "Ada", "born": 1815}, ANSWER)
    assert end.thoughts == "It was Ada."
    thought = [step for step in steps if step.is_thought]
    assert b"".join(step.spelling for step in thought) == b"It was Ada.\nAnswer:"
    assert {step.origin for step in thought} == {"chosen"}
    assert {step.pointer for step in thought} == {""}
    answer = b"".join(step.spelling for step in steps if not step.is_thought)
    assert answer.decode() == ANSWER
    assert "/name" in {step.pointer for step in steps}


def test_thoughts_end_with_their_budget():
    end, steps = run("and so on " * 20, n_thoughts=12)
    assert sum(step.is_thought for step in steps) == 12
    assert end.thoughts == "and so on an"
    assert end.record.keys() == {"name", "born"}


def test_thoughts_that_the_model_breaks_off_are_followed_by_the_answer():
    end, _ = run("It was Ada.", n_thoughts=50)
    assert end.thoughts == "It was Ada."
    assert end.record.keys() == {"name", "born"}


def test_thoughts_have_a_budget_of_their_own():
    end, _ = run(f"It was Ada.\nAnswer:\n{ANSWER}", n_thoughts=50, max_tokens=len(ANSWER))
    assert end.text == ANSWER


def test_a_model_with_tags_closes_them():
    wish = f"<think>\nHm.\n</think>\n\n{ANSWER}"  # what the template opens is part of it
    end, _ = run(wish, backend=ReasoningBackend, n_thoughts=50)
    assert (end.thoughts, end.text) == ("Hm.", ANSWER)


def test_text_forms_can_be_thought_about():
    end, _ = run("Yes, surely.\nAnswer:\nno", schema=Choices(("yes", "no")), n_thoughts=40)
    assert (end.record, end.thoughts) == ("no", "Yes, surely.")


def test_without_a_budget_nothing_is_thought():
    end, steps = run(ANSWER)
    assert end.thoughts == ""
    assert not any(step.is_thought for step in steps)


@pytest.mark.parametrize("schema", [None, PERSON, read_schema("str")])
@pytest.mark.parametrize("backend", [FakeBackend, ReasoningBackend])
def test_there_is_room_for_what_closes_the_thoughts(schema, backend):
    """Budgets that were used up to the last token once failed every row."""
    for wish in ("x" * 300, "t" * 20 + '\nAnswer:\n"' + "y" * 300):
        end, steps = run(wish, schema=schema, backend=backend, n_thoughts=20, max_tokens=42)
        assert isinstance(end, RowDone), end
        assert sum(step.is_thought for step in steps) == 20


def test_a_context_that_is_full_holds_thoughts_their_end_and_the_answer():
    engine = Engine(FakeBackend("x" * 300, context_length=300))
    request = Request(0, compose("Who?", None), None, max_tokens=300, n_thoughts=300)
    events = [*engine.run([request])]
    [end] = [event for event in events if isinstance(event, RowDone)]
    steps = [step for event in events if isinstance(event, Steps) for step in event.steps]
    n_ending = len(VOCABULARY.tokenize("\nAnswer:\n", parse_special=False))
    assert end.finish_reason == "context"
    assert engine.count_tokens(request) + len(steps) + n_ending == 300


@pytest.mark.parametrize("style", [PLAIN, *_TRAINED])
def test_no_thoughts_are_closed_with_more_tokens_than_there_is_room_for(style):
    most = most_ending_tokens(VOCABULARY, style)
    lead = style.lead_in
    afters = ["", *(lead[:end] for end in range(1, len(lead) + 1)), "else"]
    for thoughts in ("So.", *(f"So. {style.closing}{after}" for after in afters)):
        ending = style.ending(thoughts)
        assert ending in [*style.endings()]
        assert len(VOCABULARY.tokenize(ending, parse_special=True)) <= most


def test_the_matcher_of_thoughts_stops_at_what_closes_them_and_can_go_back():
    matcher = ThoughtMatcher(VOCABULARY, PLAIN.closing.encode())
    for token in VOCABULARY.tokenize("So. Answer:", parse_special=False):
        assert not matcher.is_stopped
        assert matcher.accept(token)
    ahead = matcher.copy()
    assert ahead.is_stopped
    ahead.rollback(1)
    assert not ahead.is_stopped
    assert matcher.is_stopped


def test_the_matcher_of_thoughts_finds_what_closes_them_wherever_tokens_end():
    rng, text = random.Random(7), ""
    matcher = ThoughtMatcher(VOCABULARY, b"aba")
    for _ in range(2000):
        if rng.random() < 0.3:
            n_back = rng.randint(0, min(4, len(text)))
            matcher.rollback(n_back)
            text = text[: len(text) - n_back]
        else:
            text += rng.choice("abc")
            matcher.accept(*VOCABULARY.tokenize(text[-1], parse_special=False))
        assert matcher.is_stopped == ("aba" in text)


@pytest.mark.parametrize("schema", [PERSON, Choices(("Ada", "Grace"))])
def test_the_embedded_model_thinks_and_answers(schema):
    request = Request(
        0, compose("Ada Lovelace was born in 1815.", schema), schema, n_thoughts=16, max_tokens=100
    )
    with open_engine() as engine:
        events = list(engine.run([request]))
    end = next(event for event in events if isinstance(event, RowDone | RowFailed))
    steps = [step for event in events if isinstance(event, Steps) for step in event.steps]
    assert isinstance(end, RowDone), end
    assert 0 < sum(step.is_thought for step in steps) <= 16
