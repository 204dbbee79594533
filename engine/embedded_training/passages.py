"""Passages: short texts together with what can be asked about them.

A passage is written from the templates of one domain, either as a whole text or as clauses in
random order, and keeps the values that it carries.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embedded_training.names import thing
from embedded_training.randomness import Source, Value, pseudo_word
from embedded_training.tables import (
    Cues,
    Domain,
    concepts,
    domains,
    families,
    list_concepts,
    stated_labels,
    truths,
)

_SLOT = re.compile(r"\{([\w.]+)\}")
_ALTERNATIVES = re.compile(r"<([^<>]*)>")

# Ways to say the same; applied now and then so that no clause is learnt by heart.
PARAPHRASES: Mapping[str, tuple[str, ...]] = {
    "costs": ("is priced at", "sells for", "goes for", "comes to"),
    "bought": ("purchased", "got", "picked up", "has bought"),
    "ordered": ("requested", "asked for", "has ordered"),
    "arrive": ("come", "be there", "be delivered"),
    "sent": ("transferred", "wired", "passed"),
    "hosted by": ("organized by", "presented by", "run by"),
    "looking for": ("searching for", "seeking"),
    "posted": ("shared", "wrote", "published"),
    "wrote": ("posted", "said", "noted"),
    "starts": ("begins", "opens"),
    "call": ("phone", "ring"),
    "write to": ("mail", "email", "message"),
    "works at": ("is employed by", "is with"),
    "lives in": ("is based in", "comes from"),
    "beat": ("defeated", "won against"),
    "contact": ("reach", "ask"),
    "total": ("sum", "overall amount"),
    "arrives": ("comes", "is due to arrive"),
    "reported by": ("filed by", "found by"),
    "sold by": ("offered by", "from the shop"),
    "gave it": ("rated it", "left"),
    "pay": ("transfer", "remit"),
    "issued by": ("made out by", "sent by"),
    "on": ("dated",),
    "Dear": ("Hi", "Good day", "Hello"),
}
OPENINGS = (
    "also, ", "please note: ", "btw ", "today ", "again ", "so ", "well, ", "and ", "info: ",
    "update: ", "hey, ", "now ",
)  # fmt: skip
ENDINGS = (
    " today", " as agreed", " again", " for sure", " now", " (new)", " please", " as usual",
    " I think",
)  # fmt: skip


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
    lists: dict[str, list[str]] = field(default_factory=dict)
    """The items of each list that the text names."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all passages of one example have in common beside their domain."""

    domain: str
    n_clauses: int
    whole: bool
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
    whole = bool(domain.wholes.usual) and source.chance(0.75 if domain_name == "post" else 0.55)
    plain = n_passages > 1
    truth_count = source.pick((0, 0, 0, 0, 0, 1) if plain else (0, 0, 0, 0, 1, 1, 2))
    with_list = not plain and domain.lists and source.chance(1.0 if domain_name == "list" else 0.2)
    return Plan(
        domain=domain_name,
        n_clauses=source.pick((1, 2, 2, 3) if plain else (1, 2, 2, 3, 3, 4, 5)),
        whole=whole,
        families=_draw_families(source, domain),
        stated=(source.pick(domain.enums),) if domain.enums and source.chance(0.25) else (),
        truths=tuple(source.rng.sample(range(len(truths())), truth_count)),
        lists=(source.pick(domain.lists),) if with_list else (),
    )


def _draw_families(source: Source, domain: Domain) -> tuple[str, ...]:
    if domain.meanings and source.chance(0.75):
        # The first family of a domain is the one its texts are about.
        return (domain.meanings[0] if source.chance(0.5) else source.pick(domain.meanings),)
    if source.chance(0.08):
        return (source.pick(("intent", "sentiment", "topic")),)
    return ()


def write_passage(source: Source, plan: Plan) -> Passage:
    """Return a new text that follows the plan."""
    domain = domains()[plan.domain]
    passage = Passage()
    extras = _write_extras(source, plan, passage)
    if plan.whole:
        template = _expand_parts(source, domain, choose(source, domain.wholes), passage)
        text = _fill(source, _alternatives(source, template), passage)
        text, unsaid = _say(source, text, extras, passage)
        passage.text = _join(source, [text, *unsaid]) if unsaid else text
    else:
        clauses = [_vary(source, clause) for clause in _draw_clauses(source, domain, plan)]
        # Capitals go to the words of the template, never to a value that begins it.
        parts = [_fill(source, _capitalised(source, clause), passage) for clause in clauses]
        parts += extras
        parts += [filler(source) for _ in range(source.pick((0, 0, 0, 1, 1, 2)))]
        source.rng.shuffle(parts)
        passage.text = _join(source, parts)
    return passage


def _write_extras(source: Source, plan: Plan, passage: Passage) -> list[str]:
    """Return sentences for what the plan asks beside slots, and note it in the passage."""
    sentences = []
    for family in plan.families:
        if family == "post_kind" and plan.whole:
            continue  # the body of the post is chosen by its kind
        passage.meanings[family] = source.pick(tuple(families()[family].classes))
        sentences.append(meaning_sentence(source, family, passage.meanings[family]))
    for enum in plan.stated:
        stated = stated_labels()[enum]
        passage.labels[enum] = source.pick(stated.labels)
        sentences.append(choose(source, stated.cues).replace("{x}", passage.labels[enum]))
    for index in plan.truths:
        truth = truths()[index]
        passage.truths[index] = source.chance(0.5)
        answer = truth.when_true if passage.truths[index] else truth.when_false
        sentences.append(choose(source, answer))
    return sentences + [_write_list(source, name, passage) for name in plan.lists]


def meaning_sentence(source: Source, family: str, meaning: str) -> str:
    """Return a sentence that shows a class of a family."""
    entry = families()[family]
    sentence = choose(source, entry.classes[meaning].cues)
    if meaning in entry.adjectives:
        for _ in range(2):
            adjective = source.word(entry.adjectives[meaning])
            sentence = sentence.replace("{adjective}", adjective, 1)
            sentence = sentence.replace("{quality}", source.word("qualities"), 1)
    return sentence


def _write_list(source: Source, name: str, passage: Passage) -> str:
    concept = list_concepts()[name]
    n_items = source.pick((1, 2, 2, 3, 3, 4, 5))
    items = list(dict.fromkeys(concept.make(source).text for _ in range(n_items)))
    passage.lists[name] = items
    return choose(source, concept.cues).replace("{x}", _enumerate(source, name, items))


def _enumerate(source: Source, name: str, items: Sequence[str]) -> str:
    dice = source.rng.random()
    if name in ("tags", "links") and dice < 0.7:
        return " ".join(items)
    if len(items) == 1 or dice < 0.5:
        return ", ".join(items)
    if dice < 0.8:
        return f"{', '.join(items[:-1])} and {items[-1]}"
    return "\n- " + "\n- ".join(items) if dice < 0.92 else "; ".join(items)


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
        template = template.replace(mark, choose(source, by_class[key]))
    return template


_DROPPED = "\0"


def _alternatives(source: Source, template: str) -> str:
    """Replace each `<a|b>` by one of its alternatives, inner ones first."""
    while _ALTERNATIVES.search(template):
        template = _ALTERNATIVES.sub(
            lambda match: source.pick(match[1].split("|")) or _DROPPED, template
        )
    # An alternative that is empty takes one of the blanks around it along.
    text = template.replace(f" {_DROPPED} ", " ").replace(_DROPPED, "").strip()
    return text.replace("&lt;", "<").replace("&gt;", ">")


def _say(
    source: Source, text: str, extras: Sequence[str], passage: Passage
) -> tuple[str, list[str]]:
    """Put the extra sentences where the text has a `{say}`; return the text and those left."""
    unsaid = list(extras)
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


def _fill(source: Source, template: str, passage: Passage) -> str:
    """Put a value into each slot; a slot that occurs twice has one value."""

    def value_text(match: re.Match[str]) -> str:
        name = match[1]
        if name == "say":
            return match[0]
        if name not in passage.values:
            passage.values[name] = _new_value(source, name, passage)
        return passage.values[name].text

    return _SLOT.sub(value_text, template)


def _new_value(source: Source, name: str, passage: Passage) -> Value:
    if name != "thing":
        return concepts()[name].make(source)
    value = thing(source, passage.meanings.get("topic"))
    if value.topic:
        passage.meanings["topic"] = value.topic
    return value


def _draw_clauses(source: Source, domain: Domain, plan: Plan) -> list[str]:
    pool = domain.clauses.usual
    if source.held_out.templates and domain.clauses.held_out:
        pool = (*domain.clauses.held_out, source.pick(pool))
    clauses = source.rng.sample(pool, min(plan.n_clauses, len(pool)))
    if source.held_out.templates:
        return clauses
    carried = {slot for clause in clauses for slot in _SLOT.findall(clause)}
    for index in range(len(clauses)):
        free = [slot for slot in domain.slots if slot not in carried]
        if free and source.chance(0.16):
            slot = source.pick(free)
            carried.add(slot)
            clauses[index] = _labelled(source, slot)
    return clauses


def _labelled(source: Source, slot: str) -> str:
    """Return a clause such as ``Due date: {due}`` with any name of the concept as label."""
    name = source.pick(concepts()[slot].naming.names).replace("_", " ")
    name = source.pick(
        (name, name, name.capitalize(), name.capitalize(), name.title(), name.upper())
    )
    layout = source.pick(LABEL_LAYOUTS)
    return layout.replace("LABEL", name).replace("VALUE", "{" + slot + "}")


LABEL_LAYOUTS = (
    "LABEL: VALUE", "LABEL: VALUE", "LABEL - VALUE", "LABEL VALUE", "LABEL = VALUE",
    "the LABEL is VALUE", "LABEL is VALUE", "LABEL=VALUE", "LABEL:VALUE", "[LABEL] VALUE",
)  # fmt: skip


def _vary(source: Source, clause: str) -> str:
    """Return the clause with a synonym, an opening, an ending or a typing error, now and then."""
    clause = _alternatives(source, clause)
    if source.held_out.templates:
        return clause
    if source.chance(0.3):
        known = [phrase for phrase in PARAPHRASES if f" {phrase} " in f" {clause} "]
        if known:
            phrase = source.pick(known)
            other = source.pick(PARAPHRASES[phrase])
            clause = f" {clause} ".replace(f" {phrase} ", f" {other} ", 1).strip()
    if source.chance(0.08):
        clause = source.pick(OPENINGS) + clause
    if source.chance(0.06):
        clause += source.pick(ENDINGS)
    return _mistyped(source, clause) if source.chance(0.04) else clause


def _mistyped(source: Source, clause: str) -> str:
    """Return the clause with one letter outside its slots dropped or doubled."""
    masked = _SLOT.sub(lambda match: "_" * len(match[0]), clause)
    places = [index for index, sign in enumerate(masked) if sign.isalpha()]
    if len(places) < 5:
        return clause
    place = source.pick(places)
    twice = clause[place] * 2 if source.chance(0.5) else ""
    return clause[:place] + twice + clause[place + 1 :]


def _capitalised(source: Source, sentence: str) -> str:
    return sentence if source.chance(0.6) else sentence[:1].upper() + sentence[1:]


def _join(source: Source, parts: Sequence[str]) -> str:
    """Return the parts as one text: sentences, lines or a list with some separator."""
    dice = source.rng.random()
    if dice < 0.4:
        ended = [
            part if part[-1:] in ".!?:,;" else part + source.pick((".", ".", ".", "!", ""))
            for part in parts[:-1]
        ]
        return " ".join([*ended, parts[-1]])
    separators = ((0.68, "\n"), (0.82, ", "), (0.88, " - "), (0.94, " | "), (1.0, "; "))
    return next(separator for limit, separator in separators if dice < limit).join(parts)


def filler(source: Source) -> str:
    """Return a sentence that answers no question."""
    if source.chance(0.4):
        return source.word("fillers")
    if source.chance(0.4):
        words = [source.word("common_words") for _ in range(source.between(2, 9))]
        return _capitalised(source, " ".join(words)) + source.pick((".", "!", "", "...", "?"))

    def noun() -> str:
        if source.chance(0.6):
            return source.word("title_words")
        return source.word("products") if source.chance(0.5) else pseudo_word(source)

    verb = source.word("verbs")
    sentence = source.pick(
        (
            f"the {noun()} {verb} a {noun()}",
            f"my {noun()} {verb} the {noun()} {noun()}",
            f"we {verb} the {noun()} and the {noun()}",
            f"no {noun()} without {noun()}",
            f"they {verb} {noun()} {noun()}",
            f"about the {noun()} in the {noun()}",
            f"it is a {noun()} for my {noun()}",
            f"every {noun()} {verb} some {noun()}",
        )
    )
    return _capitalised(source, sentence) + source.pick((".", ".", "!", ""))
