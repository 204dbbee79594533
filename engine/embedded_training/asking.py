"""Puts together an example: which questions to ask, how to say it, and the answer as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_training import questions
from embedded_training.passages import Passage, Plan
from embedded_training.questions import Question, with_distinct_names
from embedded_training.randomness import Source
from embedded_training.schemas import Field, JsonSchema, object_schema


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt, the schema of its answer, and the answer."""

    prompt: str
    schema: JsonSchema
    answer: Any


ROW_NAMES = {
    "post": "posts tweets messages items entries",
    "order": "orders items entries purchases",
    "review": "reviews items entries",
    "event": "events items entries",
    "contact": "contacts people entries",
    "bank": "transactions payments entries",
    "match": "matches games results",
    "shop": "products items offers",
    "job": "jobs offers entries",
    "flat": "flats listings offers",
    "parcel": "parcels shipments entries",
    "bug": "events entries logs lines",
    "film": "films movies entries",
    "travel": "flights trips entries bookings",
    "meeting": "tasks meetings entries",
    "ticket": "tickets cases messages",
    "news": "articles stories items",
    "health": "appointments entries visits",
    "receipt": "receipts purchases entries",
    "invoice": "invoices bills entries",
}


def ask(source: Source, plan: Plan, written: Sequence[Passage]) -> list[Question]:
    """Return questions about passages of one plan."""
    asked = [questions.ask_slot(source, slot, written) for slot in _draw_slots(source, written)]
    absent = questions.absent_slots(plan.domain, written)
    if absent and source.chance(0.25):
        asked.append(questions.ask_slot(source, source.pick(absent), written))
    asked += [
        questions.ask_meaning(source, family, written)
        for family in _shared(passage.meanings for passage in written)
        if source.chance(0.95 if family in plan.families else 0.7)
    ]
    asked += [questions.ask_label(source, enum, written) for enum in plan.stated]
    asked += [questions.ask_truth(source, index, written) for index in plan.truths]
    if len(written) == 1:
        asked += [questions.ask_list(source, name, written[0]) for name in written[0].lists]
    amounts = [
        slot
        for slot in _shared(passage.values for passage in written)
        if all(passage.values[slot].currency for passage in written)
    ]
    if len(amounts) == 1 and source.chance(0.2):
        asked.append(questions.ask_currency(source, amounts[0], written))
    if not asked:
        asked.append(questions.ask_slot(source, source.pick(absent), written))
    source.rng.shuffle(asked)
    return with_distinct_names(asked)


def _draw_slots(source: Source, written: Sequence[Passage]) -> list[str]:
    """Return the slots to ask for: most of those that any passage carries."""
    slots = list(dict.fromkeys(slot for passage in written for slot in passage.values))
    if not slots:
        return []
    most = 6 if len(written) == 1 else 4
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


def list_example(source: Source, prompt: str, domain: str, asked: Sequence[Question]) -> Example:
    """Ask for rows: a list of objects, or an object with such a list in it."""
    n_rows = len(asked[0].answers)
    fields = tuple(question.field for question in asked)
    rows = [
        {question.field.name: question.answers[row] for question in asked} for row in range(n_rows)
    ]
    if source.chance(0.5):
        return Example(prompt, {"type": "array", "items": object_schema(fields)}, rows)
    name = source.pick(ROW_NAMES.get(domain, "items rows records entries").split())
    outer: list[tuple[Field, object]] = [(Field(name, "objects", fields=fields), rows)]
    if source.chance(0.1):
        count = Field(source.pick(("count", "n", "how_many")), "int", f"number of {name}")
        outer.insert(source.between(0, 1), (count, n_rows))
    schema = object_schema([field for field, _ in outer])
    return Example(prompt, schema, {field.name: value for field, value in outer})


def with_instruction(source: Source, text: str, domain: str, asked: Sequence[Question]) -> str:
    """Put what users write before their text, in half of the cases."""
    dice = source.rng.random()
    if dice < 0.5:
        return text
    if dice < 0.7:
        instruction = source.word("instructions")
    else:
        noun = source.pick(ROW_NAMES.get(domain, "items entries").split())
        noun = noun[:-1] if len(asked[0].answers) == 1 and noun.endswith("s") else noun
        verb = source.pick(("Extract", "Get", "Find", "List", "Give me", "Fill in", "Read off"))
        what = ", ".join(question.field.name.replace("_", " ").lower() for question in asked[:4])
        what = source.pick((what, what, "the fields", f"the {noun}", "the data", "the details"))
        place = (
            source.pick(("from", "of", "in")) + " " + source.pick(("this", "the", "these", "my"))
        )
        instruction = f"{verb} {what} {place} {noun}" + source.pick((":", ":", ".", ""))
    return instruction + source.pick(("\n", "\n\n", " ", "\n")) + text
