"""guidance over llama-cpp-python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import guidance
from guidance.models import LlamaCpp

from many_rows.systems import Conversation, Limits


class Guidance:
    """The prompt as text, then `guidance.json` with the schema."""

    def __init__(self, model: Path, limits: Limits) -> None:
        # Without `echo` it shows nothing and computes no probabilities for what it would show.
        self._model = LlamaCpp(
            str(model),
            echo=False,
            n_ctx=limits.n_ctx,
            n_threads=limits.n_threads,
            n_threads_batch=limits.n_threads,
        )
        self._max_tokens = limits.max_tokens

    def prepare(self, schema: Mapping[str, object]) -> None:
        self._json = guidance.json(
            name="answer", schema=dict(schema), temperature=0.0, max_tokens=self._max_tokens
        )

    def answer(self, conversations: Sequence[Conversation], prompts: Sequence[str]) -> list[str]:
        del conversations
        return [str((self._model + prompt + self._json)["answer"]) for prompt in prompts]
