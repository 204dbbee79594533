"""The texts that a model is asked about: from a file, or drawn from the corpus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from sys import stderr
from typing import Any

from steer_engine import JsonValue, Schema, SteerError, read_schema, validation_error

DRAWN_SETS = ("new values", "new templates", "new names", "new domains")
"""What the corpus holds out, by the names of `embedded_training.evaluation_sets`."""

BY_HAND = Path(__file__).with_suffix(".jsonl")
BY_OTHERS = BY_HAND.with_stem(f"{BY_HAND.stem}_by_others")
CROWDED = BY_HAND.with_stem(f"{BY_HAND.stem}_crowded")
WRITTEN_SETS = {"by hand": BY_HAND, "by others": BY_OTHERS, "crowded": CROWDED}
"""What was written for the measurement, by the names of the sets."""

SORTS = {
    "situation": "whole texts",
    "facts": "short facts",
    "choice": "sentences to be sorted",
    "sorting": "sentences to be sorted",
}
"""What drawn texts are like, by fields of `corpus.Mixture`; those of the others are `COMPOSED`."""
COMPOSED = "sentences put together"

_KEYS = {"text", "schema", "prompt", "truth"}


class CaseError(Exception):
    """A file of cases cannot be used; the message is one line and says where."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question: what the model reads, the form of the answer, and the true answer."""

    prompt: str
    schema: Schema
    truth: JsonValue
    place: str
    """Where the case comes from, for messages."""
    sort: str = ""
    """What its text is like, where it was drawn: a value of `SORTS`, or `COMPOSED`."""


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a JSONL file, one ``{"text", "schema", "prompt"?, "truth"}`` a line.

    A schema is a JSON Schema or a text in the compact notation. A prompt goes before the text, or
    around it where it holds ``{text}``; one that quotes the whole text already stays as it is.

    Raises:
        CaseError: the file or one of its lines cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path} cannot be read: {error}") from error
    places = {f"{path}, line {number}": line for number, line in enumerate(lines, 1)}
    cases = [_read_case(line, place) for place, line in places.items() if line.strip()]
    if not cases:
        raise CaseError(f"{path} holds no case")
    return cases


def _read_case(line: str, place: str) -> Case:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{place}: not JSON: {error}") from error
    problem = _problem(item)
    if problem:
        raise CaseError(f"{place}: {problem}")
    try:
        schema = read_schema(item["schema"])
    except SteerError as error:
        reason = " ".join(str(error).split())
        raise CaseError(f"{place}: the schema cannot be read: {reason}") from error
    reason = validation_error(schema, item["truth"])
    if reason:
        print(f"note: {place}: the truth is not valid, so it cannot be met: {reason}", file=stderr)
    return Case(_whole_prompt(item["text"], item.get("prompt")), schema, item["truth"], place)


def _problem(item: Any) -> str | None:  # noqa: ANN401 - JSON that nobody has checked yet
    """Return what is wrong with the outer form of a case."""
    if not isinstance(item, dict):
        return "a case is a JSON object"
    missing = {"text", "schema", "truth"} - item.keys()
    if missing:
        return f"{', '.join(sorted(missing))} missing"
    if item.keys() - _KEYS:
        return f"unknown key {min(item.keys() - _KEYS)!r}; known are {', '.join(sorted(_KEYS))}"
    if not isinstance(item["text"], str) or not isinstance(item.get("prompt", ""), str | None):
        return "text and prompt are strings"
    if not isinstance(item["schema"], dict | str):
        return "schema is a JSON Schema object or a string"
    return None


def _whole_prompt(text: str, prompt: str | None) -> str:
    if not prompt:
        return text
    if "{text}" in prompt:
        return prompt.replace("{text}", text)
    return prompt if text.strip() in prompt else f"{prompt}\n{text}"


def draw_cases(set_name: str, n_examples: int) -> list[Case]:
    """Return examples of the corpus that training never draws; none if it has no such set."""
    from embedded_training.evaluation_sets import SETS, evaluation_examples

    if set_name not in SETS:
        return []
    examples = evaluation_examples(set_name, n_examples)
    return [
        Case(
            item.prompt,
            read_schema(item.schema),
            item.answer,
            f"{set_name}, example {number}",
            SORTS.get(item.sort, COMPOSED),
        )
        for number, item in enumerate(examples, 1)
    ]


def marked_verbatim(schema: Schema) -> Schema:
    """Return the schema with every plain text field marked `verbatim`."""
    from embedded_training.schemas import all_verbatim

    return read_schema(all_verbatim(json.loads(schema.text)))
