"""Examples of one object: labelled values, whole texts to copy, and passages."""

import re

from embedded_training import choice_questions
from embedded_training.asking import Example, ask, object_example, row_names, with_instruction
from embedded_training.collection_examples import ask_list_of_numbers, ask_mapping
from embedded_training.envelopes import enclosed, with_aside
from embedded_training.field_names import styled
from embedded_training.forms import LABEL_LAYOUTS
from embedded_training.passages import make_plan, write_passage
from embedded_training.questions import Question, is_measured, nest, with_distinct_names
from embedded_training.randomness import Source, pseudo_word
from embedded_training.schemas import Field
from embedded_training.tables import domain_names, drawn_domains
from embedded_training.values import any_value


def labelled_example(source: Source) -> Example:
    """Return values behind labels that mean nothing: pure looking up and copying."""
    pairs = [labelled_value(source) for _ in range(source.between(2, 8))]
    asked = [question for _, question in pairs]
    if source.chance(0.3):
        asked = source.rng.sample(asked, source.between(1, len(asked)))
    source.rng.shuffle(asked)
    separator = source.pick(("\n", "\n", ", ", "; ", ". "))
    return object_example(source, separator.join(text for text, _ in pairs), asked)


def copying_example(source: Source) -> Example:
    """Return a text that is asked for as a whole."""
    words = [_any_word(source) for _ in range(source.between(4, 14))]
    text = " ".join(words)
    name = source.pick(("text", "text", "body", "content", "message", "full_text", "raw"))
    description = source.pick(("", "", "the whole text", "full text"))
    return object_example(source, text, [Question(Field(name, "str", description), (text,))])


def _any_word(source: Source) -> str:
    dice = source.rng.random()
    if dice < 0.35:
        return pseudo_word(source)
    if dice < 0.6:
        return source.word(source.pick(("title_words", "common_words", "common_words")))
    return any_value(source).written if dice < 0.75 else source.word("last_names")


def labelled_value(source: Source) -> tuple[str, Question]:
    """Return a text such as ``gate code: 714`` and the question for that label."""
    label = _label(source)
    value = any_value(source)
    shown = source.pick((label, label, label.capitalize(), label.title()))
    layouts: tuple[str, ...] = (*LABEL_LAYOUTS, "VALUE (LABEL)", "VALUE as LABEL")
    if source.held_out.templates:
        layouts = ("LABEL -> VALUE", "for LABEL we have VALUE")
    text = source.pick(layouts).replace("LABEL", shown).replace("VALUE", value.written)
    name = styled(source, re.sub(r"\W+", "_", label))
    if value.date and source.chance(0.6):
        return text, Question(Field(name, "date"), (value.date,))
    if value.number is not None and source.chance(0.6):
        kind = "int" if isinstance(value.number, int) and source.chance(0.5) else "float"
        return text, Question(Field(name, kind), (value.number,))
    kind = source.pick(("str", "str", "str", "str", "str", "verbatim"))
    # A number that is asked for as a text has its unit; signs and titles never belong to a text.
    answer = value.written if is_measured(value) else value.text
    return text, Question(Field(name, kind, nullable=source.chance(0.1)), (answer,))


def _label(source: Source) -> str:
    def word() -> str:
        if source.chance(0.4):
            return pseudo_word(source, 2)
        return source.word(source.pick(("title_words", "common_words")))

    last = source.pick(
        [
            "code",
            "name",
            "number",
            "date",
            "id",
            "type",
            "place",
            "key",
            "total",
            "note",
            "level",
            "owner",
        ]
    )
    return source.pick((word(), word(), f"{word()} {word()}", f"{word()} {last}"))


ALREADY_ENCLOSED = ("mail", "chat", "log", "list")


def single_example(source: Source) -> Example:
    """Return one passage that is asked for as one object."""
    domain = _draw_domain(source)
    plan = make_plan(source, domain, n_passages=1)
    passage = write_passage(source, plan)
    if source.chance(0.1):
        passage = with_aside(source, passage)
    if domain not in ALREADY_ENCLOSED and source.chance(0.24):
        passage = enclosed(source, passage)
    aside = [_side_question(source)] if source.chance(0.2) else []
    # A value behind a label that means nothing might answer a question for what is absent.
    only_chosen = all(question.field.kind in ("enum", "bool") for _, question in aside)
    asked = ask(source, plan, [passage], with_absent=only_chosen)
    text = passage.text
    for added, question in aside:
        if with_distinct_names([*asked, question])[-1] is question:
            text = _with_sentence(source, text, added)
            asked.append(question)
    source.rng.shuffle(asked)
    asked = with_distinct_names(asked)
    if len(asked) > 2 and source.chance(0.2):
        asked = nest(source, asked)
    return object_example(source, with_instruction(source, text, row_names(domain), asked), asked)


def _draw_domain(source: Source) -> str:
    if source.held_out.domains:
        return source.pick(domain_names(held_out=True))
    return source.pick((*drawn_domains(held_out=False), *["post"] * 5))


def _side_question(source: Source) -> tuple[str, Question]:
    dice = source.rng.random()
    if dice < 0.25:
        return choice_questions.ask_adjective(source)
    if dice < 0.4:
        return ask_mapping(source)
    return ask_list_of_numbers(source) if dice < 0.7 else labelled_value(source)


def _with_sentence(source: Source, text: str, sentence: str) -> str:
    separator = source.pick(("\n", ". ", "\n", " - ", ", "))
    return separator.join((text, sentence) if source.chance(0.6) else (sentence, text))
