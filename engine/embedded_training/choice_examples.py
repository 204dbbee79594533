"""Examples of choices only: enums and yes-or-no questions about a sentence or a few.

They are short, so that a training sees many of them: choosing needs more examples than copying.
"""

import re
from collections.abc import Callable

from embedded_training import choice_questions
from embedded_training.asking import Example, object_example, row_names, with_instruction
from embedded_training.field_names import styled
from embedded_training.names import thing
from embedded_training.passages import Passage, choose, meaning_sentence, truth_sentence
from embedded_training.questions import Question, with_distinct_names
from embedded_training.randomness import Source, pseudo_word
from embedded_training.schemas import Field
from embedded_training.tables import (
    Words,
    drawn_families,
    families,
    stated_labels,
    telling_families,
    truths,
)
from embedded_training.wording import filler, joined, one_of_many

Asked = tuple[str, Question]
"""A sentence, and a question that it answers."""

P_ACROSS = 0.3
P_FLAGS = 0.3


def choice_example(source: Source) -> Example:
    """Return one to three sentences, each with a question about it."""
    dice = source.rng.random()
    if dice < P_ACROSS:
        return _across_example(source)
    if dice < P_ACROSS + P_FLAGS:
        return _flags_example(source)
    makers = (choose_meaning,) if source.held_out.domains else MAKERS
    drawn = [source.pick(makers) for _ in range(source.pick((1, 1, 1, 2, 2, 3)))]
    # The sentences of two meanings could contradict each other.
    rest = [make for make in drawn if make is not choose_meaning]
    drawn = rest if len(rest) == len(drawn) else [choose_meaning, *rest]
    pairs = [make(source) for make in drawn]
    sentences = [sentence for sentence, _ in pairs]
    if source.chance(0.3):
        sentences.append(filler(source))
    source.rng.shuffle(sentences)
    text = source.pick((". ", "\n", ", ", "! ", " - ", " ")).join(sentences)
    asked = with_distinct_names(question for _, question in pairs)
    source.rng.shuffle(asked)
    return object_example(source, with_instruction(source, text, row_names(""), asked), asked)


def _flags_example(source: Source) -> Example:
    """Return sentences of one class, asked for it and for others one by one."""
    family, meaning, text = _draw_meaning(source, drawn_families)
    passages = [Passage(text, meanings={family: meaning})]
    asked = choice_questions.ask_flags(source, family, passages, most=4)
    if source.chance(0.7):
        asked.append(choice_questions.ask_meaning(source, family, passages))
    source.rng.shuffle(asked)
    asked = with_distinct_names(asked)
    return object_example(source, with_instruction(source, text, row_names(""), asked), asked)


def _across_example(source: Source) -> Example:
    """Return sentences of one class, with a choice among the labels of different families."""
    family, meaning, text = _draw_meaning(source, telling_families)
    asked = [choice_questions.ask_across(source, [Passage(text, meanings={family: meaning})])]
    return object_example(source, with_instruction(source, text, row_names(""), asked), asked)


def choose_meaning(source: Source) -> Asked:
    """Ask for a class that one to three sentences show."""
    family, meaning, text = _draw_meaning(source, drawn_families)
    passage = Passage(meanings={family: meaning})
    return text, choice_questions.ask_meaning(source, family, [passage])


def _draw_meaning(source: Source, names: Callable[..., Words]) -> tuple[str, str, str]:
    """Return a family, one of its classes, and one to three sentences that show it."""
    family = source.pick(names(held_out=source.held_out.domains))
    meaning = source.pick(tuple(families()[family].classes))
    shown = [meaning_sentence(source, family, meaning) for _ in range(source.pick((1, 1, 2, 3)))]
    return family, meaning, joined(source, list(dict.fromkeys(shown)))


THING_LAYOUTS = (
    "THING", "the THING", "got a THING", "my new THING", "paid for the THING", "THING, again",
    "THING for sale", "about the THING",
)  # fmt: skip


def choose_topic(source: Source) -> Asked:
    """Ask for the topic of a thing."""
    value = thing(source)
    passage = Passage(meanings={"topic": value.topic or ""})
    sentence = source.pick(THING_LAYOUTS).replace("THING", value.text)
    return sentence, choice_questions.ask_meaning(source, "topic", [passage])


def choose_label(source: Source) -> Asked:
    """Ask for a label that a sentence states."""
    name = source.pick(tuple(stated_labels()))
    label = source.pick(stated_labels()[name].labels)
    sentence = one_of_many(source, choose(source, stated_labels()[name].cues)).replace("{x}", label)
    return sentence, choice_questions.ask_label(source, name, [Passage(labels={name: label})])


def choose_word(source: Source) -> Asked:
    """Ask which of some words without a meaning of their own stands in the text."""
    words = {_any_word(source) for _ in range(source.between(2, 5))}
    labels = tuple(source.rng.sample(sorted(words), len(words)))
    word, name = source.pick(labels), _any_word(source)
    layout = source.pick(
        ("NAME: WORD", "NAME WORD", "the NAME is WORD", "WORD", "it says WORD", "we chose WORD",
         "WORD was picked", "NAME = WORD", "a WORD NAME", "NAME (WORD)")
    )  # fmt: skip
    sentence = layout.replace("NAME", name).replace("WORD", word)
    field = Field(styled(source, re.sub(r"\W", "_", name)), "enum", labels=labels)
    return sentence, Question(field, (word,))


def _any_word(source: Source) -> str:
    lists = ("common_words", "title_words", "foods", "colors")
    return pseudo_word(source) if source.chance(0.4) else source.word(source.pick(lists))


def answer_truth(source: Source) -> Asked:
    """Ask a yes-or-no question that a sentence answers."""
    index = source.between(0, len(truths()) - 1)
    is_true = source.chance(0.5)
    sentence = truth_sentence(source, index, is_true=is_true)
    return sentence, choice_questions.ask_truth(source, index, [Passage(truths={index: is_true})])


MAKERS = (
    choose_meaning, choose_meaning, choose_meaning, choose_meaning, choose_topic, choose_label,
    choose_word, answer_truth, answer_truth, answer_truth, answer_truth,
    choice_questions.ask_adjective,
)  # fmt: skip
