"""Choices: classes asked one by one, and lines to be sorted."""

import pytest
from jsonschema import validate

from embedded_training.choice_examples import choice_example
from embedded_training.choice_questions import ask_across, ask_flags
from embedded_training.passages import Passage
from embedded_training.randomness import HeldOut, Source
from embedded_training.sorting_examples import N_LINES, sorting_example
from embedded_training.tables import families, telling_families


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


def classes_with(label):
    """Return the classes of telling families that may have a label, in whatever spelling."""
    asked_for = as_word(label.replace(" ", ""))
    return {
        (family, key)
        for family in telling_families(held_out=False)
        for key, meaning in families()[family].classes.items()
        if any(as_word(each.replace(" ", "")) == asked_for for each in meaning.labels)
    }


@pytest.mark.parametrize("seed", range(40))
def test_labels_of_different_families_stand_beside_each_other(seed):
    told = [("parcel_fate", "late"), ("buy_payment_way", "cash"), ("parcel_fate", "late")]
    question = ask_across(Source.seeded(seed), [Passage(meanings=dict([each])) for each in told])
    labels = question.field.labels
    assert len(labels) == len(set(labels)) >= 2
    for answer, each in zip(question.answers, told, strict=True):
        assert [label for label in labels if each in classes_with(label)] == [answer]


def test_the_families_of_the_labels_differ():
    asked = [
        ask_across(Source.seeded(seed), [Passage(meanings={"buy_payment_way": "cash"})])
        for seed in range(40)
    ]
    of_other_families = [
        all(family != "buy_payment_way" for family, _ in classes_with(label))
        for question in asked
        for label in question.field.labels
        if label not in question.answers
    ]
    assert 0.7 < sum(of_other_families) / len(of_other_families) < 1


@pytest.mark.parametrize("make", [choice_example, sorting_example])
def test_answers_are_labels_of_the_schema(make):
    for seed in range(200):
        told = make(Source.seeded(seed))
        validate(told.answer, told.schema)


@pytest.mark.parametrize("held_out", [HeldOut(), HeldOut(domains=True)])
def test_each_line_to_be_sorted_is_a_row(held_out):
    for seed in range(40):
        told = sorting_example(Source.seeded(seed, held_out))
        rows = rows_of(told.answer)
        assert len(rows) in N_LINES
        assert len([line for line in told.prompt.replace("|", "\n").splitlines() if line]) >= len(
            rows
        )
