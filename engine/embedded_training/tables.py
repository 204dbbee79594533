"""The hand-written tables behind the corpus, as frozen values.

Everything held out for evaluation stands in its own column (`held_out_…`), so that training code
cannot draw it by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self

from embedded_training.randomness import read_table
from embedded_training.values import ValueMaker, value_maker

Words = tuple[str, ...]
Templates = list[str] | dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Naming:
    """What a schema may call a field and how it may describe it."""

    names: Words
    held_out_names: Words = ()
    descriptions: Words = ()
    held_out_descriptions: Words = ()

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Self:
        """Return the naming columns of a table entry."""
        return cls(**{f.name: tuple(entry[f.name]) for f in fields(cls) if f.name in entry})


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


@dataclass(frozen=True, slots=True)
class Family:
    """An enum whose label must be understood from the text, such as a sentiment."""

    naming: Naming
    classes: Mapping[str, Meaning]
    adjectives: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Domain:
    """A sort of text: which concepts it may carry and the templates that carry them."""

    slots: Words
    clauses: Cues
    wholes: Cues
    parts: Mapping[str, Mapping[str, Cues]]
    lists: Words
    enums: Words
    meanings: Words


@cache
def concepts() -> Mapping[str, Concept]:
    """Return the concepts by name."""
    return {
        name: Concept(
            make=value_maker(entry),
            kinds=tuple(entry["kinds"]),
            naming=Naming.read(entry),
            group=entry.get("group"),
        )
        for name, entry in read_table("concepts").items()
    }


@cache
def list_concepts() -> Mapping[str, ListConcept]:
    """Return the list concepts by name."""
    return {
        name: ListConcept(value_maker(entry), Naming.read(entry), _cues(entry, "cues"))
        for name, entry in read_table("lists").items()
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
                key: Meaning(tuple(value["labels"]), _cues(value, "cues"))
                for key, value in entry["classes"].items()
            },
            adjectives=entry.get("adjectives", {}),
        )
        for name, entry in read_table("meanings").items()
    }


@cache
def domains() -> Mapping[str, Domain]:
    """Return the sorts of text by name."""
    return {name: _domain(entry) for name, entry in read_table("carriers").items()}


def _domain(entry: Mapping[str, Any]) -> Domain:
    return Domain(
        slots=tuple(entry["slots"]),
        clauses=_cues(entry, "clauses"),
        wholes=_cues(entry, "wholes"),
        parts={
            name: _part(value, entry.get("held_out_parts", {}).get(name, {}))
            for name, value in entry.get("parts", {}).items()
        },
        lists=tuple(entry.get("lists", ())),
        enums=tuple(entry.get("enums", ())),
        meanings=tuple(entry.get("meanings", ())),
    )


def _part(usual: Templates, held_out: Templates) -> Mapping[str, Cues]:
    """Return a part's templates by class; a part without classes has the one class ``""``."""
    if isinstance(usual, list):
        return {"": Cues(tuple(usual), tuple(held_out))}
    kept = held_out if isinstance(held_out, dict) else {}
    return {key: Cues(tuple(value), tuple(kept.get(key, ()))) for key, value in usual.items()}


def _cues(entry: Mapping[str, Any], column: str) -> Cues:
    return Cues(tuple(entry.get(column, ())), tuple(entry.get(f"held_out_{column}", ())))
