"""From a prompt and a schema to the tokens a model starts from.

The schema is told to the model once, before the text, so that many rows share that beginning.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from steer_engine.errors import PromptError
from steer_engine.reasoning import reasoning_style
from steer_engine.schema import Schema, describe, is_object, is_rows
from steer_engine.text_forms import TextForm
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", exact(self.content))


def exact(text: str) -> str:
    """Return `text` itself where it is of a class of its own, as the members of a `StrEnum` are."""
    return str.__str__(text)


def compose(
    prompt: str, schema: Schema | TextForm | None, *, system: str | None = None
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


@lru_cache(maxsize=64)
def instruction(schema: Schema | TextForm) -> str:
    """Return what the model is told about the answer's form."""
    if not isinstance(schema, Schema):
        return schema.instruction
    if is_object(schema):
        ask = "Answer with one JSON object with these fields:"
    elif is_rows(schema):
        ask = "Answer with a JSON list of objects with these fields:"
    else:
        ask = "Answer with JSON of this form:"
    return f"{ask}\n{describe(schema)}"


class ChatLayout:
    """Lays out a conversation as one model was trained to read it."""

    def __init__(
        self, template: str | None, vocabulary: Vocabulary, *, thinks: bool = False
    ) -> None:
        """Use the model's Jinja `template`; without one, messages are separated by blank lines.

        If the model `thinks`, thoughts are what follows, otherwise the answer.
        """
        self.style = reasoning_style(template, vocabulary)
        self._template = None if template is None else _compile(template)
        self._vocabulary = vocabulary
        self._thinks = thinks

    def render(self, messages: Sequence[Message]) -> str:
        """Return the text that the model reads.

        Raises:
            PromptError: the model's template cannot lay out these messages.
        """
        return self._lay_out(messages)[1]

    def tokenize(self, messages: Sequence[Message]) -> list[TokenId]:
        """Return the tokens of the conversation.

        Control tokens come from the template alone: what looks like one in a message's text
        is text, so that data cannot speak for the system.
        """
        vocabulary = self._vocabulary
        messages, text = self._lay_out(messages)
        if any(self._spells_control(message.content) for message in messages):
            tokens = self._tokenize_in_parts(messages)
        else:
            tokens = vocabulary.tokenize(text, parse_special=True)
        bos = vocabulary.bos_id
        if bos is None or not vocabulary.adds_bos or tokens[:1] == [bos]:
            return tokens
        return [bos, *tokens]

    def _lay_out(self, messages: Sequence[Message]) -> tuple[Sequence[Message], str]:
        """Return the text of the conversation, and the messages as the template takes them."""
        if self._thinks and self.style.instruction:
            messages = _with_system(messages, self.style.instruction)
        # Some templates refuse a system message, others leave it out: then it opens the user's.
        problem = None
        for attempt in (messages, merge_system(messages)):
            try:
                text = self._fill(attempt)
            except PromptError as error:
                problem = error
                continue
            if all(message.content.strip() in text for message in attempt):
                return attempt, text
        raise problem or PromptError("the model's chat template leaves out a part of the prompt")

    def _tokenize_in_parts(self, messages: Sequence[Message]) -> list[TokenId]:
        # As long as the text, for a template may ask how long it is; it may also say it twice.
        contents = {
            f"text{uuid.uuid4().hex}".ljust(len(message.content), "-"): message.content
            for message in messages
        }
        marked = [Message(m.role, mark) for m, mark in zip(messages, contents, strict=True)]
        parts = re.split(f"({'|'.join(contents)})", self._fill(marked))
        if not contents.keys() <= set(parts):
            raise PromptError("the model's chat template changes the text of the prompt")
        tokens = list[TokenId]()
        for part in parts:
            text = contents.get(part)
            tokens += self._vocabulary.tokenize(
                part if text is None else text, parse_special=text is None
            )
        return tokens

    def _spells_control(self, text: str) -> bool:
        data = text.encode("utf-8", "replace")
        vocabulary = self._vocabulary
        spellings = (vocabulary.spellings[token] for token in vocabulary.special_ids)
        return any(spelling in data for spelling in spellings if len(spelling) > 1)

    def _fill(self, messages: Sequence[Message]) -> str:
        text = self._filled(messages)
        return self.style.opened(text) if self._thinks else self.style.closed(text)

    def _filled(self, messages: Sequence[Message]) -> str:
        if self._template is None:
            return "\n\n".join(message.content for message in messages) + "\n\n"
        vocabulary = self._vocabulary
        bos = b"" if vocabulary.bos_id is None else vocabulary.spellings[vocabulary.bos_id]
        try:
            return self._template.render(
                messages=[{"role": m.role, "content": m.content} for m in messages],
                bos_token=bos.decode("utf-8", "replace"),
                eos_token=vocabulary.spellings[vocabulary.eos_id].decode("utf-8", "replace"),
                add_generation_prompt=True,
                enable_thinking=self._thinks,
                thinking=self._thinks,  # the name that other templates have for it
            )
        except Exception as error:
            raise PromptError(f"the model's chat template failed: {error}") from error


def _with_system(messages: Sequence[Message], told: str) -> tuple[Message, ...]:
    """Return `messages` with `told` at the end of the system message."""
    if messages and messages[0].role == "system":
        first, *others = messages
        return (Message("system", f"{first.content}\n\n{told}"), *others)
    return (Message("system", told), *messages)


def merge_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return `messages` with the system message at the beginning of the next one."""
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

    def strftime_now(form: str) -> str:
        return datetime.now().astimezone().strftime(form)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals |= {"raise_exception": raise_exception, "strftime_now": strftime_now}
    # This tag only marks, for training, what the assistant wrote.
    template = re.sub(r"\{%-?\s*(?:end)?generation\s*-?%\}", "", template)
    try:
        return environment.from_string(template)
    except TemplateError as error:
        raise PromptError(f"the model's chat template cannot be read: {error}") from error
