"""The hand-written tables behind the corpus, as frozen values.

Everything held out for evaluation stands in its own column (`held_out_…`), so that training code
cannot draw it by accident.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self

from embedded_training.randomness import read_table
from embedded_training.situations import situation_entries, situations
from embedded_training.values import ValueMaker, value_maker
from embedded_training.wording import SLOT

Words = tuple[str, ...]
Templates = list[str] | dict[str, list[str]]


@cache
def usual_names() -> frozenset[str]:
    """Return all names of fields that training may draw."""
    tables = ("concepts", "lists", "meanings", "stated", "booleans", "mappings")
    entries = (entry for table in tables for entry in read_table(table).values())
    questions = (question for each in situations().values() for question in each.questions)
    return frozenset(
        name
        for names in (*(entry.get("names", ()) for entry in entries), *(q.names for q in questions))
        for name in names
    )


@dataclass(frozen=True, slots=True)
class Naming:
    """What a schema may call a field and how it may describe it."""

    names: Words
    held_out_names: Words = ()
    descriptions: Words = ()
    held_out_descriptions: Words = ()

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Return the naming columns of a table entry.

        A name that any table has among its usual ones is not held out.
        """
        columns = {f.name: tuple(entry[f.name]) for f in fields(cls) if f.name in entry}
        held_out = columns.get("held_out_names", ())
        kept = tuple(name for name in held_out if name not in usual_names())
        return cls(**columns | {"held_out_names": kept})


@dataclass(frozen=True, slots=True)
class Cues:
    """Sentences that state or show something."""

    usual: Words
    held_out: Words = ()


@dataclass(frozen=True, slots=True)
class Concept:
    """What a field can ask for: a kind of value, its JSON types and its names."""

    make: ValueMaker
    kinds: Words
    naming: Naming
    group: str | None = None
    follows: Words = ()
    """The concepts whose days are earlier ones."""


@dataclass(frozen=True, slots=True)
class ListConcept:
    """A list of values that a field can ask for, and how a text introduces it."""

    make: ValueMaker
    naming: Naming
    cues: Cues


@dataclass(frozen=True, slots=True)
class StatedLabel:
    """An enum whose label stands in the text, such as the status of an order."""

    labels: Words
    naming: Naming
    cues: Cues


@dataclass(frozen=True, slots=True)
class Truth:
    """A yes-or-no question with sentences that answer it."""

    naming: Naming
    when_true: Cues
    when_false: Cues


@dataclass(frozen=True, slots=True)
class Meaning:
    """One class of a family: how schemas label it, and sentences that show it."""

    labels: Words
    cues: Cues
    flag: Naming
    """Names of a yes-or-no field that asks for this class alone."""


@dataclass(frozen=True, slots=True)
class Family:
    """An enum whose label must be understood from the text, such as a sentiment."""

    naming: Naming
    classes: Mapping[str, Meaning]
    adjectives: Mapping[str, str]
    schemes: tuple[Mapping[str, str], ...] = ()
    """Labels that go together, one for each class."""
    held_out_schemes: tuple[Mapping[str, str], ...] = ()
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """A sort of text: which concepts it may carry and the templates that carry them."""

    slots: Words
    clauses: Cues
    wholes: Cues
    rows: Cues
    """Short templates for texts that carry several records."""
    parts: Mapping[str, Mapping[str, Cues]]
    lists: Words
    enums: Words
    meanings: Words
    row_names: Words
    """What a schema calls a list of such records."""
    held_out: bool = False


DEFAULT_KINDS: Mapping[str, Words] = {
    "date": ("date", "date", "str"),
    "birthday": ("date", "date", "str"),
    "clock_time": ("time", "time", "str"),
    "moment": ("datetime", "datetime", "str"),
    "money": ("float", "str"),
    "count": ("int",),
    "percent": ("float", "int"),
    "measure": ("float",),
    "year": ("int", "int", "str"),
    "email": ("email", "str"),
    "url": ("url", "str"),
    "uuid": ("str", "uuid"),
}


@cache
def concepts() -> Mapping[str, Concept]:
    """Return the concepts by name."""
    return {
        name: Concept(
            make=value_maker(entry),
            kinds=tuple(entry.get("kinds", DEFAULT_KINDS.get(entry["value"], ("str",)))),
            naming=Naming.read(entry),
            group=entry.get("group"),
            follows=tuple(entry.get("follows", "").split()),
        )
        for name, entry in _entries("concepts")
    }


@cache
def held_out_names() -> frozenset[str]:
    """Return all names of fields that only evaluation may use."""
    return frozenset(name for each in concepts().values() for name in each.naming.held_out_names)


@cache
def list_concepts() -> Mapping[str, ListConcept]:
    """Return the list concepts by name."""
    return {
        name: ListConcept(value_maker(entry), Naming.read(entry), _cues(entry, "cues"))
        for name, entry in _entries("lists")
    }


@cache
def stated_labels() -> Mapping[str, StatedLabel]:
    """Return the enums whose labels stand in the text, by name."""
    return {
        name: StatedLabel(tuple(entry["labels"]), Naming.read(entry), _cues(entry, "cues"))
        for name, entry in read_table("stated").items()
    }


@cache
def truths() -> tuple[Truth, ...]:
    """Return the yes-or-no questions."""
    return tuple(
        Truth(Naming.read(entry), _cues(entry, "true_cues"), _cues(entry, "false_cues"))
        for entry in read_table("booleans").values()
    )


@cache
def families() -> Mapping[str, Family]:
    """Return the families of meanings by name."""
    return {
        name: Family(
            naming=Naming.read(entry),
            classes={
                key: Meaning(tuple(value["labels"]), _cues(value, "cues"), _flag(key, value))
                for key, value in entry["classes"].items()
            },
            adjectives=entry.get("adjectives", {}),
            schemes=tuple(entry.get("schemes", ())),
            held_out_schemes=tuple(entry.get("held_out_schemes", ())),
            held_out=entry.get("held_out", False),
        )
        for name, entry in _entries("meanings")
    }


def _entries(table: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Return the entries of a table, and those that situations bring along."""
    return {**read_table(table), **situation_entries(table)}.items()


def _flag(key: str, entry: Mapping[str, Any]) -> Naming:
    names = tuple(entry.get("flags", (f"is_{key}",)))
    return Naming(names, descriptions=tuple(entry.get("flag_descriptions", ())))


@cache
def family_names(*, held_out: bool) -> Words:
    """Return the names of the families with sentences: those kept for evaluation, or all others."""
    return tuple(name for name in read_table("meanings") if families()[name].held_out == held_out)


COMMON_FAMILIES = ("sentiment", "urgency", "topic", "mail_kind", "intent", "support", "issue_type")
"""What people ask for most, which is drawn more often."""
WEIGHT_OF_COMMON = 3


@cache
def drawn_families(*, held_out: bool) -> Words:
    """Return the names of families, each as many times as it is to be drawn."""
    names = family_names(held_out=held_out)
    return names if held_out else names + COMMON_FAMILIES * (WEIGHT_OF_COMMON - 1)


@cache
def telling_families(*, held_out: bool) -> Words:
    """Return the names of families whose labels tell what a sentence is about, whoever asks.

    Where labels go together ("high", "low"), one of them means little beside those of others.
    """
    names = family_names(held_out=held_out)
    return tuple(name for name in names if not families()[name].schemes)


@cache
def domains() -> Mapping[str, Domain]:
    """Return the sorts of text by name."""
    return {name: _domain(entry) for name, entry in read_table("carriers").items()}


@cache
def domain_names(*, held_out: bool) -> Words:
    """Return the names of the domains kept for evaluation, or of all others."""
    return tuple(name for name, domain in domains().items() if domain.held_out == held_out)


FREQUENT = ("reading", "spec", "figures")
"""Domains of numbers with units, which are drawn more often."""


def drawn_domains(*, held_out: bool) -> Words:
    """Return the names of domains to draw from, the frequent ones more than once."""
    names = domain_names(held_out=held_out)
    return names if held_out else (*names, *FREQUENT)


def _domain(entry: Mapping[str, Any]) -> Domain:
    columns = ("clauses", "wholes", "rows")
    templates = [text for name in columns for text in entry.get(name, ())]
    slots = {slot for text in templates for slot, _ in SLOT.findall(text)}
    found = [slot for slot in sorted(slots) if slot in read_table("concepts")]
    return Domain(
        slots=tuple(dict.fromkeys((*entry.get("slots", ()), *found))),
        clauses=_cues(entry, "clauses"),
        wholes=_cues(entry, "wholes"),
        rows=_cues(entry, "rows"),
        parts={
            name: _part(value, entry.get("held_out_parts", {}).get(name, {}))
            for name, value in entry.get("parts", {}).items()
        },
        lists=tuple(entry.get("lists", ())),
        enums=tuple(entry.get("enums", ())),
        meanings=tuple(entry.get("meanings", ())),
        row_names=tuple(entry.get("names", ("items", "rows", "records", "entries"))),
        held_out=entry.get("held_out", False),
    )


def _part(usual: Templates, held_out: Templates) -> Mapping[str, Cues]:
    """Return a part's templates by class; a part without classes has the one class ``""``."""
    if isinstance(usual, list):
        return {"": Cues(tuple(usual), tuple(held_out))}
    kept = held_out if isinstance(held_out, dict) else {}
    return {key: Cues(tuple(value), tuple(kept.get(key, ()))) for key, value in usual.items()}


def _cues(entry: Mapping[str, Any], column: str) -> Cues:
    return Cues(tuple(entry.get(column, ())), tuple(entry.get(f"held_out_{column}", ())))
