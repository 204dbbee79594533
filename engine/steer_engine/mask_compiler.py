"""llguidance: from what a schema's mask needs to a matcher that computes token masks."""

from __future__ import annotations

import _thread
import json
import threading
from typing import TYPE_CHECKING

from steer_engine.schema import JsonObject
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
_SOON_S = 0.02


class MaskCompiler:
    """Compiles grammars for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._tokenizer = _ll_tokenizer(vocabulary)

    def compile_json(self, document: JsonObject) -> LLMatcher:
        """Return a matcher for a JSON Schema that llguidance knows; it may be in error."""
        from llguidance import LLMatcher

        text = json.dumps(document, ensure_ascii=False)
        return self.compile(LLMatcher.grammar_from_json_schema(text, overrides=_OPTIONS))

    def compile(self, grammar: str) -> LLMatcher:
        """Return a matcher for a grammar as llguidance serialises it; it may be in error."""
        from llguidance import LLMatcher, LLParserLimits

        # Verbose errors would quote the whole grammar.
        limits = LLParserLimits(verbose_errors=False)
        return LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)


class _TokenizerView:
    """A `Vocabulary` in the shape that llguidance's `TokenizerWrapper` reads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.eos_token_id = vocabulary.eos_id
        self.bos_token_id = None
        self.tokens = vocabulary.spellings
        self.special_token_ids = sorted(vocabulary.special_ids | vocabulary.eos_ids)

    def __call__(self, text: bytes) -> list[TokenId]:
        try:
            return self._vocabulary.tokenize_bytes(text, parse_special=False)
        except KeyboardInterrupt:
            # llguidance would drop it: let it come once more, when the native call is over.
            threading.Timer(_SOON_S, _thread.interrupt_main).start()
            return self._vocabulary.tokenize_bytes(text, parse_special=False)


def _ll_tokenizer(vocabulary: Vocabulary) -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(
        TokenizerWrapper(_TokenizerView(vocabulary)),
        eos_token=sorted(vocabulary.eos_ids),
        slices=LLTokenizer.json_slices(),
    )
