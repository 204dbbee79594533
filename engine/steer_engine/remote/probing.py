"""Whether a server holds answers to what it is told: one word is asked for that no model writes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from steer_engine.prompting import Message
from steer_engine.remote.offers import Kind
from steer_engine.remote.questions import LOGPROBS, Manner, Question, adapted
from steer_engine.remote.replies import Answer, Piece
from steer_engine.remote.troubles import Trouble
from steer_engine.remote.ways import Form, JsonForm, Way
from steer_engine.sampling import Sampling
from steer_engine.schema import JsonObject
from steer_engine.text_forms import Choices, GbnfGrammar, LarkGrammar, Regex

WORD = "qzxvé€"
"""No model writes it by itself. Some servers lose characters of several tokens on the way."""

_MESSAGES = (
    Message("system", "You answer with one word."),
    Message("user", "What colour is a clear sky? Answer with the word blue."),
)
_MAX_TOKENS = 1024  # of which one that thinks needs many; others are stopped after a few
_N_ADAPTATIONS = 8
_FAULTS = (500, 501)  # so some servers answer what they do not know; others mean that they are busy

Ask = Callable[[Question, Manner], AsyncGenerator[Piece, None]]
"""Puts a question to the server; raises `Trouble`."""


def _json_word() -> JsonForm:
    word: JsonObject = {"type": "string", "enum": [WORD]}
    properties: JsonObject = {"word": word}
    return JsonForm(
        {
            "type": "object",
            "properties": properties,
            "required": ["word"],
            "additionalProperties": False,
        }
    )


_FORMS: dict[Kind, Form] = {
    "a schema": _json_word(),
    "a pattern": Regex(WORD),
    "choices": Choices((WORD,)),
    "a GBNF grammar": GbnfGrammar(f'root ::= "{WORD}"'),
    "a Lark grammar": LarkGrammar(f'start: "{WORD}"'),
}


async def find_way(
    ask: Ask, ways: tuple[Way, ...], kind: Kind, manner: Manner
) -> tuple[Way | None, Manner]:
    """Return the first way by which the server holds answers, and what it takes besides.

    Raises:
        Trouble: it does not answer at all.
    """
    for way in ways:
        body = way(_FORMS[kind])
        if body is None:
            continue
        for each in (manner, replace(manner, left_out=manner.left_out | LOGPROBS)):
            outcome, found = await _try(ask, body, each, is_json=kind == "a schema")
            if outcome == "held":
                return way, found
            if outcome == "ignored":
                break  # the log-probabilities are not to blame
    return None, manner


async def find_manner(ask: Ask, manner: Manner) -> Manner:
    """Return what the server takes where it is told nothing of the answer.

    Raises:
        Trouble: it does not answer at all.
    """
    return (await _settled(ask, {}, manner, is_json=False))[1]


async def _try(ask: Ask, body: JsonObject, manner: Manner, *, is_json: bool) -> tuple[str, Manner]:
    """Return "held", "ignored" or "mangled", and the manner that the server turned out to need."""
    try:
        text, found = await _settled(ask, body, manner, is_json=is_json)
    except Trouble as trouble:
        if trouble.kind == "refused" or trouble.status in _FAULTS:
            return "ignored", manner
        raise
    if not _begins_right(text, is_json=is_json):
        return "ignored", found
    return ("held" if _is_word(text, is_json=is_json) else "mangled"), found


async def _settled(
    ask: Ask, body: JsonObject, manner: Manner, *, is_json: bool
) -> tuple[str, Manner]:
    """Ask until the server finds no fault with the request's parameters; return what it said."""
    question = Question(_MESSAGES, Sampling(), _MAX_TOKENS, body)
    for _ in range(_N_ADAPTATIONS):
        try:
            return await _said(ask, question, manner, is_json=is_json), manner
        except Trouble as trouble:
            better = adapted(manner, trouble) if trouble.kind == "refused" else None
            if better is None:
                raise
        manner = better
    return await _said(ask, question, manner, is_json=is_json), manner


async def _said(ask: Ask, question: Question, manner: Manner, *, is_json: bool) -> str:
    """Return the answer, or as much of it as shows that it is another word."""
    answer = Answer(is_json=False, is_greedy=True)
    async with aclosing(ask(question, manner)) as pieces:
        async for piece in pieces:
            answer.take(piece)
            if not _begins_right(answer.text, is_json=is_json):
                break
    return answer.text


def _begins_right(text: str, *, is_json: bool) -> bool:
    beginning = ('{"word":"' if is_json else "") + WORD[:3]
    squeezed = "".join(text.split())[: len(beginning)]
    return beginning.startswith(squeezed)


def _is_word(text: str, *, is_json: bool) -> bool:
    try:
        return bool(
            (json.loads(text) if is_json else text) == ({"word": WORD} if is_json else WORD)
        )
    except ValueError:
        return False
