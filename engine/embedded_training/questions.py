"""Questions: what a schema can ask about passages, and the true answers.

A question holds a field of the schema and its answer for each passage of an example, so that
single objects and rows of objects are asked alike.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from embedded_training.field_names import name_field
from embedded_training.names import is_titled
from embedded_training.passages import Passage
from embedded_training.randomness import Source, Value
from embedded_training.schemas import Field
from embedded_training.tables import concepts, domains, list_concepts


@dataclass(frozen=True, slots=True)
class Question:
    """A field and its answer for each passage."""

    field: Field
    answers: tuple[Any, ...]
    group: str | None = None


def ask_slot(
    source: Source, slot: str, passages: Sequence[Passage], *, more: Sequence[Passage] = ()
) -> Question:
    """Ask for the value of a concept; passages without it answer null.

    `more` are other passages of the same text, whose values the name must not fit as well.
    """
    concept = concepts()[slot]
    values = [passage.values.get(slot) for passage in passages]
    kind = concept.kinds[0] if source.chance(0.6) else source.pick(concept.kinds)
    if not all(value is None or _fits(value, kind) for value in values):
        kind = "str"
    if kind == "str" and source.chance(0.12):
        kind = "verbatim"
    ambiguous = _shared_names(slot, (*passages, *more))
    name, description = name_field(source, concept.naming, ambiguous=ambiguous)
    missing = any(value is None for value in values)
    if kind in ("str", "verbatim"):
        description, values = _as_told(source, description, values)
    answers = tuple(_as_json(value, kind) for value in values)
    field = Field(name, kind, description, nullable=missing or source.chance(0.4))
    return Question(_with_limits(source, field, answers), answers, concept.group)


def _as_told(
    source: Source, description: str, values: Sequence[Value | None]
) -> tuple[str, Sequence[Value | None]]:
    """Return the names with their titles where the description asks for them, as it may now do.

    As it is written, a value also has a sign that touches it. A number as a text always has its
    unit.
    """
    if any(value and is_titled(value) for value in values) and source.chance(0.12):
        description = f"{description or 'name'}{source.pick(WITH_TITLE)}"
    whole = any(mark in description for mark in AS_WRITTEN)
    kept = [
        replace(value, text=value.written)
        if value and (is_measured(value) or (whole and _is_marked(value)))
        else value
        for value in values
    ]
    return description, kept


WITH_TITLE = (", with title", " including the title", " (with title)", ", with title if any")
AS_WRITTEN = (*WITH_TITLE, "as written", "as in the text")


def _is_marked(value: Value) -> bool:
    """Return whether a title stands before the value, or a sign without a blank: `#` or `v`."""
    touched = value.written.endswith(value.text) and not value.written.endswith(f" {value.text}")
    return touched or is_titled(value)


def is_measured(value: Value) -> bool:
    """Return whether the value is a number that is not an amount of money."""
    return value.number is not None and value.currency is None


def _with_limits(source: Source, field: Field, answers: Sequence[Any]) -> Field:
    """Return the field with a range of numbers or an enum of a few, now and then."""
    numbers = [answer for answer in answers if answer is not None]
    if field.kind not in ("int", "float") or not numbers or not source.chance(0.15):
        return field
    least, most = min(numbers), max(numbers)
    if field.kind == "int" and least >= 0 and most <= 10 and source.chance(0.3):
        low, high = min(1, least), source.pick((5, 5, 10)) if most <= 5 else 10
        return replace(field, kind="enum", labels=tuple(range(low, high + 1)))
    low = source.pick((0, 1, 1)) if least >= 1 else 0
    high = next(limit for limit in _ROUND_LIMITS if limit >= most)
    limits = (low if least >= low else None, high if source.chance(0.7) else None)
    return replace(field, limits=limits)


_ROUND_LIMITS = (5, 10, 20, 50, 100, 120, 200, 500, *(10**n for n in range(3, 16)))


def _shared_names(slot: str, passages: Sequence[Passage]) -> set[str]:
    """Return the names of `slot` that would also fit another value of the texts."""
    others = {name for passage in passages for name in (*passage.values, *passage.decoys)} - {slot}
    taken = {name for other in others for name in concepts()[other].naming.names}
    return {name for name in concepts()[slot].naming.names if name in taken}


def _fits(value: Value, kind: str) -> bool:
    if kind == "int":
        return isinstance(value.number, int)
    if kind == "url":
        return value.text.startswith("http")
    form = {"float": value.number, "date": value.date, "time": value.time, "datetime": value.moment}
    return kind not in form or form[kind] is not None


def _as_json(value: Value | None, kind: str) -> str | float | None:
    if value is None:
        return None
    if kind in ("int", "float"):
        return value.number
    forms = {"date": value.date, "time": value.time, "datetime": value.moment}
    return forms.get(kind, value.text)


def absent_slots(domain: str, passages: Sequence[Passage]) -> list[str]:
    """Return the concepts of the domain that no passage carries, nor one of a like name."""
    present = {name for passage in passages for name in (*passage.values, *passage.decoys)}
    names = {name for slot in present for name in concepts()[slot].naming.names}
    return [
        slot
        for slot in domains()[domain].slots
        if slot not in present and not names.intersection(concepts()[slot].naming.names)
    ]


def ask_list(source: Source, name: str, passage: Passage) -> Question:
    """Ask for all items of a list."""
    field_name, description = name_field(source, list_concepts()[name].naming)
    values = passage.lists.get(name, [])
    if name == "tags" and values and source.chance(0.15):
        description = f"{description or 'hashtags'}{source.pick(WITH_SIGN)}"
        values = [replace(value, text=value.written) for value in values]
    items = [value.text for value in values]
    return Question(Field(field_name, "list", description), (items,))


WITH_SIGN = (", with the #", " including #", " (with #)", ", each with its #")


def with_distinct_names(questions: Iterable[Question]) -> list[Question]:
    """Return the questions without those that repeat a name."""
    distinct: dict[str, Question] = {}
    for question in questions:
        distinct.setdefault(question.field.name.lower(), question)
    return list(distinct.values())


GROUP_NAMES = [
    "details",
    "info",
    "data",
    "meta",
    "record",
    "item",
    "header",
    "main",
    "entry",
    "fields",
]


def nest(source: Source, questions: Sequence[Question]) -> list[Question]:
    """Move two or more questions into an object field: those of one group, or any."""
    groups = Counter(question.group for question in questions if question.group)
    group = next((name for name, size in groups.most_common(1) if size > 1), None)
    if group:
        inner = [question for question in questions if question.group == group]
        inner = [_without_prefix(question, group) for question in inner]
    else:
        inner = list(questions[: source.between(2, len(questions) - 1)])
    kept = [question for question in questions if group and question.group != group]
    kept = kept if group else list(questions[len(inner) :])
    inner = with_distinct_names(inner)
    answers = tuple(
        {question.field.name: question.answers[row] for question in inner}
        for row in range(len(questions[0].answers))
    )
    name = group or source.pick(GROUP_NAMES)
    fields = tuple(question.field for question in inner)
    field = Field(name, "object", fields=fields, nullable=source.chance(0.15))
    kept.insert(source.between(0, len(kept)), Question(field, answers))
    return with_distinct_names(kept)


def _without_prefix(question: Question, group: str) -> Question:
    """Return ``customer_name`` of the group ``customer`` as ``name``."""
    name = re.sub(rf"^{group}_(?=\w)", "", question.field.name)
    return replace(question, field=replace(question.field, name=name))
