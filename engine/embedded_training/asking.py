"""Puts together an example: which questions to ask, how to say it, and the answer as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_training import choice_questions, questions
from embedded_training.passages import Passage, Plan
from embedded_training.questions import Question, with_distinct_names
from embedded_training.randomness import Source
from embedded_training.schemas import Field, JsonSchema, object_schema
from embedded_training.tables import domains, truths


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt, the schema of its answer, and the answer."""

    prompt: str
    schema: JsonSchema
    answer: Any
    sort: str = ""
    """The field of `corpus.Mixture` that it was drawn for."""


def row_names(domain: str) -> Sequence[str]:
    """Return what a schema calls a list of records of a domain; "" is no domain."""
    return domains()[domain].row_names if domain else ("items", "entries")


def ask(
    source: Source,
    plan: Plan,
    written: Sequence[Passage],
    *,
    around: Passage | None = None,
    with_absent: bool = True,
) -> list[Question]:
    """Return questions about passages of one plan; `around` is the text that they stand in.

    Only `with_absent` do they ask for concepts that the passages lack. Without, there may be none.
    """
    more = [around] if around else []
    asked = [
        questions.ask_slot(source, slot, written, more=more)
        for slot in _draw_slots(source, written)
    ]
    absent = questions.absent_slots(plan.domain, [*written, *more]) if with_absent else []
    n_absent = min(len(absent), source.pick((0, 0, 0, 0, 0, 0, 1, 1, 1, 2)))
    asked += [
        questions.ask_slot(source, slot, written) for slot in source.rng.sample(absent, n_absent)
    ]
    asked += [
        choice_questions.ask_meaning(source, family, written)
        for family in _shared(passage.meanings for passage in written)
        if source.chance(0.95 if family in plan.families else 0.7)
    ]
    asked += [choice_questions.ask_label(source, enum, written) for enum in plan.stated]
    asked += [choice_questions.ask_truth(source, index, written) for index in plan.truths]
    if len(written) == 1:
        asked += [questions.ask_list(source, name, written[0]) for name in written[0].lists]
        asked += _unanswered(source, plan, written[0])
    amounts = [
        slot
        for slot in _shared(passage.values for passage in written)
        if all(passage.values[slot].currency for passage in written)
    ]
    if len(amounts) == 1 and source.chance(0.2):
        asked.append(choice_questions.ask_currency(source, amounts[0], written))
    if not asked and absent:
        asked.append(questions.ask_slot(source, source.pick(absent), written))
    source.rng.shuffle(asked)
    return with_distinct_names(asked)


# Lists that no slot of a text can be mistaken for.
MAY_BE_EMPTY = ("foods", "feats", "skills")


def _unanswered(source: Source, plan: Plan, passage: Passage) -> list[Question]:
    """Return questions that the text leaves open, now and then: an empty list, an unsaid truth."""
    asked = []
    free = [name for name in domains()[plan.domain].lists if name in MAY_BE_EMPTY]
    if free and not passage.lists and source.chance(0.12):
        asked.append(questions.ask_list(source, source.pick(free), passage))
    if source.chance(0.06):
        index = source.between(0, len(truths()) - 1)
        if index not in passage.truths:
            asked.append(choice_questions.ask_truth(source, index, [passage]))
    return asked


def _draw_slots(source: Source, written: Sequence[Passage]) -> list[str]:
    """Return the slots to ask for: most of those that any passage carries."""
    slots = list(dict.fromkeys(slot for passage in written for slot in passage.values))
    if not slots:
        return []
    most = 8 if len(written) == 1 else 4
    count = source.between(max(1, len(slots) // 2), max(1, min(most, len(slots))))
    return source.rng.sample(slots, min(count, len(slots)))


def _shared(collections: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the keys that all mappings have, in the order of the first."""
    first, *others = collections
    return [key for key in first if all(key in other for other in others)]


def object_example(source: Source, prompt: str, asked: Sequence[Question]) -> Example:
    """Ask for one object, or now and then for a list with that one object."""
    distinct = with_distinct_names(asked)
    schema = object_schema([question.field for question in distinct])
    answer = {question.field.name: question.answers[0] for question in distinct}
    if source.chance(0.03):
        return Example(prompt, {"type": "array", "items": schema}, [answer])
    return Example(prompt, schema, answer)


def list_example(
    source: Source,
    prompt: str,
    name: str,
    asked: Sequence[Question],
    *,
    around: Sequence[Question] = (),
) -> Example:
    """Ask for rows: a list of objects, or an object with such a list called `name` in it.

    `around` are questions about the text that the rows stand in.
    """
    n_rows = len(asked[0].answers)
    fields = tuple(question.field for question in asked)
    rows = [
        {question.field.name: question.answers[row] for question in asked} for row in range(n_rows)
    ]
    if not around and source.chance(0.5):
        return Example(prompt, {"type": "array", "items": object_schema(fields)}, rows)
    outer = [Question(Field(name, "objects", fields=fields), (rows,))]
    if source.chance(0.1):
        count = Field(source.pick(("count", "n", "how_many")), "int", f"number of {name}")
        outer.insert(source.between(0, 1), Question(count, (n_rows,)))
    for question in around:
        outer.insert(source.between(0, len(outer)), question)
    outer = with_distinct_names(outer)
    schema = object_schema([question.field for question in outer])
    return Example(prompt, schema, {q.field.name: q.answers[0] for q in outer})


def _singular(noun: str) -> str:
    """Return a noun such as `entries` in the singular; others stay as they are."""
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun.removesuffix("s")


def with_instruction(
    source: Source, text: str, nouns: Sequence[str], asked: Sequence[Question]
) -> str:
    """Put what users write before their text, in half of the cases; `nouns` say what it is."""
    dice = source.rng.random()
    if dice < 0.5:
        return text
    if dice < 0.7:
        instruction = source.word("instructions")
    else:
        noun = source.pick(nouns)
        noun = _singular(noun) if len(asked[0].answers) == 1 else noun
        verb = source.pick(("Extract", "Get", "Find", "List", "Give me", "Fill in", "Read off"))
        what = ", ".join(question.field.name.replace("_", " ").lower() for question in asked[:4])
        what = source.pick((what, what, "the fields", f"the {noun}", "the data", "the details"))
        place = (
            source.pick(("from", "of", "in")) + " " + source.pick(("this", "the", "these", "my"))
        )
        instruction = f"{verb} {what} {place} {noun}" + source.pick((":", ":", ".", ""))
    return instruction + source.pick(("\n", "\n\n", " ", "\n")) + text
