"""Examples of situations: one text as one object, and several texts or records as rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from embedded_training import choice_questions, questions
from embedded_training.asking import Example, list_example, object_example, with_instruction
from embedded_training.envelopes import enclosed, with_aside
from embedded_training.field_names import name_field
from embedded_training.names import person
from embedded_training.passages import Passage, disturbed, fill
from embedded_training.questions import Question, nest, with_distinct_names
from embedded_training.randomness import Source, Value
from embedded_training.row_examples import in_one_text
from embedded_training.situations import (
    MARK,
    MOST_RECORDS,
    UNDERSTOOD,
    AnsweredText,
    Situation,
    SituationQuestion,
    drawn_situations,
    naming_columns,
    situations,
    situations_of_facts,
)
from embedded_training.tables import Naming
from embedded_training.values import IN_ORDER
from embedded_training.wording import capitalised, joined, one_of_many

_MARKED_CHOICE = re.compile(r"(\[\w+(?:#\d)?:)<([^<>]*)>\]")
N_WITH_HELD_OUT = 4
P_ROWS = 0.12
P_ROWS_OF_FACTS = 0.3
P_FACTS_ALIKE = 0.85  # in rows: all of them say the same facts in the same order
N_FACTS = (1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10, 12)
P_FLAGS = 0.25  # of an enum: its classes are asked for one by one as well
MOST_WORDS = 250  # of several texts in one
_FIRST_NAME = re.compile(r"\{([a-z][\w.]*)~first\}")


@dataclass(frozen=True, slots=True)
class Told:
    """One text of a situation, with its values, and the answers that it does not hold."""

    text: AnsweredText
    passage: Passage
    records: tuple["Told", ...] = ()


def situation_example(source: Source) -> Example:
    """Return a situation with its questions."""
    situation = situations()[source.pick(drawn_situations(held_out=source.held_out.domains))]
    if situation.record_keys:
        return _records_example(source, situation)
    return _example_of(source, situation, p_rows=P_ROWS)


def facts_example(source: Source) -> Example:
    """Return some facts of a situation, with questions about them.

    They are short and full of values of one kind, so that what stands around a value must tell
    which question it answers.
    """
    situation = situations()[source.pick(situations_of_facts())]
    return _example_of(source, situation, p_rows=P_ROWS_OF_FACTS)


def _example_of(source: Source, situation: Situation, *, p_rows: float) -> Example:
    """Return a text of a situation, or several texts below each other."""
    if source.chance(p_rows):
        return _rows_example(source, situation, n_texts=source.pick((2, 2, 2, 3, 3, 4, 5)))
    told = tell(source, situation)
    asked = ask_about(source, situation, situation.questions, [told], most=8)
    is_full = all(question.answers != (None,) for question in asked)
    if len(asked) > 3 and source.chance(0.1):
        asked = nest(source, asked)
    passage = told.passage
    if is_full and source.chance(0.2):
        # What stands around a text could answer a question that the text leaves open.
        passage = source.pick((with_aside, enclosed))(source, passage)
    text = with_instruction(source, passage.text, situation.row_names, asked)
    return object_example(source, text, asked)


def _rows_example(source: Source, situation: Situation, *, n_texts: int) -> Example:
    """Return several texts below each other, asked for as rows."""
    are_alike = situation.facts and source.chance(P_FACTS_ALIKE)
    shared = _some_facts(source, situation, most=4) if are_alike else None
    told = short_enough([tell(source, situation, shared) for _ in range(n_texts)])
    asked = ask_about(source, situation, situation.questions, told, most=4)
    text = in_one_text(source, [each.passage.text for each in told])
    text = with_instruction(source, text, situation.row_names, asked)
    return list_example(source, text, source.pick(situation.row_names), asked)


def short_enough(told: Sequence[Told]) -> Sequence[Told]:
    """Return as many of the texts as `MOST_WORDS` allow, but two at least."""
    n_words = accumulate(len(each.passage.text.split()) for each in told)
    n_kept = sum(n <= MOST_WORDS for n in n_words)
    return told[: max(2, n_kept)]


def _records_example(source: Source, situation: Situation) -> Example:
    """Return a text of several records, asked for as rows."""
    told = tell(source, situation)
    about_records, about_text = (situation.questions_of(records=each) for each in (True, False))
    asked = ask_about(source, situation, about_records, told.records, most=5, more=[told.passage])
    around: list[Question] = []
    if about_text and source.chance(0.4):
        around = ask_about(
            source,
            situation,
            about_text,
            [told],
            most=3,
            more=[record.passage for record in told.records],
        )
    text = with_instruction(source, told.passage.text, situation.row_names, asked)
    return list_example(source, text, source.pick(situation.row_names), asked, around=around)


def tell(source: Source, situation: Situation, text: AnsweredText | None = None) -> Told:
    """Return a text with new values; one of the situation's, if none is given."""
    text = text or _draw_text(source, situation)
    passage = Passage()
    for question in situation.questions:
        if question.kind == "list":
            passage.lists[situation.concept(question.key)] = []
    template = one_of_many(source, _drawn_spans(source, text.template))
    template = _unmarked(source, situation, template, passage)
    for name in sorted(set(_FIRST_NAME.findall(template))):
        if f"{{{name}}}" not in template:
            # Where a text has no more than the first name of a person, that is the answer.
            passage.values[name] = Value(person(source).text.split()[0])
            template = template.replace(f"{{{name}~first}}", f"{{{name}}}")
    _draw_in_order(source, situation, template, passage)
    passage.text = fill(source, template, passage)
    told = Told(text, passage, tuple(_records(situation, text, passage)))
    for each in (told, *told.records):
        each.passage.meanings |= _meanings(situation, each.text)
    own = {situation.concept(question.key) for question in situation.questions}
    passage.values = {name: value for name, value in passage.values.items() if name in own}
    return told


def _draw_text(source: Source, situation: Situation) -> AnsweredText:
    if situation.facts:
        return _some_facts(source, situation, most=max(N_FACTS))
    if source.held_out.templates and situation.held_out_texts:
        return source.pick(situation.held_out_texts)
    return source.pick(situation.texts)


def _some_facts(source: Source, situation: Situation, *, most: int) -> AnsweredText:
    """Return a text of facts that tell different things, in random order."""
    pool = situation.facts
    if source.held_out.templates and situation.held_out_facts:
        pool = situation.held_out_facts
    n_facts = min(most, source.pick(N_FACTS))
    told: set[str] = set()
    chosen: list[AnsweredText] = []
    for fact in source.rng.sample(pool, len(pool)):
        keys = situation.keys_told(fact)
        if len(chosen) < n_facts and told.isdisjoint(keys):
            chosen.append(fact)
            told |= keys
    parts = [capitalised(source, fact.template) for fact in chosen]
    answers = {key: answer for fact in chosen for key, answer in fact.answers.items()}
    return AnsweredText(joined(source, parts), answers)


def _draw_in_order(source: Source, situation: Situation, template: str, passage: Passage) -> None:
    """Draw the days and times whose order the questions say, in each record."""
    for kind, in_order in IN_ORDER.items():
        ordered = sorted(
            (question.arguments, question.key)
            for question in situation.questions
            if question.kind == kind and question.arguments
        )
        for record in ("", *range(1, MOST_RECORDS + 1)) if ordered else ():
            names = [situation.concept(key, record) for _, key in ordered]
            told = [name for name in names if f"{{{name}}}" in template]
            passage.values |= zip(told, in_order(source, len(told)), strict=True)


def _drawn_spans(source: Source, template: str) -> str:
    """Choose what stands in each mark; the last of four or more is kept for evaluation."""

    def drawn(match: re.Match[str]) -> str:
        usual = kept = match[2].split("|")
        if len(usual) >= N_WITH_HELD_OUT:
            *usual, last = usual
            kept = [last]
        use_kept = source.held_out.values and source.chance(0.5)
        return f"{match[1]}{source.pick(kept if use_kept else usual)}]"

    return _MARKED_CHOICE.sub(drawn, template)


def _meanings(situation: Situation, text: AnsweredText) -> dict[str, str]:
    """Return the classes that a text shows, by the families of meanings."""
    return {
        situation.concept(question.key): text.answers[question.key]
        for question in situation.questions
        if question.kind == "enum" and question.key in text.answers
    }


def _records(situation: Situation, text: AnsweredText, passage: Passage) -> Iterator[Told]:
    """Yield the records of a text: all numbers that one of its values has."""
    keys = situation.record_keys
    for number in range(1, MOST_RECORDS + 1):
        if not any(situation.concept(key, number) in passage.values for key in keys):
            continue
        answered = text.of_record(number)
        values = {}
        for key in keys:
            shared = re.fullmatch(r"=(\d)", answered.answers.get(key, ""))
            place = situation.concept(key, shared[1] if shared else number)
            if place in passage.values:
                values[situation.concept(key)] = passage.values[place]
        yield Told(answered, Passage(values=values))


def _unmarked(source: Source, situation: Situation, template: str, passage: Passage) -> str:
    """Return the template without its marks; what they mark goes into the passage."""
    is_list = {question.key: question.kind == "list" for question in situation.questions}
    pieces: list[str] = []
    end = 0
    for mark in MARK.finditer(template):
        name, value = situation.concept(mark[1], mark[2] or ""), Value(mark[3])
        if is_list[mark[1]]:
            passage.lists[name].append(value)
        else:
            passage.values[name] = value
        pieces += [template[end : mark.start()], mark[3]]
        end = mark.end()
    pieces.append(template[end:])
    # What is marked stays letter by letter; only what stands between may be disturbed.
    place = 2 * source.between(0, len(pieces) // 2)
    pieces[place] = disturbed(source, pieces[place])
    return "".join(pieces)


def ask_about(
    source: Source,
    situation: Situation,
    about: Sequence[SituationQuestion],
    told: Sequence[Told],
    *,
    most: int,
    more: Sequence[Passage] = (),
) -> list[Question]:
    """Return up to `most` questions with their answers, and up to three that have none.

    `more` are other passages of the same text, whose values the names must not fit as well.
    """
    answered = [question for question in about if _is_answered(situation, question, told)]
    absent = [
        question
        for question in about
        if question.kind not in (*UNDERSTOOD, "list") and question not in answered
    ]
    count = min(len(answered), source.between(1, most) if source.chance(0.5) else most)
    kept = source.rng.sample(answered, count)
    # Where a text says that there are no records, none of their questions has an answer.
    n_absent = source.pick((0, 0, 1, 1, 2, 3)) if answered else 2
    kept += source.rng.sample(absent, min(len(absent), n_absent))
    asked = [_ask(source, situation, question, told, more) for question in kept]
    for question in kept:
        if question.kind == "enum" and source.chance(P_FLAGS):
            family, passages = situation.concept(question.key), [each.passage for each in told]
            asked += choice_questions.ask_flags(source, family, passages, most=2)
    source.rng.shuffle(asked)
    return with_distinct_names(asked)


def _is_answered(situation: Situation, question: SituationQuestion, told: Sequence[Told]) -> bool:
    if question.kind in UNDERSTOOD:
        return bool(told) and all(question.key in each.text.answers for each in told)
    name = situation.concept(question.key)
    if question.kind == "list":
        is_none = question.key in told[0].text.answers
        return len(told) == 1 and (is_none or bool(told[0].passage.lists[name]))
    return any(name in each.passage.values for each in told)


def _ask(
    source: Source,
    situation: Situation,
    question: SituationQuestion,
    told: Sequence[Told],
    more: Sequence[Passage],
) -> Question:
    name, passages = situation.concept(question.key), [each.passage for each in told]
    if question.kind == "bool":
        field, description = name_field(source, Naming.read(naming_columns(question)))
        answers = [each.text.answers[question.key] == "yes" for each in told]
        return choice_questions.yes_or_no(source, field, description, answers)
    if question.kind == "enum":
        return choice_questions.ask_meaning(source, name, passages)
    if question.kind == "list":
        return questions.ask_list(source, name, passages[0])
    return questions.ask_slot(source, name, passages, more=more)
