"""llama-cpp-python's high-level class: with its own grammar, with llguidance, with nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from llama_cpp import Llama, LogitsProcessorList
from numpy.typing import NDArray

from many_rows.systems import Conversation, Limits

if TYPE_CHECKING:
    from llguidance import LLMatcher
    from llguidance._lib import JsonCompileOptions


def open_llama(model: Path, limits: Limits) -> Llama:
    """Load a model; but for the limits everything is as by default."""
    return Llama(
        str(model),
        n_ctx=limits.n_ctx,
        n_threads=limits.n_threads,
        n_threads_batch=limits.n_threads,
        verbose=False,
    )


class Unconstrained:
    """`create_chat_completion` without a schema."""

    def __init__(self, model: Path, limits: Limits) -> None:
        self._llama = open_llama(model, limits)
        self._max_tokens = limits.max_tokens

    def prepare(self, schema: Mapping[str, object]) -> None:
        pass

    def answer(self, conversations: Sequence[Conversation], prompts: Sequence[str]) -> list[str]:
        del prompts
        return [self._complete(conversation) for conversation in conversations]

    def _complete(self, conversation: Conversation) -> str:
        reply: Any = self._llama.create_chat_completion(
            list(conversation), temperature=0.0, max_tokens=self._max_tokens, **self._constraint()
        )
        return str(reply["choices"][0]["message"]["content"])

    def _constraint(self) -> dict[str, Any]:
        return {}


class WithGrammar(Unconstrained):
    """The same, with the schema as `response_format`."""

    def prepare(self, schema: Mapping[str, object]) -> None:
        self._schema = schema

    def _constraint(self) -> dict[str, Any]:
        return {"response_format": {"type": "json_object", "schema": self._schema}}


class WithLlguidance(Unconstrained):
    """The same, with a logits processor that asks llguidance for its mask."""

    def __init__(self, model: Path, limits: Limits) -> None:
        import llguidance.llamacpp

        super().__init__(model, limits)
        vocab = self._llama._model.vocab  # noqa: SLF001 - llguidance asks for the pointer
        self._tokenizer = llguidance.llamacpp.lltokenizer_from_vocab(vocab)

    def prepare(self, schema: Mapping[str, object]) -> None:
        from llguidance import LLMatcher

        # White space is fixed, as in the other systems that use llguidance.
        fixed: JsonCompileOptions = {
            "whitespace_flexible": False,
            "item_separator": ", ",
            "key_separator": ": ",
        }
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=fixed)
        self._start = LLMatcher(self._tokenizer, grammar)

    def _constraint(self) -> dict[str, Any]:
        process = _Processor(self._start.deep_copy(), self._llama.token_eos())
        return {"logits_processor": LogitsProcessorList([process])}


class _Processor:
    """Leaves the logits of what the matcher allows, and advances it over what was sampled."""

    def __init__(self, matcher: LLMatcher, eos: int) -> None:
        self._matcher, self._eos = matcher, eos
        self._mask: NDArray[np.int32] | None = None

    def __call__(self, tokens: NDArray[np.intc], logits: NDArray[np.single]) -> NDArray[np.single]:
        from llguidance.numpy import (
            allocate_token_bitmask,
            apply_token_bitmask_inplace,
            fill_next_token_bitmask,
        )

        if self._mask is None:
            self._mask = allocate_token_bitmask(1, len(logits))
        else:
            self._matcher.consume_token(int(tokens[-1]))
        if self._matcher.is_stopped():
            only_end = np.full_like(logits, -np.inf)
            only_end[self._eos] = 0.0
            return only_end
        fill_next_token_bitmask(self._matcher, self._mask)
        apply_token_bitmask_inplace(logits, self._mask)
        return logits
