"""Questions: what a schema can ask about passages, and the true answers.

A question holds a field of the schema and its answer for each passage of an example, so that
single objects and rows of objects are asked alike.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from embedded_training.passages import Passage
from embedded_training.randomness import Source, Value
from embedded_training.schemas import Field
from embedded_training.tables import (
    Naming,
    concepts,
    domains,
    families,
    list_concepts,
    stated_labels,
    truths,
)

# Wrappings of names and descriptions, so that neither is learnt by heart.
AFFIXES = (
    "*_text", "*_value", "the_*", "*_str", "*_field", "this_*", "*_info", "my_*", "main_*", "*_1",
    "extracted_*", "found_*", "*_in_text", "post_*", "item_*", "order_*", "source_*", "*_raw",
)  # fmt: skip
PHRASES = (
    "*", "*, as written", "* in the text", "extract *", "*, if any", "tell *", "*?",
    "* (as in the text)", "here: *",
)  # fmt: skip
NAME_PHRASES = (
    "the *", "the * in the text", "* as written", "extract the *", "what is the *",
    "* of this entry", "value of the *", "find the *", "a *", "the exact *",
    "* mentioned in the text",
)  # fmt: skip
OPAQUE_NAMES = [
    "f1",
    "f2",
    "f3",
    "field1",
    "field2",
    "field_a",
    "col1",
    "col2",
    "a",
    "b",
    "x",
    "y",
    "value",
    "key",
    "slot1",
    "out",
    "result",
    "answer",
    "item1",
    "q1",
    "q2",
]


@dataclass(frozen=True, slots=True)
class Question:
    """A field and its answer for each passage."""

    field: Field
    answers: tuple[Any, ...]
    group: str | None = None


def styled(source: Source, name: str) -> str:
    """Return the name in one of the usual spellings of field names."""
    dice = source.rng.random()
    words = name.split("_")
    if dice < 0.84:
        return name
    if dice < 0.93:
        return words[0] + "".join(word.capitalize() for word in words[1:])
    if dice < 0.97:
        return "_".join(word.capitalize() for word in words)
    return name.upper()


def name_field(
    source: Source, naming: Naming, *, ambiguous: Iterable[str] = (), describe: float = 0.3
) -> tuple[str, str]:
    """Return a name and a description, empty in most cases.

    An `ambiguous` name, which fits several values of the text, always gets a description.
    """
    held_out = source.held_out.names
    names = naming.held_out_names if held_out and naming.held_out_names else naming.names
    texts = naming.descriptions
    if held_out and naming.held_out_descriptions:
        texts = naming.held_out_descriptions
    name, description = source.pick(names), ""
    unclear = name in ambiguous
    if unclear and not texts:
        name = names[0]
    if texts and (unclear or source.chance(describe)):
        description = source.pick(texts)
    if not held_out:
        name, description = _wrapped(source, name, description, naming)
    if texts and source.chance(0.06):
        name, description = source.pick(OPAQUE_NAMES), description or source.pick(texts)
    return styled(source, name), description


def _wrapped(source: Source, name: str, description: str, naming: Naming) -> tuple[str, str]:
    wrapped = source.pick(AFFIXES).replace("*", name) if source.chance(0.15) else name
    if description and source.chance(0.5):
        description = source.pick(PHRASES).replace("*", description)
    elif not description and source.chance(0.1):
        words = source.pick((naming.names[0], name)).replace("_", " ")
        description = source.pick(NAME_PHRASES).replace("*", words)
    return wrapped, description


def ask_slot(source: Source, slot: str, passages: Sequence[Passage]) -> Question:
    """Ask for the value of a concept; passages without it answer null."""
    concept = concepts()[slot]
    values = [passage.values.get(slot) for passage in passages]
    kind = concept.kinds[0] if source.chance(0.7) else source.pick(concept.kinds)
    if not all(value is None or _fits(value, kind) for value in values):
        kind = "str"
    if kind == "str" and source.chance(0.12):
        kind = "verbatim"
    name, description = name_field(source, concept.naming, ambiguous=_shared_names(slot, passages))
    missing = any(value is None for value in values)
    field = Field(name, kind, description, nullable=missing or source.chance(0.15))
    return Question(field, tuple(_as_json(value, kind) for value in values), concept.group)


def _shared_names(slot: str, passages: Sequence[Passage]) -> set[str]:
    """Return the names of `slot` that would also fit another value of the texts."""
    present = {name for passage in passages for name in passage.values} | {slot}
    counts = Counter(name for other in present for name in set(concepts()[other].naming.names))
    return {name for name in concepts()[slot].naming.names if counts[name] > 1}


def _fits(value: Value, kind: str) -> bool:
    if kind == "int":
        return isinstance(value.number, int)
    if kind == "float":
        return value.number is not None
    if kind == "date":
        return value.date is not None
    if kind == "url":
        return value.text.startswith("http")
    return True


def _as_json(value: Value | None, kind: str) -> str | float | None:
    if value is None:
        return None
    if kind in ("int", "float"):
        return value.number
    return value.date if kind == "date" else value.text


def absent_slots(domain: str, passages: Sequence[Passage]) -> list[str]:
    """Return the concepts of the domain that no passage carries, nor one of a like name."""
    present = {name for passage in passages for name in passage.values}
    names = {name for slot in present for name in concepts()[slot].naming.names}
    return [
        slot
        for slot in domains()[domain].slots
        if slot not in present and not names.intersection(concepts()[slot].naming.names)
    ]


def ask_currency(source: Source, slot: str, passages: Sequence[Passage]) -> Question:
    """Ask for the currency of an amount that all passages carry."""
    name = source.pick(("currency", "currency", "currency_code"))
    labels = tuple(source.rng.sample(("USD", "EUR", "GBP"), 3))
    answers = tuple(passage.values[slot].currency for passage in passages)
    return Question(Field(name, "enum", labels=labels), answers)


def ask_meaning(source: Source, family_name: str, passages: Sequence[Passage]) -> Question:
    """Ask for the class that each passage belongs to, by labels of the schema's own."""
    family = families()[family_name]
    seen = list(dict.fromkeys(passage.meanings[family_name] for passage in passages))
    others = [key for key in family.classes if key not in seen]
    others = source.rng.sample(
        others, source.between(0 if len(seen) > 1 else 1, min(5, len(others)))
    )
    keys = source.rng.sample([*seen, *others], len(seen) + len(others))
    label_of = _draw_labels(source, family_name, keys)
    name, description = name_field(source, family.naming, describe=0.15)
    labels = list(label_of.values())
    if len(keys) > 2 and source.chance(0.12):
        # The class of the first passage is left out: "other" is then the answer.
        labels.remove(label_of[seen[0]])
        label_of[seen[0]] = styled_label(source, "other")
        labels.append(label_of[seen[0]])
    answers = tuple(label_of[passage.meanings[family_name]] for passage in passages)
    return Question(Field(name, "enum", description, labels=tuple(labels)), answers)


LABEL_STYLES: tuple[Callable[[str], str], ...] = (
    str, str, str, str.lower, str.capitalize, str.upper,
)  # fmt: skip


def _draw_labels(source: Source, family_name: str, keys: Sequence[str]) -> dict[str, str]:
    """Return one label for each class, all different and in one style."""
    style = source.pick(LABEL_STYLES)
    labels: dict[str, str] = {}
    for key in keys:
        options = [
            style(label)
            for label in families()[family_name].classes[key].labels
            if style(label) not in labels.values()
        ]
        labels[key] = (
            (options[0] if source.chance(0.4) else source.pick(options)) if options else key
        )
    return labels


def styled_label(source: Source, label: str) -> str:
    """Return a label in lower case, mostly."""
    return source.pick((label, label, label, label.capitalize()))


def ask_label(source: Source, enum: str, passages: Sequence[Passage]) -> Question:
    """Ask for a label that the passages state."""
    stated = stated_labels()[enum]
    seen = list(dict.fromkeys(passage.labels[enum] for passage in passages))
    others = [label for label in stated.labels if label not in seen]
    n_others = source.between(0 if len(seen) > 1 else 1, min(4, len(others))) if others else 0
    labels = source.rng.sample([*seen, *source.rng.sample(others, n_others)], len(seen) + n_others)
    name, description = name_field(source, stated.naming, describe=0.0)
    field = Field(name, "enum", description, labels=tuple(labels))
    return Question(field, tuple(passage.labels[enum] for passage in passages))


def ask_truth(source: Source, index: int, passages: Sequence[Passage]) -> Question:
    """Ask a yes-or-no question."""
    name, description = name_field(source, truths()[index].naming, describe=0.25)
    answers = tuple(passage.truths[index] for passage in passages)
    return Question(Field(name, "bool", description), answers)


def ask_adjective(source: Source) -> tuple[str, Question]:
    """Return a clause such as "it is not sealed" and the question ``is_sealed``."""
    adjective = source.word("adjectives")
    true = source.chance(0.5)
    layouts = ("it is *", "*", "comes *", "the item is *", "this one is *", "now *", "yes, *")
    if not true:
        layouts = ("it is not *", "not *", "isn't *", "the item is not *", "non-*", "never *",
                   "it is no longer *")  # fmt: skip
    name = source.pick(("is_", "", "", "is_")) + adjective.replace("-", "_")
    description = f"is it {adjective}" if source.chance(0.2) else ""
    field = Field(styled(source, name), "bool", description)
    return source.pick(layouts).replace("*", adjective), Question(field, (true,))


def ask_list(source: Source, name: str, passage: Passage) -> Question:
    """Ask for all items of a list."""
    field_name, description = name_field(source, list_concepts()[name].naming)
    return Question(Field(field_name, "list", description), (passage.lists[name],))


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
    field = Field(name, "object", fields=tuple(question.field for question in inner))
    kept.insert(source.between(0, len(kept)), Question(field, answers))
    return with_distinct_names(kept)


def _without_prefix(question: Question, group: str) -> Question:
    """Return ``customer_name`` of the group ``customer`` as ``name``."""
    name = re.sub(rf"^{group}_(?=\w)", "", question.field.name)
    return replace(question, field=replace(question.field, name=name))
