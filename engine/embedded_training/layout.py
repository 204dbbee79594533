"""From an example to the tokens that a model is trained on, and how much each of them counts.

What the token mask forces at run time (keys, braces, commas) hardly counts. What is left to the
model counts: the values, where a string or a number ends, null or not, one more row or not.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_training.corpus import Example
from embedded_training.schemas import JsonSchema
from embedded_training.tokenizer import Encoder, TokenId

FORCED = 0.05
CHOICE = 1.0
FIRST_TOKEN = 2.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer: its text, its weight, and the value of which it is a part."""

    text: str
    weight: float
    path: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Sequence_:
    """placeholder"""


def write_number(number: int | float) -> str:
    """Return the number as `json.dumps` writes it, in which 49.0 is never met."""
    return json.dumps(number)


def answer_pieces(answer: Any, schema: JsonSchema) -> list[Piece]:
    """Return the answer as JSON, in pieces. Their texts make up `json.dumps(answer)`."""
    pieces = list(_value_pieces(answer, schema, path=""))
    return _with_number_ends(pieces)


def _with_number_ends(pieces: list[Piece]) -> list[Piece]:
    """Let the sign after a number count: it is there that the model ends the number."""
    counted = pieces[:]
    for index in range(len(pieces) - 1):
        number, end = pieces[index], pieces[index + 1]
        if number.kind in ("integer", "number"):
            counted[index + 1] = Piece(end.text[0], CHOICE, number.path, number.kind)
            rest = Piece(end.text[1:], FORCED)
            counted[index + 1 : index + 2] = [counted[index + 1]]
            if rest.text:
                counted[index + 1] = Piece(end.text, CHOICE, number.path, number.kind)
    return counted
