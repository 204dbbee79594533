"""An answer while it comes in: its text, its tokens, and why it ended."""

from __future__ import annotations

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
        self._is_greedy = is_greedy
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self.end = ""
        self.refusal = ""
        self.n_prompt_tokens = 0
        self.n_steps = 0

    @property
    def text(self) -> str:
        """The answer, without the thoughts that some servers leave in it."""
        text = "".join(self._text)
        tagged = _TAGGED.match(text)
        return text if tagged is None else text[tagged.end() :]

    @property
    def thoughts(self) -> str:
        """What the model thought before it answered, as far as the server tells."""
        tagged = _TAGGED.match("".join(self._text))
        return "".join([*self._thoughts, "" if tagged is None else tagged[2]]).strip()

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
        if not self.end:
            raise Trouble("the connection to the server broke in the middle of an answer")

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
