"""What a server can be told of a schema or text form, the most exact first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from steer_engine.remote.strict import WRAPPED, strict_form, wrapped
from steer_engine.remote.ways import JsonForm, Way
from steer_engine.schema import JsonObject, JsonSchema, Schema
from steer_engine.schema.document import map_children
from steer_engine.text_forms import Choices, GbnfGrammar, LarkGrammar, Regex, TextForm

Kind: TypeAlias = Literal["a schema", "a pattern", "choices", "a GBNF grammar", "a Lark grammar"]
_SILENT = ("x-steer", "$schema")  # they say nothing to a server


@dataclass(frozen=True, slots=True)
class Offer:
    """`body` is added to the request, `read` makes the answer's text of the reply's.

    `read` raises `ValueError` if it cannot.
    """

    body: JsonObject
    read: Callable[[str], str] = str


UNHELD = Offer({})
"""The server is told nothing but what the prompt says."""


def kind_of(asked: Schema | TextForm) -> Kind:
    """Return what kind of thing an answer is to be held to: each is probed by itself."""
    match asked:
        case Schema():
            return "a schema"
        case Regex():
            return "a pattern"
        case Choices():
            return "choices"
        case GbnfGrammar():
            return "a GBNF grammar"
        case LarkGrammar():
            return "a Lark grammar"


def offers(asked: Schema | TextForm, way: Way, *, is_strict: bool) -> Iterator[Offer]:
    """Yield what `way` can say of `asked`. A server that `is_strict` takes nothing but a subset."""
    if isinstance(asked, Schema):
        yield from _of_schema(asked.document, way, is_strict=is_strict)
    elif (body := way(_unanchored(asked))) is not None:
        yield Offer(body)


def wrapped_offers(asked: TextForm, way: Way) -> Iterator[Offer]:
    """Yield a text form in the words of JSON Schema, for a server that knows no other."""
    match _unanchored(asked):
        case Regex(pattern):
            # Few servers know groups that capture nothing.
            whole = f"^({pattern})$" if "|" in pattern else f"^{pattern}$"
            document: JsonObject = {"type": "string", "pattern": whole}
        case Choices(options):
            document = {"type": "string", "enum": [*options]}
        case _:
            return
    if (body := way(JsonForm(wrapped(document)))) is not None:
        yield Offer(body, _unwrapped)


def _of_schema(document: JsonSchema, way: Way, *, is_strict: bool) -> Iterator[Offer]:
    document = _sent(document)
    strict = strict_form(document)
    whole, narrow = way(JsonForm(document)), None
    if strict is not None and (body := way(JsonForm(strict.document))) is not None:
        narrow = Offer(body, strict.read)
    if whole is not None and not is_strict:
        yield Offer(whole)
    if narrow is not None:
        yield narrow
    elif is_strict and (loose := way(JsonForm(document, is_strict=False))) is not None:
        yield Offer(loose)


def _sent(document: JsonSchema) -> JsonSchema:
    """Return `document` without what is for steermagic alone."""
    if isinstance(document, bool):
        return document
    said = {name: value for name, value in document.items() if name not in _SILENT}
    return map_children(said, _sent)


def _unanchored(form: TextForm) -> TextForm:
    """Return `form`; a pattern is for the whole text, and some servers cannot read its anchors."""
    if not isinstance(form, Regex):
        return form
    pattern = form.pattern.removeprefix("^")
    if pattern.endswith("$") and not re.search(r"(?<!\\)(?:\\\\)*\\\$$", pattern):
        pattern = pattern[:-1]
    return Regex(pattern)


def _unwrapped(text: str) -> str:
    value = json.loads(text)
    answer = value.get(WRAPPED) if isinstance(value, dict) else None
    if not isinstance(answer, str):
        raise ValueError(f"it is no object with the text {WRAPPED!r}")  # noqa: TRY004 - not a type
    return answer
