"""An answer while it comes in: its text, its tokens, and why it ended."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from steer_engine.cursor import JsonCursor
from steer_engine.remote.payloads import list_at, number_at, text_at, whole_at
from steer_engine.remote.troubles import Trouble
from steer_engine.schema import JsonValue
from steer_engine.steps import Step

NO_TOKEN = -1
"""The token of a step where the server gives none."""

_MAX_DEPTH = 100
_TAGGED = re.compile(r"\s*<(think|thinking|thought|reasoning)>(.*?)</\1>\s*", re.DOTALL)
_OPENING, _CLOSING = "<think>", "</think>"
_JSON_BEGINS = ("{", "[", '"')


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the server reports it; `wanted` is the model's favourite where it is another."""

    id: int
    spelling: bytes
    logprob: float | None
    wanted: bytes | None = None
    wanted_logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a reply. `end` says why it ended and is empty before."""

    text: str = ""
    thoughts: str = ""
    tokens: tuple[Token, ...] = ()
    end: str = ""
    refusal: str = ""
    n_prompt_tokens: int = 0


def read_tokens(values: list[JsonValue]) -> tuple[Token, ...]:
    """Return tokens as OpenAI's ``logprobs.content`` lists them."""
    return tuple(map(_read_token, values))


def _read_token(value: JsonValue) -> Token:
    favourites = list_at(value, "top_logprobs")
    best = favourites[0] if favourites else None
    spelling, wanted = _spelling(value), _spelling(best)
    if best is None or spelling == wanted:
        return Token(_id(value), spelling, _logprob(value))
    return Token(_id(value), spelling, _logprob(value), wanted, _logprob(best))


def _id(value: JsonValue) -> int:
    return NO_TOKEN if number_at(value, "id") is None else whole_at(value, "id")


def _spelling(value: JsonValue) -> bytes:
    values = [v for v in list_at(value, "bytes") if isinstance(v, int) and 0 <= v < 256]
    return bytes(values) or text_at(value, "token").encode("utf-8", "replace")


def _logprob(value: JsonValue) -> float | None:
    logprob = number_at(value, "logprob")
    return logprob if logprob is not None and math.isfinite(logprob) else None


class Answer:
    """What has come in of one answer. The steps of JSON know to which value they belong."""

    def __init__(self, *, is_json: bool, is_greedy: bool) -> None:
        self._cursor = JsonCursor() if is_json else None
        self._is_json, self._is_greedy = is_json, is_greedy
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self.end = ""
        self.refusal = ""
        self.n_prompt_tokens = 0
        self.n_steps = 0

    @property
    def text(self) -> str:
        """The answer, without the thoughts that some servers leave in it."""
        return self._parted()[1]

    @property
    def thoughts(self) -> str:
        """What the model thought before it answered, as far as the server tells."""
        return "".join([*self._thoughts, self._parted()[0]]).strip()

    def take(self, piece: Piece) -> tuple[Step, ...]:
        """Take in a piece, and return its steps."""
        self._text.append(piece.text)
        self._thoughts.append(piece.thoughts)
        self.end = piece.end or self.end
        self.refusal += piece.refusal
        self.n_prompt_tokens = piece.n_prompt_tokens or self.n_prompt_tokens
        steps = tuple(self._steps(piece))
        self.n_steps += len(steps)
        return steps

    def check_end(self) -> None:
        """Raise the `Trouble` that is an answer without an end."""
        # Some servers never say that there is one, and some end broken answers with [DONE].
        if not self.end and not (self._is_json and _is_whole(self.text)):
            raise Trouble("the connection to the server broke in the middle of an answer")

    def _parted(self) -> tuple[str, str]:
        """Return the thoughts in the text, and what follows them."""
        text = "".join(self._text)
        if tagged := _TAGGED.match(text):
            return tagged[2], text[tagged.end() :]
        # The layouts of some models open the thoughts, so that only their end is in the text.
        thoughts, closing, answer = text.partition(_CLOSING)
        is_quoted = _OPENING in thoughts or thoughts.lstrip().startswith(_JSON_BEGINS)
        if closing and not is_quoted:
            return thoughts, answer.lstrip()
        return "", text

    def _steps(self, piece: Piece) -> Iterator[Step]:
        text = piece.text.encode("utf-8", "replace")
        if not text:
            return
        if b"".join(token.spelling for token in piece.tokens) != text:
            # Without log-probabilities, or with some that are not of this text.
            yield Step(NO_TOKEN, text, "chosen", self._pointer(text))
            return
        for token in piece.tokens:
            # With a temperature the favourite may just not have been drawn.
            is_narrowed = token.wanted is not None and self._is_greedy
            yield Step(
                token.id,
                token.spelling,
                "narrowed" if is_narrowed else "chosen",
                self._pointer(token.spelling),
                logprob=token.logprob,
                wanted=token.wanted if is_narrowed else None,
                wanted_logprob=token.wanted_logprob if is_narrowed else None,
            )

    def _pointer(self, spelling: bytes) -> str:
        if self._cursor is None:
            return ""
        before, was_inside = self._cursor.pointer, self._cursor.in_scalar
        try:
            self._cursor.feed(spelling)
        except (IndexError, ValueError):
            self._cursor = None  # this is no JSON, and has no places
            return ""
        if len(self._cursor.path) > _MAX_DEPTH:
            self._cursor = None  # nor is this anything that was asked for
            return ""
        return before if was_inside else self._cursor.pointer


def _is_whole(text: str) -> bool:
    """Tell whether `text` is a JSON object or list, to which nothing can be added."""
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
