"""Situations: every line of their tables can be told, and every answer is the right one."""

import re
from collections import Counter
from dataclasses import fields

import pytest
from jsonschema import Draft202012Validator

from embedded_training.corpus import ONLY_DOMAINS, Mixture, example
from embedded_training.passages import Passage
from embedded_training.randomness import HeldOut, Source, Value
from embedded_training.row_examples import in_one_text
from embedded_training.situation_examples import (
    Told,
    ask_about,
    facts_example,
    short_enough,
    situation_example,
    tell,
)
from embedded_training.situations import (
    MARK,
    MOST_RECORDS,
    WEIGHTS,
    AnsweredText,
    Situation,
    SituationQuestion,
    drawn_situations,
    situation_names,
    situations,
    situations_of_facts,
)
from embedded_training.tables import concepts, families
from embedded_training.wording import SLOT, one_of_many

ALL = tuple(situations().values())
TEXTS = [
    (each, text)
    for each in ALL
    for text in (*each.texts, *each.held_out_texts, *each.facts, *each.held_out_facts)
]
PART = SituationQuestion("part", "text", "", ("part",), (), ())
LATE = SituationQuestion("late", "bool", "", ("late",), (), ())


def situation_of(*texts, questions, record_keys=()):
    """Return a situation whose questions the tables know by those of another."""
    return Situation(
        name="office.sick_note",
        questions=questions,
        texts=tuple(texts),
        held_out_texts=(),
        row_names=("mails",),
        held_out=False,
        record_keys=frozenset(record_keys),
    )


def kind_of(situation, key):
    return next(question.kind for question in situation.questions if question.key == key)


def test_there_are_situations_for_training_and_for_evaluation_alone():
    assert len(situation_names(held_out=False)) > 150
    assert len(situation_names(held_out=True)) >= 8
    assert not set(situation_names(held_out=True)) & set(situation_names(held_out=False))
    for each in ALL:
        assert each.facts or (each.texts and each.held_out_texts)
        assert not each.texts or not each.facts


def test_every_slot_and_every_mark_belongs_to_a_question():
    for situation, text in TEXTS:
        for slot, _ in SLOT.findall(text.template):
            assert slot.removeprefix("_") in concepts(), (situation.name, slot)
        for key, *_ in MARK.findall(text.template):
            assert kind_of(situation, key) in ("text", "list"), (situation.name, key)


def test_every_answer_beside_a_text_is_one_that_its_question_takes():
    for situation, text in TEXTS:
        for key, answer in text.answers.items():
            name, _, record = key.partition("#")
            kind = kind_of(situation, name)
            if kind == "enum":
                assert answer in families()[situation.concept(name)].classes, situation.name
            elif kind in ("bool", "list"):
                assert answer in {"bool": ("yes", "no"), "list": ("none",)}[kind], situation.name
            else:
                assert record, (situation.name, key)
                assert re.fullmatch(r"=\d", answer), (situation.name, key)


def test_every_question_is_answered_by_a_text():
    for situation in ALL:
        texts = [text for each, text in TEXTS if each is situation]
        answered = {key.partition("#")[0] for text in texts for key in text.answers}
        answered |= {key for text in texts for key, *_ in MARK.findall(text.template)}
        slots = {slot for text in texts for slot, _ in SLOT.findall(text.template)}
        answered |= {slot.removeprefix(f"{situation.name}.").split(".")[0] for slot in slots}
        assert {question.key for question in situation.questions} <= answered, situation.name


def test_no_sign_of_the_notation_is_left_in_a_text():
    for situation, text in TEXTS:
        for seed in range(2):
            written = one_of_many(Source.seeded(f"{text.template} {seed}"), text.template)
            written = SLOT.sub("", MARK.sub("", written))
            assert not re.search(r"[{}]|\[[a-z_]+(#\d)?:\S|\w#\d\b", written), situation.name


def test_a_text_carries_its_values_and_the_spans_that_are_marked():
    text = AnsweredText("The [part:<lid|handle>] is off.", {})
    parts = set()
    for seed in range(20):
        passage = tell(Source.seeded(seed), situation_of(text, questions=(PART,))).passage
        part = passage.values["office.sick_note.part"].text
        assert part in passage.text
        assert "[" not in passage.text
        parts.add(part)
    assert parts == {"lid", "handle"}


def test_the_last_of_four_spans_is_kept_for_evaluation():
    text = AnsweredText("The [part:<lid|handle|wheel|left speaker>] is off.", {})
    situation = situation_of(text, questions=(PART,))

    def drawn(held_out):
        told = [tell(Source.seeded(seed, held_out), situation) for seed in range(60)]
        return {each.passage.values["office.sick_note.part"].text for each in told}

    assert drawn(HeldOut()) == {"lid", "handle", "wheel"}
    assert drawn(HeldOut(values=True)) == {"lid", "handle", "wheel", "left speaker"}


def test_the_records_of_a_text_have_values_and_answers_of_their_own():
    text = AnsweredText(
        "The [part#1:lid] is late, the [part#2:handle] is here. <It is a pity.|>",
        {"late#1": "yes", "late#2": "no"},
    )
    situation = situation_of(text, questions=(PART, LATE), record_keys=("part", "late"))
    told = tell(Source.seeded(1), situation)
    assert [record.text.answers for record in told.records] == [{"late": "yes"}, {"late": "no"}]
    parts = [record.passage.values["office.sick_note.part"].text for record in told.records]
    assert parts == ["lid", "handle"]
    assert not told.passage.values


def test_records_may_share_a_value():
    text = AnsweredText("[part#1:Lid] and [maker#1:a] [part#2:handle]", {"maker#2": "=1"})
    maker = SituationQuestion("maker", "text", "", ("maker",), (), ())
    situation = situation_of(text, questions=(PART, maker), record_keys=("part", "maker"))
    told = tell(Source.seeded(1), situation)
    makers = [record.passage.values["office.sick_note.maker"].text for record in told.records]
    assert makers == ["a", "a"]


def test_a_question_that_one_of_several_texts_leaves_open_is_not_asked():
    situation = next(each for each in ALL if any(q.kind == "person" for q in each.questions))
    person = next(q for q in situation.questions if q.kind == "person")
    named = Passage("Ann", values={situation.concept(person.key): Value("Ann")})
    told = [Told(AnsweredText("", {"late": "yes"}), named), Told(AnsweredText("", {}), Passage())]
    asked = ask_about(Source.seeded(1), situation, (LATE, person), told, most=4)
    assert [each.answers for each in asked] == [("Ann", None)]


def test_held_out_texts_are_told_in_evaluation_only():
    for seed in range(100):
        source = Source.seeded(seed)
        situation = source.pick([each for each in ALL if each.texts])
        assert tell(source, situation).text in situation.texts
        held_out = Source.seeded(seed, HeldOut(templates=True))
        assert tell(held_out, situation).text in situation.held_out_texts


@pytest.mark.parametrize("make", [situation_example, facts_example])
@pytest.mark.parametrize("held_out", [HeldOut(), HeldOut(templates=True), HeldOut(domains=True)])
def test_every_answer_is_valid(held_out, make):
    for seed in range(200):
        item = make(Source.seeded(seed, held_out))
        Draft202012Validator(
            item.schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        ).validate(item.answer)


@pytest.mark.parametrize("name", situations_of_facts())
def test_a_question_is_answered_by_one_fact_of_a_text(name):
    situation = situations()[name]
    for seed in range(30):
        text = tell(Source.seeded(seed), situation).text
        told = [
            situation.keys_told(fact)
            for fact in situation.facts
            if fact.template[1:] in text.template
        ]
        assert situation.keys_told(text) <= frozenset().union(*told)
        assert len(MARK.findall(text.template)) == len({m[0] for m in MARK.findall(text.template)})
        slots = [slot for slot, _ in SLOT.findall(text.template) if not slot.startswith("_")]
        assert len(slots) == len(set(slots)), text.template


@pytest.mark.parametrize("name", situations_of_facts())
def test_no_name_of_a_situation_of_facts_is_that_of_two_questions(name):
    names = [
        each
        for question in situations()[name].questions
        for each in (*question.names, *question.held_out_names)
    ]
    assert len(names) == len(set(names))


def test_held_out_facts_are_told_in_evaluation_only():
    situation = situations()[situations_of_facts()[0]]
    kept = {fact.template[1:] for fact in situation.held_out_facts}
    for seed in range(20):
        usual = tell(Source.seeded(seed), situation).text.template
        assert not any(each in usual for each in kept)
        held_out = tell(Source.seeded(seed, HeldOut(templates=True)), situation).text.template
        assert any(each in held_out for each in kept)


def test_the_mixtures_draw_situations():
    only = Mixture(**{each.name: float(each.name == "situation") for each in fields(Mixture)})
    drawn = [example(seed, mixture=only) for seed in range(5)]
    assert drawn == [example(seed, mixture=only) for seed in range(5)]
    assert ONLY_DOMAINS.situation > 0


@pytest.mark.parametrize("held_out", [False, True])
def test_plain_and_crowded_situations_are_drawn_more_often(held_out):
    drawn = Counter(drawn_situations(held_out=held_out))
    made_of_facts = {
        name for name in situation_names(held_out=held_out) if situations()[name].facts
    }
    assert set(drawn) == set(situation_names(held_out=held_out)) - made_of_facts
    for start, weight in WEIGHTS.items():
        assert {drawn[name] for name in drawn if name.startswith(start)} == {weight}
    assert {drawn[name] for name in drawn if not name.startswith(tuple(WEIGHTS))} == {1}


def test_the_limits_of_an_amount_are_above_zero():
    for situation in ALL:
        for question in situation.questions:
            if question.kind == "money" and question.arguments:
                low, high = map(int, question.arguments.split())
                assert 0 < low < high, (situation.name, question.key)


def test_dates_come_in_the_order_that_their_questions_say():
    n_ordered = 0
    for situation in ALL:
        ordered = sorted(
            (q.arguments, q.key) for q in situation.questions if q.kind == "date" and q.arguments
        )
        for seed in range(6) if len(ordered) > 1 else ():
            values = tell(Source.seeded(seed), situation).passage.values
            for record in ("", *range(1, MOST_RECORDS + 1)):
                named = [situation.concept(key, record) for _, key in ordered]
                days = [values[name].date for name in named if name in values]
                n_ordered += len(days) > 1
                assert days == sorted(set(days)), situation.name
    assert n_ordered > 300


def test_several_texts_are_few_enough_to_be_read_at_once():
    told = [Told(AnsweredText("", {}), Passage("word " * 100)) for _ in range(5)]
    assert len(short_enough(told)) == 2
    told = [Told(AnsweredText("", {}), Passage("word " * 60)) for _ in range(5)]
    assert len(short_enough(told)) == 4
    assert len(short_enough([*told[:1], Told(AnsweredText("", {}), Passage("x " * 400))])) == 2


def test_texts_with_paragraphs_are_told_apart_by_more_than_a_blank_line():
    texts = ["Dear Ann,\n\nhello.", "Dear Bob,\n\nhi."]
    for seed in range(50):
        joined = in_one_text(Source.seeded(seed), texts)
        between = joined.removeprefix(texts[0]).removesuffix(texts[1])
        assert between.strip() or between.count("\n") > 2


def test_the_times_of_a_situation_are_in_their_order():
    ordered = [
        {q.arguments: each.concept(q.key) for q in each.questions if q.kind == "clock_time"}
        for each in ALL
        if any(q.kind == "clock_time" and q.arguments for q in each.questions)
    ]
    assert len(ordered) > 40
    by_name = {each.name: each for each in ALL}
    n_pairs = 0
    for places in ordered:
        situation = by_name[places["1"].rsplit(".", 1)[0]]
        for seed in range(20):
            values = tell(Source.seeded(seed), situation).passage.values
            if places["1"] in values and places["2"] in values:
                n_pairs += 1
                assert values[places["1"]].time < values[places["2"]].time
    assert n_pairs > 100
