"""Schema -> Grammar -> Matcher, over llguidance.

A `GrammarCompiler` belongs to a vocabulary. A `Grammar` is immutable and shared by rows; a
`Matcher` is the state of one generation. Whitespace is fixed and properties come in the schema's
order, so that a model cannot run on in spaces and equal values have one spelling.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from steer_engine.errors import DefectError, SchemaError, UnenforceableError, UnsatisfiableError
from steer_engine.mask import Mask, allocate_mask, allow
from steer_engine.schema import JsonObject, JsonSchema, Schema
from steer_engine.schema.document import children, definitions_of, place
from steer_engine.schema.normal import lower, refuse_unenforceable
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from llguidance._lib import JsonCompileOptions

ITEM_SEPARATOR = ", "
KEY_SEPARATOR = ": "
_OPTIONS: JsonCompileOptions = {
    "whitespace_flexible": False,
    "item_separator": ITEM_SEPARATOR,
    "key_separator": KEY_SEPARATOR,
    # Without the u escape a key has one spelling: none can slip past what is said of it.
    "json_allowed_escapes": '"\\bfnrt',
}


class Matcher(Protocol):
    """Where one generation stands in its grammar."""

    def fill_mask(self, mask: Mask) -> None:
        """Write into `mask` which tokens may come next; an end token only where it may end."""
        ...

    def accept(self, token: TokenId) -> None:
        """Advance over a token that the mask allows.

        Raises:
            DefectError: the mask did not allow it.
        """
        ...

    def rollback(self, n_tokens: int) -> None:
        """Undo the last `n_tokens` accepted tokens."""
        ...

    def fast_forward_tokens(self) -> list[TokenId]:
        """Return the tokens that the grammar forces next, tokenised as the model would."""
        ...

    def forced_bytes(self) -> bytes:
        """Return the bytes that the grammar forces next, however they are split into tokens."""
        ...

    @property
    def is_accepting(self) -> bool:
        """Whether the text so far is complete."""
        ...

    @property
    def is_stopped(self) -> bool:
        """Whether nothing can follow."""
        ...


@dataclass(frozen=True, slots=True)
class Grammar:
    """A schema compiled for one vocabulary."""

    schema: Schema
    _prototype: LLMatcher
    _vocab_size: int

    def matcher(self) -> Matcher:
        """Return a matcher at the start of the grammar; costs microseconds."""
        return GrammarMatcher(self._prototype.deep_copy(), self._vocab_size)


class GrammarCompiler:
    """Compiles schemas for one vocabulary, each at most once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tokenizer = _ll_tokenizer(vocabulary)
        self._compiled: dict[str, Grammar] = {}

    def compile(self, schema: Schema) -> Grammar:
        """Return the grammar of `schema`.

        Raises:
            UnenforceableError: the mask cannot enforce one of its keywords.
            UnsatisfiableError: no value can satisfy it.
            SchemaError: it is too large or cannot be compiled.
        """
        if schema.text not in self._compiled:
            refuse_unenforceable(schema)
            self._compiled[schema.text] = self._build(schema)
        return self._compiled[schema.text]

    def _build(self, schema: Schema) -> Grammar:
        document = lower(schema)
        prototype = self._ll_matcher(document)
        if prototype.is_error():
            raise self._explain(document, prototype.get_error())
        probe = GrammarMatcher(prototype.deep_copy(), self._vocabulary.vocab_size)
        mask = allocate_mask(self._vocabulary.vocab_size)
        probe.fill_mask(mask)
        if not mask.any():
            raise UnsatisfiableError(
                "no value can satisfy this schema; look for keywords that contradict each other"
            )
        return Grammar(schema, prototype, self._vocabulary.vocab_size)

    def _ll_matcher(self, document: JsonObject) -> LLMatcher:
        from llguidance import LLMatcher, LLParserLimits

        text = json.dumps(document, ensure_ascii=False)
        grammar = LLMatcher.grammar_from_json_schema(text, overrides=_OPTIONS)
        # Verbose errors would quote the whole grammar.
        limits = LLParserLimits(verbose_errors=False)
        return LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)

    def _explain(self, document: JsonObject, reason: str) -> SchemaError:
        """Turn the compiler's refusal of `document` into an error that names the place."""
        reason = " ".join(reason.split())[:_MAX_REASON]
        if "nsatisfiable" in reason:
            return UnsatisfiableError(f"no value can satisfy this schema: {reason}")
        pointer, keyword = self._blame(document, "", definitions_of(document))
        if not keyword:
            return SchemaError(f"this schema cannot be compiled: {reason}")
        return UnenforceableError(
            f"`{keyword}` {place(pointer)} cannot be enforced while decoding ({reason});"
            " remove it and check it yourself afterwards",
            pointer=pointer,
            keyword=keyword,
        )

    def _blame(self, node: JsonSchema, pointer: str, definitions: JsonObject) -> tuple[str, str]:
        """Return the innermost place that does not compile, and the keyword that is to blame."""
        if isinstance(node, bool):
            return pointer, ""
        for where, child in children(node, pointer):
            if isinstance(child, dict) and self._ll_matcher({**definitions, **child}).is_error():
                return self._blame(child, where, definitions)
        for keyword in node:
            rest = {key: value for key, value in node.items() if key != keyword}
            if not self._ll_matcher({**definitions, **rest}).is_error():
                return pointer, keyword
        return pointer, ""


_MAX_REASON = 200  # characters


class GrammarMatcher:
    """A `Matcher` over an llguidance matcher."""

    def __init__(self, native: LLMatcher, vocab_size: int) -> None:
        self._native = native
        self._vocab_size = vocab_size

    def fill_mask(self, mask: Mask) -> None:
        if self._native.is_stopped():
            mask[:] = 0
            return
        self._native.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)
        if self._native.is_error():
            # A state from which no byte can lead to the end, or a limit on the parser's work.
            mask[:] = 0

    def accept(self, token: TokenId) -> None:
        if not self._native.consume_token(token):
            raise DefectError(
                f"the grammar refused token {token}, which its mask had allowed"
                f" ({self._native.get_error()}); please report this with the schema"
            )

    def rollback(self, n_tokens: int) -> None:
        if n_tokens and not self._native.rollback(n_tokens):
            raise DefectError(f"the grammar could not be rolled back: {self._native.get_error()}")

    def fast_forward_tokens(self) -> list[TokenId]:
        return self._native.compute_ff_tokens()

    def forced_bytes(self) -> bytes:
        return self._native.compute_ff_bytes()

    @property
    def is_accepting(self) -> bool:
        return self._native.is_accepting()

    @property
    def is_stopped(self) -> bool:
        return self._native.is_stopped()


class FreeMatcher:
    """A `Matcher` that allows every text: what an unsteered model writes, for comparison."""

    is_accepting = True
    is_stopped = False

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._mask = allocate_mask(vocabulary.vocab_size)
        allowed = frozenset(range(vocabulary.vocab_size)) - vocabulary.special_ids
        allow(self._mask, allowed | vocabulary.eos_ids)

    def fill_mask(self, mask: Mask) -> None:
        np.copyto(mask, self._mask)

    def accept(self, token: TokenId) -> None:
        del token

    def rollback(self, n_tokens: int) -> None:
        del n_tokens

    def fast_forward_tokens(self) -> list[TokenId]:
        return []

    def forced_bytes(self) -> bytes:
        return b""


class _TokenizerView:
    """A `Vocabulary` in the shape that llguidance's `TokenizerWrapper` reads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.eos_token_id = vocabulary.eos_id
        self.bos_token_id = None
        self.tokens = vocabulary.spellings
        self.special_token_ids = sorted(vocabulary.special_ids | vocabulary.eos_ids)

    def __call__(self, text: bytes) -> list[TokenId]:
        return self._vocabulary.tokenize_bytes(text, parse_special=False)


def _ll_tokenizer(vocabulary: Vocabulary) -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(
        TokenizerWrapper(_TokenizerView(vocabulary)),
        eos_token=sorted(vocabulary.eos_ids),
        slices=LLTokenizer.json_slices(),
    )
