"""Choices: classes asked one by one, and lines to be sorted."""

import pytest

from embedded_training.choice_questions import ask_flags
from embedded_training.passages import Passage
from embedded_training.randomness import HeldOut, Source
from embedded_training.sorting_examples import N_LINES, sorting_example
from embedded_training.tables import families


def rows_of(answer):
    """Return the rows of an answer: the whole of it, or the one list in it."""
    if isinstance(answer, list):
        return answer
    return next(value for value in answer.values() if isinstance(value, list))


def as_word(name):
    return name.replace("_", "").lower()


@pytest.mark.parametrize("seed", range(20))
def test_the_flag_of_a_class_is_true_of_its_passages_only(seed):
    told = ["late", "damaged", "late"]
    passages = [Passage(meanings={"parcel_fate": meaning}) for meaning in told]
    classes = families()["parcel_fate"].classes
    class_of = {as_word(name): key for key in classes for name in classes[key].flag.names}
    asked = ask_flags(Source.seeded(seed), "parcel_fate", passages, most=4)
    assert 1 <= len(asked) <= 4
    for question in asked:
        fits = [word for word in class_of if word in as_word(question.field.name)]
        asked_for = class_of[max(fits, key=len)]
        if question.field.kind == "bool":
            assert list(question.answers) == [meaning == asked_for for meaning in told]


def test_flags_ask_for_classes_that_are_there_and_for_others():
    passages = [Passage(meanings={"parcel_fate": "late"})]
    answers = [
        question.answers[0]
        for seed in range(60)
        for question in ask_flags(Source.seeded(seed), "parcel_fate", passages, most=3)
        if question.field.kind == "bool"
    ]
    assert 0.2 < sum(answers) / len(answers) < 0.6


@pytest.mark.parametrize("held_out", [HeldOut(), HeldOut(domains=True)])
def test_each_line_to_be_sorted_is_a_row(held_out):
    for seed in range(40):
        told = sorting_example(Source.seeded(seed, held_out))
        rows = rows_of(told.answer)
        assert len(rows) in N_LINES
        assert len([line for line in told.prompt.replace("|", "\n").splitlines() if line]) >= len(
            rows
        )
