"""Passages: the text says what the passage says it says."""

import pytest

from embedded_training.passages import Passage, fill, make_plan, write_passage
from embedded_training.randomness import HeldOut, Source, Value
from embedded_training.tables import concepts, domains, families


@pytest.mark.parametrize("domain", list(domains()))
@pytest.mark.parametrize("held_out", [False, True])
def test_every_value_of_a_passage_is_in_its_text(domain, held_out):
    source = Source.seeded(domain, HeldOut(templates=held_out))
    for _ in range(15):
        passage = write_passage(source, make_plan(source, domain, n_passages=1))
        assert passage.text
        assert all(value.text in passage.text for value in passage.values.values())
        items = [item for items in passage.lists.values() for item in items]
        assert all(item.written in passage.text for item in items)


@pytest.mark.parametrize("domain", list(domains()))
def test_no_template_mark_is_left_in_a_text(domain):
    source = Source.seeded(domain)
    for _ in range(15):
        text = write_passage(source, make_plan(source, domain, n_passages=1)).text
        assert not {"{", "}", "\0", "&lt;"} & {*text, *(["&lt;"] if "&lt;" in text else [])}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("weighs {weight} kg", "weighs 12 kg"),
        ("weighs {weight}, so", "weighs 12 kg, so"),
        ("({weight})", "(12 kg)"),
        ("order #{order_id}", "order #A-5"),
        ("order no. {order_id}", "order no. #A-5"),
        ("Dr. {person} came", "Dr. Sato came"),
        ("{person} came", "Mrs Sato came"),
    ],
)
def test_a_value_has_its_marks_unless_the_template_says_them(template, text):
    passage = Passage(
        values={
            "weight": Value("12", number=12, shown="12 kg"),
            "order_id": Value("A-5", shown="#A-5"),
            "person": Value("Sato", shown="Mrs Sato"),
        }
    )
    assert fill(Source.seeded(1), template, passage) == text


def test_the_topic_of_a_thing_is_the_topic_of_its_passage():
    source = Source.seeded(3)
    for _ in range(100):
        passage = write_passage(source, make_plan(source, "post", n_passages=1))
        if "thing" in passage.values:
            assert passage.meanings["topic"] == passage.values["thing"].topic


def test_meanings_are_classes_of_their_family():
    source = Source.seeded(4)
    for _ in range(100):
        passage = write_passage(source, make_plan(source, "post", n_passages=1))
        assert all(key in families()[name].classes for name, key in passage.meanings.items())


@pytest.mark.parametrize("template", ["from {sdate} to {edate}", "until {edate}, from {sdate} on"])
def test_a_day_that_follows_another_is_a_later_one(template):
    for seed in range(300):
        passage = Passage()
        fill(Source.seeded(seed), template, passage)
        first, last = passage.values["sdate"].date, passage.values["edate"].date
        assert not (first and last) or first < last


def test_what_a_concept_follows_is_a_concept():
    followed = {name for concept in concepts().values() for name in concept.follows}
    assert followed
    assert followed <= concepts().keys()
