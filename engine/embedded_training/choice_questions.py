"""Questions whose answer is chosen, not copied: enums and yes-or-no questions."""

from collections.abc import Callable, Sequence

from embedded_training.field_names import name_field, styled
from embedded_training.passages import Passage
from embedded_training.questions import Question
from embedded_training.randomness import Source
from embedded_training.schemas import Field
from embedded_training.tables import (
    Naming,
    families,
    stated_labels,
    telling_families,
    truths,
)


def ask_currency(source: Source, slot: str, passages: Sequence[Passage]) -> Question:
    """Ask for the currency of an amount that all passages carry."""
    name = source.pick(("currency", "currency", "currency_code", "ccy", "iso_currency"))
    answers = tuple(passage.values[slot].currency for passage in passages)
    others = source.rng.sample(("USD", "EUR", "GBP", "CHF", "JPY", "INR"), source.between(2, 5))
    labels = list(dict.fromkeys((*answers, *others)))
    source.rng.shuffle(labels)
    return Question(Field(name, "enum", labels=tuple(map(str, labels))), answers)


def ask_meaning(source: Source, family_name: str, passages: Sequence[Passage]) -> Question:
    """Ask for the class that each passage belongs to, by labels of the schema's own.

    Now and then it is asked as a yes-or-no question about one class.
    """
    meanings = [passage.meanings[family_name] for passage in passages]
    family = families()[family_name]
    if source.chance(0.2):
        key = meanings[0] if source.chance(0.5) else source.pick(tuple(family.classes))
        return _ask_flag(source, family_name, meanings, key)
    seen = list(dict.fromkeys(meanings))
    others = [key for key in family.classes if key not in seen]
    at_least = min(len(others), 0 if len(seen) > 1 else 1 if len(family.classes) < 4 else 2)
    others = source.rng.sample(others, source.between(at_least, min(7, len(others))))
    keys = source.rng.sample([*seen, *others], len(seen) + len(others))
    label_of = _draw_labels(source, family_name, keys)
    name, description = name_field(source, family.naming, describe=0.2)
    labels = [label_of[key] for key in keys]
    if len(keys) > 2 and source.chance(0.1):
        # The class of the first passage is left out: "other" is then the answer.
        labels.remove(label_of[seen[0]])
        label_of[seen[0]] = styled_label(source, source.pick(("other", "other", "none", "misc")))
        labels.append(label_of[seen[0]])
    elif len(keys) > 2 and source.chance(0.1):
        labels.append("other")
    answers = tuple(label_of[meaning] for meaning in meanings)
    return Question(Field(name, "enum", description, labels=tuple(labels)), answers)


ANY_KIND = Naming(
    names=(
        "kind", "category", "type", "label", "class", "group", "tag", "sort", "about", "subject",
        "topic", "matter", "theme", "kind_of_text", "text_type", "what", "what_is_it", "meaning",
    ),
    held_out_names=("genre", "bucket", "purpose"),
    descriptions=(
        "what it is about", "which label fits", "the kind of text", "what the text says",
        "the label that fits best", "what is meant",
    ),
    held_out_descriptions=("what this is", "the best of these"),
)  # fmt: skip


def ask_across(source: Source, passages: Sequence[Passage]) -> Question:
    """Ask which label fits each passage, where the labels are of different families.

    Each passage shows one class. Which family the labels belong to tells nothing then: only the
    meaning of a label does.
    """
    answers = [next(iter(passage.meanings.items())) for passage in passages]
    seen = list(dict.fromkeys(answers))
    at_least, at_most = max(2, len(seen)), max(6, len(seen) + 2)
    chosen = seen + _classes_beside(source, seen, source.between(at_least, at_most) - len(seen))
    style = source.pick(LABEL_STYLES)
    label_of: dict[tuple[str, str], str] = {}
    for family, key in source.rng.sample(chosen, len(chosen)):
        usual, *others = (style(label) for label in families()[family].classes[key].labels)
        label = usual if source.chance(0.5) or not others else source.pick(others)
        label_of[family, key] = usual if label in label_of.values() else label
    name, description = name_field(source, ANY_KIND, describe=0.2)
    field = Field(name, "enum", description, labels=tuple(label_of.values()))
    return Question(field, tuple(label_of[answer] for answer in answers))


def _classes_beside(
    source: Source, seen: Sequence[tuple[str, str]], count: int
) -> list[tuple[str, str]]:
    """Return classes whose labels have no word in common with those of the others."""
    pool = [
        (family, key)
        for family in telling_families(held_out=source.held_out.domains)
        for key in families()[family].classes
    ]
    # Siblings of the right class are the hardest to tell from it.
    siblings = [each for each in pool if each not in seen and each[0] == seen[0][0]]
    drawn = source.rng.sample(pool, min(len(pool), 8 * count))
    if siblings and source.chance(0.4):
        drawn.insert(0, source.pick(siblings))
    taken = {word for each in seen for word in _label_words(*each)}
    chosen: list[tuple[str, str]] = []
    for each in drawn:
        words = _label_words(*each)
        if len(chosen) < count and taken.isdisjoint(words):
            chosen.append(each)
            taken |= words
    return chosen


def _label_words(family: str, key: str) -> frozenset[str]:
    labels = families()[family].classes[key].labels
    return frozenset(word for label in labels for word in label.lower().split())


def ask_flags(
    source: Source, family_name: str, passages: Sequence[Passage], *, most: int
) -> list[Question]:
    """Ask about up to `most` classes, one by one: is it this one?

    The questions differ while the text stays, so the question decides what the answer is.
    """
    meanings = [passage.meanings[family_name] for passage in passages]
    seen = sorted(set(meanings))
    others = sorted(set(families()[family_name].classes) - set(seen))
    n_flags = source.between(1, most)
    n_seen = min(len(seen), (n_flags + source.between(0, 1)) // 2)
    keys = source.rng.sample(seen, n_seen)
    keys += source.rng.sample(others, min(len(others), n_flags - n_seen))
    return [_ask_flag(source, family_name, meanings, key) for key in keys]


def _ask_flag(source: Source, family_name: str, meanings: Sequence[str], key: str) -> Question:
    classes = families()[family_name].classes
    name, description = name_field(source, classes[key].flag, describe=0.3)
    return yes_or_no(source, name, description, [meaning == key for meaning in meanings])


YES_OR_NO = (
    ("yes", "no"), ("yes", "no"), ("Yes", "No"), ("Y", "N"), ("true", "false"), ("y", "n"),
    ("YES", "NO"), ("1", "0"),
)  # fmt: skip


def yes_or_no(
    source: Source, name: str, description: str, answers: Sequence[bool | None]
) -> Question:
    """Return a question with these answers: a boolean, now and then an enum of two words.

    None stands for what the text leaves open.
    """
    is_open = None in answers
    if source.chance(0.8):
        nullable = is_open or source.chance(0.08)
        return Question(Field(name, "bool", description, nullable=nullable), tuple(answers))
    yes, no = source.pick(YES_OR_NO)
    labels = [yes, no] if source.chance(0.7) else [no, yes]
    unknown = source.pick(("unknown", "unclear", "not stated")) if is_open else None
    if unknown:
        labels.append(unknown)
    words = {True: yes, False: no, None: unknown}
    field = Field(name, "enum", description, labels=tuple(labels))
    return Question(field, tuple(words[answer] for answer in answers))


LABEL_STYLES: tuple[Callable[[str], str], ...] = (
    str, str, str, str.lower, str.capitalize, str.upper, lambda label: label.replace(" ", "_"),
)  # fmt: skip


def _draw_labels(source: Source, family_name: str, keys: Sequence[str]) -> dict[str, str]:
    """Return one label for each class, all different and in one style."""
    family = families()[family_name]
    style = source.pick(LABEL_STYLES)
    schemes = family.schemes
    if source.held_out.names and family.held_out_schemes:
        schemes = family.held_out_schemes
    if schemes and source.chance(0.6):
        scheme = source.pick(schemes)
        return {key: style(scheme[key]) for key in keys}
    labels: dict[str, str] = {}
    for key in keys:
        options = [
            style(label)
            for label in family.classes[key].labels
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
    """Ask a yes-or-no question; a passage that does not answer it answers null."""
    name, description = name_field(source, truths()[index].naming, describe=0.25)
    answers = [passage.truths.get(index) for passage in passages]
    return yes_or_no(source, name, description, answers)


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
