"""From an example to the tokens that a model is trained on, and how much each of them counts.

What the token mask forces at run time (keys, braces, commas) hardly counts. What is left to the
model counts: the values, where a string or a number ends, null or not, one more row or not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from embedded_training.asking import Example
from embedded_training.exactness import kind_of
from embedded_training.prompts import instruction
from embedded_training.schemas import JsonSchema
from embedded_training.tokenizer import ASSISTANT, END, SYSTEM, USER, Encoder, TokenId

FORCED = 0.05
CHOICE = 1.0
# A field with few tokens is worth as much to the user as one with many.
FIRST_TOKEN = {"enum": 5.0, "boolean": 4.0}
FIRST_TOKEN_OF_OTHERS = 2.0
# Whether there is a value or null: with the same weight for both, null is missed too often, with
# three times as much for null, one value in ten is taken for it.
NULL = 4.0
NOT_NULL = 2.0
# With one row too many or too few, the values of several others are wrong.
ONE_MORE_OR_NOT = 2.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer and the value that it is a part of.

    `kind` is the JSON type of that value, `length` for what decides the length of a list, and
    empty for what the schema forces.
    """

    text: str
    weight: float = FORCED
    path: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """An example as tokens; entry i of each list belongs to token i."""

    ids: list[TokenId]
    weights: list[float]
    """How much the prediction of this token counts; 0 in the prompt."""
    pieces: list[Piece | None]
    n_prompt: int


def prompt_tokens(example: Example, encode: Encoder) -> list[TokenId]:
    """Return what the model reads before it answers."""
    system, user = encode(instruction(example.schema)), encode(example.prompt)
    return [SYSTEM, *system, USER, *user, ASSISTANT]


def lay_out(example: Example, encode: Encoder) -> Tokens:
    """Return the tokens of an example: prompt, answer and the end token."""
    prompt = prompt_tokens(example, encode)
    tokens = Tokens(prompt, [0.0] * len(prompt), [None] * len(prompt), len(prompt))
    for piece in answer_pieces(example.answer, example.schema):
        ids = encode(piece.text)
        tokens.ids.extend(ids)
        tokens.weights.extend([_first_weight(piece)] + [piece.weight] * (len(ids) - 1))
        tokens.pieces.extend([piece] * len(ids))
    tokens.ids.append(END)
    tokens.weights.append(FORCED)
    tokens.pieces.append(None)
    return tokens


def _first_weight(piece: Piece) -> float:
    """Return the weight of a piece's first token: it decides what is copied or chosen."""
    if piece.weight < CHOICE:
        return piece.weight
    if piece.kind == "length" or piece.text == "{":
        return ONE_MORE_OR_NOT
    if len(piece.text) == 1 or piece.kind == "null":
        return piece.weight
    return FIRST_TOKEN.get(piece.kind, FIRST_TOKEN_OF_OTHERS)


def answer_pieces(answer: object, schema: JsonSchema) -> Sequence[Piece]:
    """Return the answer as JSON, in pieces; their texts make up `json.dumps(answer)`."""
    writer = _AnswerWriter()
    writer.write(answer, schema, path="$")
    return writer.pieces


class _AnswerWriter:
    """Writes a value piece by piece and remembers whether a number is still open.

    A blank before `null`, `true` or `false` is part of the same token, so where there may be null
    the choice falls at the blank.
    """

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._open_number: Piece | None = None
        self._blank = ""

    def write(
        self, value: object, schema: JsonSchema, *, path: str, optional: bool = False
    ) -> None:
        """Append the pieces of a value; if it is `optional`, its first sign is a choice too."""
        optional = optional or _may_be_null(schema)
        schema = schema.get("anyOf", [schema])[0]
        kind = "" if isinstance(value, list | dict) else kind_of(value, [schema])
        blank, self._blank = self._blank, ""
        if value is None:
            is_boolean = "boolean" in schema.get("type", ())
            weight = FIRST_TOKEN["boolean"] if is_boolean else NULL
            self.pieces.append(Piece(f"{blank}null", weight, path, kind))
            return
        if isinstance(value, bool):
            self.pieces.append(Piece(blank + json.dumps(value), CHOICE, path, kind))
            return
        if blank:
            self.pieces.append(Piece(blank, NOT_NULL, path, kind) if optional else Piece(blank))
            optional = False
        if isinstance(value, str):
            self._write_string(value, kind, path=path, optional=optional)
        elif isinstance(value, int | float):
            self._open_number = Piece(json.dumps(value), CHOICE, path, kind)
            self.pieces.append(self._open_number)
        elif isinstance(value, list):
            self._write_list(value, schema, path=path)
        elif isinstance(value, dict):
            self._write_object(value, schema, path=path, optional=optional)

    def _write_string(self, value: str, kind: str, *, path: str, optional: bool) -> None:
        # Where there may be none, the quote itself is a choice.
        self.pieces.append(
            Piece('"', ONE_MORE_OR_NOT, path, kind) if optional else Piece('"', path=path)
        )
        body = json.dumps(value, ensure_ascii=False)[1:-1]
        if body:
            self.pieces.append(Piece(body, CHOICE, path, kind))
        self.pieces.append(Piece('"', CHOICE, path, kind))

    def _write_list(self, values: Sequence[object], schema: JsonSchema, *, path: str) -> None:
        self._force("[")
        for index, value in enumerate(values):
            if index:
                self._decide(",", path)
                self._blank = " "
            self.write(value, schema["items"], path=f"{path}[{index}]", optional=index == 0)
        self._decide("]", path)

    def _write_object(
        self, value: dict[str, object], schema: JsonSchema, *, path: str, optional: bool
    ) -> None:
        if "properties" not in schema:
            self._write_free_object(value, schema["additionalProperties"], path=path)
            return
        for index, (name, member) in enumerate(value.items()):
            if index == 0 and optional:
                # An object where there might be null or an empty list; not a value of its own.
                self.pieces.append(Piece("{", CHOICE, path))
            else:
                self._force("{" if index == 0 else ",")
            key = json.dumps(name, ensure_ascii=False)
            self._force(f"{key}:" if index == 0 else f" {key}:")
            self._blank = " "
            self.write(member, schema["properties"][name], path=f"{path}.{name}")
        self._force("}")

    def _write_free_object(
        self, value: dict[str, object], schema: JsonSchema, *, path: str
    ) -> None:
        """Append an object whose keys are the model's choice too."""
        self._force("{")
        for index, (name, member) in enumerate(value.items()):
            if index:
                self._decide(",", path)
                self._force(" ")
            self._write_string(name, "string", path=f"{path}~{index}", optional=not index)
            self._force(":")
            self._blank = " "
            self.write(member, schema, path=f"{path}.{name}")
        self._decide("}", path)

    def _force(self, text: str) -> None:
        """Append what the schema forces; after a number it is what ends the number."""
        number, self._open_number = self._open_number, None
        if number:
            self.pieces.append(Piece(text, CHOICE, number.path, number.kind))
        else:
            self.pieces.append(Piece(text))

    def _decide(self, text: str, path: str) -> None:
        """Append the sign that continues or ends a list."""
        self._open_number = None
        self.pieces.append(Piece(text, CHOICE, path, "length"))


def _may_be_null(schema: JsonSchema) -> bool:
    """Tell whether null is a value of the schema, in one of the ways that `schemas` says so."""
    has_null = isinstance(schema.get("type"), list) or None in schema.get("enum", ())
    return has_null or "anyOf" in schema
