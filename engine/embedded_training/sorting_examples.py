"""Examples of lines to be sorted: sentences below each other, each asked for the same choices.

One schema asks about all of them, so a prompt brings several choices where a sentence brings one.
"""

from collections.abc import Sequence

from embedded_training import choice_questions
from embedded_training.asking import Example, list_example, row_names, with_instruction
from embedded_training.field_names import name_field
from embedded_training.passages import Passage, meaning_sentence, truth_sentence
from embedded_training.questions import Question, with_distinct_names
from embedded_training.randomness import Source
from embedded_training.schemas import Field
from embedded_training.tables import Naming, drawn_families, families, telling_families, truths

N_LINES = (2, 3, 3, 4, 4, 5, 5, 6, 7, 8)
P_ACROSS = 0.45
P_MEANING = 0.35
# A row of classes alone does not say which line it is about, and a model counts badly.
P_ANCHOR = 0.75
P_ANCHOR_LAST = 0.1
# What begins each line, with its number, and what is between two.
LAYOUTS = (
    ("", "\n"), ("", "\n"), ("", "\n"), ("- ", "\n"), ("* ", "\n"), ("{n}. ", "\n"),
    ("{n}) ", "\n"), ("", "\n\n"), ("#{n} ", "\n"), ("> ", "\n"), ("", " | "), ("", "\n---\n"),
)  # fmt: skip


def sorting_example(source: Source) -> Example:
    """Return lines, asked for as rows with their class, or with one yes-or-no answer."""
    n_lines = source.pick(N_LINES)
    dice = source.rng.random()
    if dice < P_ACROSS:
        passages, asked = _lines_across_families(source, n_lines)
    elif source.held_out.domains or dice < P_ACROSS + P_MEANING:
        passages, asked = _lines_of_a_family(source, n_lines)
    else:
        passages, asked = _lines_that_answer(source, n_lines)
    mark, separator = source.pick(LAYOUTS)
    if source.chance(P_ANCHOR):
        place = len(asked) if source.chance(P_ANCHOR_LAST) else 0
        asked.insert(place, _ask_which_line(source, passages, are_numbered="{n}" in mark))
        asked = with_distinct_names(asked)
    lines = (
        mark.replace("{n}", str(number)) + passage.text
        for number, passage in enumerate(passages, 1)
    )
    text = with_instruction(source, separator.join(lines), row_names(""), asked)
    return list_example(source, text, source.pick(row_names("")), asked)


NUMBER = Naming(
    names=("n", "no", "number", "nr", "line", "line_number", "id", "index", "item", "pos"),
    held_out_names=("num", "line_no"),
    descriptions=("the number of the line", "number before the text"),
)
LINE = Naming(
    names=(
        "text", "line", "sentence", "comment", "message", "original", "entry", "quote", "item",
        "statement", "note", "source_text",
    ),
    held_out_names=("phrase", "wording"),
    descriptions=("the line itself", "the text as it stands", "what was written"),
)  # fmt: skip


def _ask_which_line(source: Source, passages: Sequence[Passage], *, are_numbered: bool) -> Question:
    """Ask for the number before each line, or for the line itself."""
    if are_numbered and source.chance(0.6):
        name, description = name_field(source, NUMBER, describe=0.15)
        return Question(Field(name, "int", description), tuple(range(1, len(passages) + 1)))
    name, description = name_field(source, LINE, describe=0.15)
    kind = source.pick(("str", "verbatim"))
    return Question(Field(name, kind, description), tuple(passage.text for passage in passages))


def _lines_of_a_family(source: Source, n_lines: int) -> tuple[Sequence[Passage], list[Question]]:
    family = source.pick(drawn_families(held_out=source.held_out.domains))
    passages = []
    for _ in range(n_lines):
        meaning = source.pick(tuple(families()[family].classes))
        sentence = meaning_sentence(source, family, meaning)
        passages.append(Passage(sentence, meanings={family: meaning}))
    asked = [choice_questions.ask_meaning(source, family, passages)]
    if source.chance(0.3):
        asked += choice_questions.ask_flags(source, family, passages, most=2)
    source.rng.shuffle(asked)
    return passages, with_distinct_names(asked)


def _lines_across_families(
    source: Source, n_lines: int
) -> tuple[Sequence[Passage], list[Question]]:
    """Return lines of two to four classes of different families."""
    names = telling_families(held_out=source.held_out.domains)
    drawn = [
        (family, source.pick(tuple(families()[family].classes)))
        for family in source.rng.sample(names, min(len(names), source.between(2, 4)))
    ]
    passages = []
    for _ in range(n_lines):
        family, meaning = source.pick(drawn)
        sentence = meaning_sentence(source, family, meaning)
        passages.append(Passage(sentence, meanings={family: meaning}))
    return passages, [choice_questions.ask_across(source, passages)]


def _lines_that_answer(source: Source, n_lines: int) -> tuple[Sequence[Passage], list[Question]]:
    index = source.between(0, len(truths()) - 1)
    passages = []
    for _ in range(n_lines):
        is_true = source.chance(0.5)
        sentence = truth_sentence(source, index, is_true=is_true)
        passages.append(Passage(sentence, truths={index: is_true}))
    return passages, [choice_questions.ask_truth(source, index, passages)]
