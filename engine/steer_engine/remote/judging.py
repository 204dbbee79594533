"""Whether a request can be answered at all, and whether what came back is an answer to it.

A server's vocabulary is not known, so grammars are compiled for single bytes.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from steer_engine.byte_index import ByteIndex
from steer_engine.events import Request, source_of
from steer_engine.evidence import uncopied
from steer_engine.explaining import Explanation, explain
from steer_engine.grammar import GrammarCompiler
from steer_engine.records import valid_record
from steer_engine.schema import JsonValue, Schema
from steer_engine.schema.places import verbatim_places
from steer_engine.text_forms import Choices, Regex, TextForm
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from steer_engine.matcher import GrammarMatcher

_END = 256
_FENCED = re.compile(r"```(?:\w*)\s*\n(.*?)\n\s*```", re.DOTALL)


def text_error(form: TextForm, text: str) -> str | None:
    """Return why `text` is not of that form, or None if it is."""
    if Judge().is_of(form, text):
        return None
    match form:
        case Choices():
            return "it is none of the choices"
        case Regex(pattern):
            return f"the whole of it does not match {pattern}"
        case _:
            return "the grammar does not allow it"


class InvalidAnswerError(Exception):
    """What came back is no answer; the message says why. Stays inside this package."""


def byte_vocabulary() -> Vocabulary:
    """Return a vocabulary whose tokens are the 256 bytes, and an end."""
    return Vocabulary(
        spellings=(*(bytes([byte]) for byte in range(_END)), b"<end>"),
        eos_ids=frozenset({_END}),
        special_ids=frozenset({_END}),
        eos_id=_END,
        tokenize_bytes=_bytes,
    )


def _bytes(text: bytes, *, parse_special: bool) -> list[TokenId]:  # noqa: ARG001 - there is one
    return list(text)


class Judge:
    """Checks what is asked for before anything is sent, and the answers."""

    def __init__(self) -> None:
        self._vocabulary = byte_vocabulary()
        self._compiler = GrammarCompiler(self._vocabulary)
        self._turn = threading.Lock()  # requests and answers are looked at in two threads

    def check(self, schema: Schema | TextForm) -> None:
        """Raise `SchemaError` if `schema` cannot be read, or nothing satisfies it."""
        with self._turn:
            self._compiler.compile(schema)
        if isinstance(schema, Schema):
            verbatim_places(schema)

    def explain(self, schema: Schema | TextForm) -> Explanation:
        """Return how `schema` is held: what says something is checked in the answer."""
        with self._turn:
            found = explain(schema, self._compiler, ByteIndex(self._vocabulary))
        clauses = tuple(
            clause
            if clause.treatment in ("ignored", "refused")
            else replace(clause, treatment="checked", reason="")
            for clause in found.clauses
        )
        return Explanation(clauses, found.shortest)

    def record(self, request: Request, text: str) -> tuple[JsonValue, str]:
        """Return the value of an answer, and its text without what is no part of it.

        Raises:
            InvalidAnswerError: it is not valid.
            RowError: it is nested too deeply.
        """
        schema = request.schema
        if schema is None:
            return None, text
        if not isinstance(schema, Schema):
            found = self._text(schema, text)
            return found, found
        text = _json_part(text)
        try:
            record = valid_record(schema, text)
        except ValueError as error:
            raise InvalidAnswerError(str(error)) from None
        made_up = uncopied(record, verbatim_places(schema), source_of(request))
        if made_up is not None:
            pointer, value = made_up
            raise InvalidAnswerError(f"{value[:60]!r} at {pointer} does not stand in the text")
        return record, text

    def _text(self, form: TextForm, text: str) -> str:
        """Return the answer of a text form; what surrounds it may be white space."""
        for candidate in dict.fromkeys((text, text.strip())):
            if self.is_of(form, candidate):
                return candidate
        raise InvalidAnswerError(f"{text[:60]!r} is not of the form that was asked for")

    def is_of(self, form: TextForm, text: str) -> bool:
        """Tell whether `text` as a whole is of that form."""
        if isinstance(form, Choices):
            return text in form.options
        data = list(text.encode("utf-8", "replace"))
        with self._turn:
            # A text form has a mask alone.
            matcher = cast("GrammarMatcher", self._compiler.compile(form).matcher())
            return matcher.catch_up(data) == len(data) and matcher.is_accepting


def _json_part(text: str) -> str:
    """Return `text`, or the JSON in its fenced block: so models write it that are not held."""
    fenced = _FENCED.search(text)
    return (fenced[1] if fenced and not text.lstrip().startswith(("{", "[")) else text).strip()
