"""From a prompt and a schema to the tokens a model starts from.

The schema is told to the model once, before the text, so that many rows share that beginning.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from steer_engine.errors import PromptError
from steer_engine.schema import Schema, describe, is_object, is_rows
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from jinja2 import Template

SCHEMA_PLACE = "\ufff9steermagic:schema\ufffb"
"""Stands in a prompt where the schema is to be told; made of characters no keyboard has."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


def compose(
    prompt: str, schema: Schema | None, *, system: str | None = None
) -> tuple[Message, ...]:
    """Return the conversation that asks for `prompt` in the form of `schema`.

    The schema goes to `SCHEMA_PLACE` in the prompt if that is there, else into the system message.
    """
    told = "" if schema is None else instruction(schema)
    if SCHEMA_PLACE in prompt:
        prompt, told = prompt.replace(SCHEMA_PLACE, told), ""
    opening = "\n\n".join(part for part in (system, told) if part)
    user = Message("user", prompt)
    return (Message("system", opening), user) if opening else (user,)


def instruction(schema: Schema) -> str:
    """Return what the model is told about the answer's form."""
    if is_object(schema):
        ask = "Answer with one JSON object with these fields:"
    elif is_rows(schema):
        ask = "Answer with a JSON list of objects with these fields:"
    else:
        ask = "Answer with JSON of this form:"
    return f"{ask}\n{describe(schema)}"


class ChatLayout:
    """Lays out a conversation as one model was trained to read it."""

    def __init__(self, template: str | None, vocabulary: Vocabulary) -> None:
        """Use the model's Jinja `template`; without one, messages are separated by blank lines."""
        self._template = None if template is None else _compile(template)
        self._vocabulary = vocabulary

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text that the model reads.

        Raises:
            PromptError: the model's template cannot lay out these messages.
        """
        if self._template is None:
            return "\n\n".join(message.content for message in messages) + "\n\n"
        from jinja2 import TemplateError

        try:
            return self._fill(messages)
        except TemplateError:
            # Some templates know no system role: its text then opens the first user message.
            merged = _merge_system(messages)
        try:
            return self._fill(merged)
        except TemplateError as error:
            raise PromptError(f"the model's chat template failed: {error}") from error

    def tokenize(self, messages: Sequence[Message]) -> list[TokenId]:
        """Return the tokens of the conversation.

        Control tokens come from the template alone: what looks like one in a message's text
        is text, so that data cannot speak for the system.
        """
        tokens = self._tokenize(messages)
        bos = self._vocabulary.bos_id
        return tokens if bos is None or tokens[:1] == [bos] else [bos, *tokens]

    def _tokenize(self, messages: Sequence[Message]) -> list[TokenId]:
        if not any(self._spells_control(message.content) for message in messages):
            return self._vocabulary.tokenize(self.render(messages), parse_special=True)
        marks = [f"text{uuid.uuid4().hex}" for _ in messages]
        marked = [Message(m.role, mark) for m, mark in zip(messages, marks, strict=True)]
        rest, tokens = self.render(marked), list[TokenId]()
        for message, mark in zip(messages, marks, strict=True):
            layout, _, rest = rest.partition(mark)
            tokens += self._vocabulary.tokenize(layout, parse_special=True)
            tokens += self._vocabulary.tokenize(message.content, parse_special=False)
        return tokens + self._vocabulary.tokenize(rest, parse_special=True)

    def _spells_control(self, text: str) -> bool:
        data = text.encode("utf-8", "replace")
        vocabulary = self._vocabulary
        spellings = (vocabulary.spellings[token] for token in vocabulary.special_ids)
        return any(spelling in data for spelling in spellings if len(spelling) > 1)

    def _fill(self, messages: Sequence[Message]) -> str:
        assert self._template is not None
        vocabulary = self._vocabulary
        bos = b"" if vocabulary.bos_id is None else vocabulary.spellings[vocabulary.bos_id]
        return self._template.render(
            messages=[{"role": m.role, "content": m.content} for m in messages],
            bos_token=bos.decode("utf-8", "replace"),
            eos_token=vocabulary.spellings[min(vocabulary.eos_ids)].decode("utf-8", "replace"),
            add_generation_prompt=True,
            enable_thinking=False,
        )


def _merge_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    if len(messages) < 2 or messages[0].role != "system":
        return tuple(messages)
    system, first, *others = messages
    return (Message(first.role, f"{system.content}\n\n{first.content}"), *others)


@cache
def _compile(template: str) -> Template:
    """Compile a template from a model file: foreign code, so it runs in Jinja's sandbox."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = raise_exception
    try:
        return environment.from_string(template)
    except TemplateError as error:
        raise PromptError(f"the model's chat template cannot be read: {error}") from error
