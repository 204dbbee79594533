"""Passages: short texts together with what can be asked about them.

A passage is written from the templates of one domain and keeps the values that it carries. There
are four forms: a whole text, clauses in random order, a form of labels and values, and a short row
that is made to stand beside others of its kind.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from embedded_training.drawing import draw_value
from embedded_training.forms import LABEL_LAYOUTS, Form, draw_form, label_of
from embedded_training.identifiers import email, email_of
from embedded_training.names import company, person, thing
from embedded_training.quantities import UNITS
from embedded_training.randomness import Source, Value, read_table
from embedded_training.tables import (
    Cues,
    Domain,
    concepts,
    domains,
    drawn_families,
    families,
    list_concepts,
    stated_labels,
    truths,
)
from embedded_training.values import ValueMaker
from embedded_training.wording import (
    SLOT,
    capitalised,
    filler,
    joined,
    lower_outside_slots,
    mistyped,
    one_of_many,
    varied,
)

Shape = Literal["whole", "clauses", "form", "row"]


@dataclass(slots=True)
class Passage:
    """A text and what it says. Built up while it is written."""

    text: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    """The value of each concept that the text carries."""
    meanings: dict[str, str] = field(default_factory=dict)
    """The class of the text in each family of meanings that it shows."""
    labels: dict[str, str] = field(default_factory=dict)
    """The label of each stated enum."""
    truths: dict[int, bool] = field(default_factory=dict)
    """The answers to yes-or-no questions, by their place in `tables.truths()`."""
    lists: dict[str, list[Value]] = field(default_factory=dict)
    """The items of each list that the text names."""
    decoys: set[str] = field(default_factory=set)
    """Concepts of which the text carries a value in another role, which nothing asks for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all passages of one example have in common beside their domain."""

    domain: str
    n_clauses: int
    shape: Shape
    template: str | None = None
    """The template of all passages; without one each draws its own."""
    form: Form | None = None
    families: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()
    truths: tuple[int, ...] = ()
    lists: tuple[str, ...] = ()


def choose(source: Source, cues: Cues) -> str:
    """Return a template; a held-out one if the source draws from those and there are some."""
    if source.held_out.templates and cues.held_out:
        return source.pick(cues.held_out)
    return source.pick(cues.usual)


def make_plan(source: Source, domain_name: str, *, n_passages: int) -> Plan:
    """Draw what the passages of an example will say beside their slots."""
    domain = domains()[domain_name]
    shape = _draw_shape(source, domain, n_passages=n_passages)
    plain = n_passages > 1
    truth_count = int(shape != "row" and source.chance(0.1))
    with_list = not plain and domain.lists and source.chance(1.0 if domain_name == "list" else 0.12)
    shared = {"whole": domain.wholes, "row": domain.rows}.get(shape)
    alike = n_passages > 1 and shared is not None and source.chance(0.9)
    return Plan(
        domain=domain_name,
        n_clauses=source.pick((1, 2, 2, 3) if plain else (1, 2, 2, 3, 3, 4, 5)),
        shape=shape,
        template=choose(source, shared) if alike and shared else None,
        form=draw_form(source, domain, short=plain) if shape == "form" else None,
        families=() if shape == "form" else _draw_families(source, domain, shape),
        stated=_draw_stated(source, domain, shape),
        truths=tuple(source.rng.sample(range(len(truths())), truth_count)),
        lists=(source.pick(domain.lists),) if with_list else (),
    )


def _draw_shape(source: Source, domain: Domain, *, n_passages: int) -> Shape:
    p_row = (0.06, 0.5, 0.75)[min(n_passages, 3) - 1]
    if domain.rows.usual and source.chance(p_row):
        return "row"
    if source.chance(0.08 if domain.wholes.usual else 0.02):
        return "form"
    if domain.wholes.usual and (not domain.clauses.usual or source.chance(0.85)):
        return "whole"
    return "clauses" if domain.clauses.usual else "row"


def _draw_families(source: Source, domain: Domain, shape: Shape) -> tuple[str, ...]:
    if domain.meanings and source.chance(0.3 if shape == "row" else 0.7):
        # The first family of a domain is the one its texts are about.
        return (domain.meanings[0] if source.chance(0.5) else source.pick(domain.meanings),)
    if shape != "row" and source.chance(0.05):
        return (source.pick(drawn_families(held_out=False)),)
    return ()


def _draw_stated(source: Source, domain: Domain, shape: Shape) -> tuple[str, ...]:
    if domain.enums and source.chance(0.15 if shape == "row" else 0.25):
        return (source.pick(domain.enums),)
    if shape != "row" and source.chance(0.04):
        return (source.pick(tuple(stated_labels())),)
    return ()


def write_passage(source: Source, plan: Plan) -> Passage:
    """Return a new text that follows the plan."""
    domain = domains()[plan.domain]
    passage = Passage()
    extras = _write_extras(source, plan, passage)
    if plan.form:
        passage.values = plan.form.draw_values(source)
        thing_asked = passage.values.get("thing")
        if thing_asked and thing_asked.topic:
            passage.meanings["topic"] = thing_asked.topic
        passage.text = _with_extras(source, plan.form.written(source, passage.values), extras)
    elif plan.shape == "clauses":
        clauses = [varied(source, clause) for clause in _draw_clauses(source, domain, plan)]
        # Capitals go to the words of the template, never to a value that begins it.
        parts = [fill(source, capitalised(source, clause), passage) for clause in clauses]
        parts += extras
        parts += [filler(source) for _ in range(source.pick((0, 0, 0, 1, 1, 2)))]
        source.rng.shuffle(parts)
        passage.text = joined(source, parts)
    else:
        cues = domain.rows if plan.shape == "row" else domain.wholes
        template = one_of_many(source, plan.template or choose(source, cues))
        template = _expand_parts(source, domain, disturbed(source, template), passage)
        text, unsaid = _say(source, fill(source, template, passage), extras, passage)
        passage.text = _with_extras(source, text, unsaid)
    return passage


def disturbed(source: Source, template: str) -> str:
    """Return the template in lower case or with a typing error, now and then."""
    if source.chance(0.07):
        return lower_outside_slots(template)
    return mistyped(source, template) if source.chance(0.06) else template


def _with_extras(source: Source, text: str, extras: Sequence[str]) -> str:
    """Return the text with sentences before or behind it."""
    if not extras:
        return text
    if "\n" in text:
        parts = [text, " ".join(f"{extra.rstrip('.')}." for extra in extras)]
        return source.pick(("\n", "\n\n")).join(parts if source.chance(0.7) else parts[::-1])
    parts = [text, *extras]
    if source.chance(0.3):
        source.rng.shuffle(parts)
    return joined(source, parts)


def _write_extras(source: Source, plan: Plan, passage: Passage) -> list[str]:
    """Return sentences for what the plan asks beside slots, and note it in the passage."""
    sentences = []
    for family in plan.families:
        if family == "post_kind" and plan.shape == "whole":
            continue  # the body of the post is chosen by its kind
        passage.meanings[family] = source.pick(tuple(families()[family].classes))
        shown = passage.meanings[family]
        n_sentences = 1 if plan.shape == "row" else source.pick((1, 1, 2))
        sentences += [meaning_sentence(source, family, shown) for _ in range(n_sentences)]
    for enum in plan.stated:
        stated = stated_labels()[enum]
        passage.labels[enum] = source.pick(stated.labels)
        cue = one_of_many(source, choose(source, stated.cues))
        sentences.append(cue.replace("{x}", passage.labels[enum]))
    for index in plan.truths:
        passage.truths[index] = source.chance(0.5)
        sentences.append(truth_sentence(source, index, is_true=passage.truths[index]))
    return sentences + [_write_list(source, name, passage) for name in plan.lists]


def meaning_sentence(source: Source, family: str, meaning: str) -> str:
    """Return a sentence that shows a class of a family."""
    entry = families()[family]
    sentence = one_of_many(source, choose(source, entry.classes[meaning].cues))
    while "{adjective}" in sentence and meaning in entry.adjectives:
        adjective = source.word(entry.adjectives[meaning])
        sentence = sentence.replace("{adjective}", adjective, 1)
    while "{quality}" in sentence:
        sentence = sentence.replace("{quality}", source.word("qualities"), 1)
    return sentence


def truth_sentence(source: Source, index: int, *, is_true: bool) -> str:
    """Return a sentence that answers a yes-or-no question with yes or with no."""
    truth = truths()[index]
    return one_of_many(source, choose(source, truth.when_true if is_true else truth.when_false))


def _write_list(source: Source, name: str, passage: Passage) -> str:
    concept = list_concepts()[name]
    n_items = source.pick((1, 2, 2, 3, 3, 4, 5))
    drawn = (concept.make(source) for _ in range(n_items))
    values = list({value.text: value for value in drawn}.values())
    passage.lists[name] = values
    items = [value.written for value in values]
    cue = one_of_many(source, choose(source, concept.cues))
    return cue.replace("{x}", enumerated(source, name, items))


def enumerated(source: Source, name: str, items: Sequence[str]) -> str:
    """Return the items as people enumerate them."""
    dice = source.rng.random()
    if name in ("tags", "links") and dice < 0.7:
        return " ".join(items)
    if len(items) == 1 or dice < 0.45:
        return ", ".join(items)
    if dice < 0.78:
        return f"{', '.join(items[:-1])} {source.pick(('and', 'and', '&', 'and also'))} {items[-1]}"
    if dice < 0.92:
        bullet = source.pick(("- ", "- ", "* ", "• ", "[ ] "))
        return "\n" + "\n".join(bullet + item for item in items)
    return source.pick(("; ", " / ", " | ")).join(items)


# What the kind of a post says about the writer's feelings; other kinds leave it open.
_FEELING_OF_KIND = {"complaint": "negative", "praise": "positive"}


def _expand_parts(source: Source, domain: Domain, template: str, passage: Passage) -> str:
    """Replace each `{part.NAME}`; the class of a part that has classes becomes a meaning."""
    for name, by_class in domain.parts.items():
        mark = f"{{part.{name}}}"
        if mark not in template:
            continue
        feeling = passage.meanings.get("sentiment")
        keys = [key for key in by_class if _FEELING_OF_KIND.get(key, feeling) in (feeling, None)]
        key = source.pick(keys if feeling else tuple(by_class))
        if key:
            passage.meanings["post_kind"] = key
        template = template.replace(mark, one_of_many(source, choose(source, by_class[key])))
    return template


def _say(
    source: Source, text: str, extras: Sequence[str], passage: Passage
) -> tuple[str, list[str]]:
    """Put the extra sentences where the text has a `{say}`; return the text and those left."""
    unsaid = list(extras)
    if "{say}" not in text:
        return text, unsaid
    while "{say}" in text:
        sentence = unsaid.pop(0) if unsaid else _small_talk(source, passage)
        text = text.replace("{say}", sentence.rstrip("."), 1)
    return re.sub(r"([.!?])[.!,]", r"\1", text), unsaid


def _small_talk(source: Source, passage: Passage) -> str:
    """Return a sentence that contradicts nothing that the passage means."""
    family = source.pick(("post_kind", "topic", "none"))
    if family in passage.meanings:
        return meaning_sentence(source, family, passage.meanings[family])
    return filler(source)


def fill(source: Source, template: str, passage: Passage) -> str:
    """Put a value into each slot; a slot that occurs twice has one value.

    `{slot~first}` is the first word of a value, `{_slot}` a value that nothing asks for. A value
    stands with what belongs around it, such as its unit, unless the template says that itself.
    """
    drawn: dict[str, Value] = {}

    def value_text(match: re.Match[str]) -> str:
        name, part = match[1], match[2]
        if name == "say":
            return match[0]
        if name.startswith("_"):
            passage.decoys.add(name[1:])
            value = concepts()[name[1:]].make(source)
            if part:
                return _address(source, value)
            return _fitting(value, template[: match.start()], template[match.end() :]).written
        if name not in drawn:
            drawn[name] = passage.values.get(name) or _new_value(source, name, passage)
        if part:
            return _address(source, drawn[name])
        before, after = template[: match.start()], template[match.end() :]
        drawn[name] = _fitting(drawn[name], before, after)
        passage.values[name] = drawn[name]
        return drawn[name].written

    return SLOT.sub(value_text, template)


# What makes a mark before a value one too many, and a unit behind it.
_MARKED = re.compile(
    r"\b(?:no|nr|number|num|ref|reference|id|code|version|release|dr|mrs?|ms|prof)[.:]?\s*$",
    re.IGNORECASE,
)
_NO_UNIT = re.compile(r"\s?[\w%°€$£(/×@]|[-.,:/][\w{\"]")


def _fitting(value: Value, before: str, after: str) -> Value:
    """Return the value as it may stand between two pieces of a template."""
    if value.number is not None and ("," in value.text or " " in value.text):
        tight = before.endswith((",", ";")) or re.match(r"[,;]\S", after)
        if tight and value.currency is None:
            # Between the commas of a line of columns, a number has none of its own.
            return Value(str(value.number), number=value.number)
    if not value.shown:
        return value
    parted = value.shown.partition if value.shown.startswith(value.text) else value.shown.rpartition
    start, _, end = parted(value.text)
    glued = before and (before[-1].isalnum() or before[-1] in "#@/")
    bracketed = start.startswith(("(", "[")) and before.endswith(("(", "["))
    doubled = len(start) > 1 and _MARKED.search(before)
    if start and (glued or bracketed or doubled):
        return value.bare()
    return value.bare() if end and _ends_badly(value, after) else value


def _ends_badly(value: Value, after: str) -> bool:
    """Return whether what follows a value says the unit itself or bears none before it."""
    word = re.match(r" ([a-z]+)", after)
    if word and value.number is not None and not value.currency:
        return word[1] in _unit_words()
    return _NO_UNIT.match(after) is not None


@cache
def _unit_words() -> frozenset[str]:
    """Return the words that say what a number counts."""
    units = [unit for entry in read_table("concepts").values() for unit in entry.get("units", ())]
    return frozenset(word for unit in (*units, *UNITS, *COUNTED) for word in unit.split())


COUNTED = (
    "item", "seats", "tickets", "copies", "kids", "square", "shares", "participants", "attendees",
    "minute", "hour", "day", "rooms", "bedrooms", "results", "failed", "euros", "dollars", "bonus",
    "reviews", "credits", "tries", "retries", "working", "per", "each", "percent",
    "places", "supporters", "followers", "fans", "voices", "stars", "comments", "replies", "staff",
    "souls",
)  # fmt: skip


def _address(source: Source, person: Value) -> str:
    """Return how a letter calls a person: by the first name, or by title and last name."""
    if person.shown and source.chance(0.6):
        title = person.shown.removesuffix(person.text)
        return title + person.text.split()[-1]
    return _first_word(person.text)


def _first_word(text: str) -> str:
    """Return the first name of a person, or the whole where it begins with an initial."""
    first = text.split(maxsplit=1)[0]
    return text if first.endswith(".") else first


def _new_value(source: Source, name: str, passage: Passage) -> Value:
    if concepts()[name].make is email and source.chance(0.5):
        return _own_address(source, passage)
    if name != "thing":
        return draw_value(source, name, passage.values)
    value = thing(source, passage.meanings.get("topic"))
    if value.topic:
        passage.meanings["topic"] = value.topic
    return value


def _own_address(source: Source, passage: Passage) -> Value:
    """Return the mail address of somebody whom the text names before."""

    def of(maker: ValueMaker) -> list[str]:
        named = passage.values.items()
        return [value.text for name, value in named if concepts()[name].make is maker]

    people, companies = of(person), of(company)
    if not people:
        return email(source)
    return email_of(source, people[-1], companies[-1] if companies else None)


def _draw_clauses(source: Source, domain: Domain, plan: Plan) -> list[str]:
    pool = domain.clauses.usual
    if source.held_out.templates and domain.clauses.held_out:
        pool = (*domain.clauses.held_out, source.pick(pool))
    clauses = source.rng.sample(pool, min(plan.n_clauses, len(pool)))
    if source.held_out.templates:
        return clauses
    carried = {slot for clause in clauses for slot, _ in SLOT.findall(clause)}
    for index in range(len(clauses)):
        free = [slot for slot in domain.slots if slot not in carried]
        if free and source.chance(0.16):
            slot = source.pick(free)
            carried.add(slot)
            layout = source.pick(LABEL_LAYOUTS)
            clauses[index] = layout.replace("LABEL", label_of(source, slot)).replace(
                "VALUE", "{" + slot + "}"
            )
    return clauses
