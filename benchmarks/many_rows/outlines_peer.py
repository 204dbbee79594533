"""Outlines over llama-cpp-python, with its default backend."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import outlines
from outlines.inputs import Chat

from many_rows.llama_peers import open_llama
from many_rows.systems import Conversation, Limits


class Outlines:
    """A `Generator` for each schema, called once a row."""

    def __init__(self, model: Path, limits: Limits) -> None:
        self._model = outlines.from_llamacpp(open_llama(model, limits))
        self._max_tokens = limits.max_tokens

    def prepare(self, schema: Mapping[str, object]) -> None:
        self._generator = outlines.Generator(self._model, outlines.json_schema(json.dumps(schema)))

    def answer(self, conversations: Sequence[Conversation], prompts: Sequence[str]) -> list[str]:
        del prompts
        return [
            self._generator(
                Chat([dict(message) for message in conversation]),
                temperature=0.0,
                max_tokens=self._max_tokens,
            )
            for conversation in conversations
        ]
