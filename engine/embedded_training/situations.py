"""Situations: whole texts of the tables, and the questions that they answer.

The other texts are put together from sentences that know nothing of each other. These are coherent,
and what is asked about them has to be understood from the whole. `tables/situations/` holds them;
the README of this folder says how they are written.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from embedded_training.randomness import TABLES, read_table
from embedded_training.values import IN_ORDER
from embedded_training.wording import SLOT

UNDERSTOOD = ("bool", "enum")
"""Kinds of questions whose answer stands behind a text, and not in it."""

DISTRACTORS = {"_money": "_amount", "_code": "_order_id", "_clock_time": "_time"}
"""What the other tables call values that nothing asks for, where that is another name."""

MARK = re.compile(r"\[([a-z_0-9]+)(?:#(\d))?:([^\[\]]*)\]")
"""A span of the text that answers a question, perhaps of one of several records."""

_NUMBERED = re.compile(r"\b([a-z_0-9]+)#\d")
_SLOT = re.compile(r"\{(_?[a-z_0-9]+)(?:#(\d))?(~\w+)?\}")
MOST_RECORDS = 9


@dataclass(frozen=True, slots=True)
class SituationQuestion:
    """A question of a situation, as a table says it."""

    key: str
    kind: str
    """`bool`, `enum`, `text`, `list`, or the name of a value such as `person`."""
    arguments: str
    """The labels of an enum, the limits of a number, or the place of a day or time in order."""
    names: tuple[str, ...]
    held_out_names: tuple[str, ...]
    descriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnsweredText:
    """A template, and the answers that do not stand in it."""

    template: str
    answers: Mapping[str, str]
    """By the key of the question; that of a record's question has its number: ``done#2``."""

    def of_record(self, number: int) -> "AnsweredText":
        """Return the answers about one of the records in the text."""
        end = f"#{number}"
        own = (key for key in self.answers if key.endswith(end))
        return AnsweredText("", {key.removesuffix(end): self.answers[key] for key in own})


def concept_name(situation: str, key: str, record: int | str = "") -> str:
    """Return the name under which the other tables know a question, or a record's value."""
    return f"{situation}.{key}.{record}" if record else f"{situation}.{key}"


@dataclass(frozen=True, slots=True)
class Situation:
    """What several texts have in common: the questions that they answer."""

    name: str
    questions: tuple[SituationQuestion, ...]
    texts: tuple[AnsweredText, ...]
    held_out_texts: tuple[AnsweredText, ...]
    row_names: tuple[str, ...]
    held_out: bool
    record_keys: frozenset[str] = frozenset()
    """The questions about each of the records that every text holds, if it holds records."""
    facts: tuple[AnsweredText, ...] = ()
    """Clauses that any text of the situation may be made of, instead of whole texts."""
    held_out_facts: tuple[AnsweredText, ...] = ()

    def concept(self, key: str, record: int | str = "") -> str:
        """Return the name under which the other tables know a question, or a record's value."""
        return concept_name(self.name, key, record)

    def keys_told(self, text: AnsweredText) -> frozenset[str]:
        """Return the questions that a text answers, in its words or behind them."""
        slots = {name for name, _ in SLOT.findall(text.template)}
        told = {question.key for question in self.questions if self.concept(question.key) in slots}
        marked = {mark[1] for mark in MARK.finditer(text.template)}
        return frozenset(told | marked | text.answers.keys())

    def questions_of(self, *, records: bool) -> list[SituationQuestion]:
        """Return the questions about the records, or those about the text as a whole."""
        return [q for q in self.questions if (q.key in self.record_keys) == records]


@cache
def situations() -> Mapping[str, Situation]:
    """Return the situations by the file and the name that they have there."""
    files = sorted(path.stem for path in (TABLES / "situations").glob("*.toml"))
    return {
        f"{file}.{name}": _read(f"{file}.{name}", entry)
        for file in files
        for name, entry in read_table(f"situations/{file}").items()
    }


@cache
def situation_names(*, held_out: bool) -> tuple[str, ...]:
    """Return the names of the situations kept for evaluation, or of all others."""
    return tuple(name for name, each in situations().items() if each.held_out == held_out)


WEIGHTS = {"plain_": 16, "crowded_": 48}
"""How many times as often as another a situation is drawn, by how its file's name begins.

Plain texts are the most usual ones; the crowded ones are few.
"""


@cache
def situations_of_facts() -> tuple[str, ...]:
    """Return the names of the situations whose texts are made of facts."""
    return tuple(name for name in situation_names(held_out=False) if situations()[name].facts)


@cache
def drawn_situations(*, held_out: bool) -> tuple[str, ...]:
    """Return the names of situations with texts, each as many times as it is to be drawn."""
    names = (n for n in situation_names(held_out=held_out) if situations()[n].texts)
    return tuple(name for name in names for _ in range(_weight(name)))


def _weight(name: str) -> int:
    return next((weight for start, weight in WEIGHTS.items() if name.startswith(start)), 1)


def _read(name: str, entry: Mapping[str, Any]) -> Situation:
    questions = tuple(map(_read_question, entry["questions"]))
    keys = {question.key for question in questions}
    columns = ("texts", "held_out_texts", "facts", "held_out_facts")
    texts, held_out_texts, facts, held_out_facts = (
        tuple(_read_text(name, keys, line) for line in entry.get(column, ())) for column in columns
    )
    lines = (*entry.get("texts", ()), *entry.get("held_out_texts", ()))
    return Situation(
        name=name,
        questions=questions,
        texts=texts,
        held_out_texts=held_out_texts,
        row_names=tuple(" ".join(entry["rows"]).split()),
        held_out=entry.get("held_out", False),
        record_keys=frozenset(key for line in lines for key in _NUMBERED.findall(line)),
        facts=facts,
        held_out_facts=held_out_facts,
    )


def _read_question(line: str) -> SituationQuestion:
    """Read a line such as ``driver = person | delivered_by ~ brought_by | who brought it``."""
    start, names, descriptions = (part.strip() for part in f"{line} | |".split("|")[:3])
    key, kind = (part.strip() for part in start.split("=", 1))
    kind, _, arguments = kind.partition(":") if kind.startswith("enum") else kind.partition(" ")
    usual, _, held_out = names.partition("~")
    return SituationQuestion(
        key=key,
        kind=kind.strip(),
        arguments=arguments.strip(),
        names=tuple(dict.fromkeys((key, *usual.split()))),
        held_out_names=tuple(held_out.split()),
        descriptions=tuple(text.strip() for text in descriptions.split(";") if text.strip()),
    )


def _read_text(situation: str, keys: Collection[str], line: str) -> AnsweredText:
    """Read a line such as ``{driver} was late => problem: late; wants_refund: no``."""
    template, _, answers = line.rpartition(" =>") if " =>" in line else (line, "", "")

    def named(match: re.Match[str]) -> str:
        name, record, part = match[1], match[2] or "", match[3] or ""
        if name in keys:
            name = concept_name(situation, name, record)
        return "{" + DISTRACTORS.get(name, name) + part + "}"

    pairs = (answer.partition(":") for answer in answers.split(";") if answer.strip())
    return AnsweredText(
        template=_SLOT.sub(named, template),
        answers={key.strip(): value.strip() for key, _, value in pairs},
    )


@cache
def situation_entries(table: str) -> Mapping[str, Any]:
    """Return what the situations add to a table: `concepts`, `lists` or `meanings`.

    A question about records adds one more concept for each record, whose values all differ.
    """
    entries = {}
    for situation in situations().values():
        for question in situation.questions:
            if _table_of(question) == table:
                entry = _entry(situation, question)
                entries[situation.concept(question.key)] = entry
                if table == "concepts" and question.key in situation.record_keys:
                    for record in range(1, MOST_RECORDS + 1):
                        entries[situation.concept(question.key, record)] = entry
    return entries


def _table_of(question: SituationQuestion) -> str:
    return {"bool": "", "enum": "meanings", "list": "lists"}.get(question.kind, "concepts")


def _entry(situation: Situation, question: SituationQuestion) -> dict[str, Any]:
    """Return the entry of a question, as a TOML file would hold it."""
    entry: dict[str, Any] = naming_columns(question) | {"held_out": situation.held_out}
    if question.kind == "enum":
        classes = (label.split("/") for label in question.arguments.split(","))
        return entry | {"classes": dict(_class_entry(question, labels) for labels in classes)}
    if question.kind in ("text", "list"):
        return entry | {"value": "span"}
    if question.arguments and question.kind not in IN_ORDER:
        low, high = map(int, question.arguments.split())
        return entry | {"value": question.kind, "low": low, "high": high}
    return entry | {"value": question.kind}


def naming_columns(question: SituationQuestion) -> dict[str, Any]:
    """Return the columns of names and descriptions of a question."""
    return {
        "names": list(question.names),
        "held_out_names": list(question.held_out_names),
        "descriptions": list(question.descriptions),
    }


def _class_entry(question: SituationQuestion, labels: list[str]) -> tuple[str, dict[str, Any]]:
    labels = [label.strip() for label in labels]
    word = re.sub(r"\W+", "_", labels[0].lower())
    return labels[0], {
        "labels": labels,
        "flags": [f"is_{word}", f"{question.key}_is_{word}"],
    }
