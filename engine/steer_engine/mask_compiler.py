"""llguidance: from what a schema's mask needs to a matcher that computes token masks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from steer_engine.schema import JsonObject
from steer_engine.schema.lowering import is_for_lark, written_in_lark
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from llguidance._lib import JsonCompileOptions

ITEM_SEPARATOR = ", "
KEY_SEPARATOR = ": "
_SHORT_ESCAPES = '"\\bfnrt'
_OPTIONS: JsonCompileOptions = {
    "whitespace_flexible": False,
    "item_separator": ITEM_SEPARATOR,
    "key_separator": KEY_SEPARATOR,
    "json_allowed_escapes": _SHORT_ESCAPES,
}
# Control characters as `lowered` leaves them in a mask: in a value or key, or in a pattern.
_CONTROL = re.compile(r"\\u00[01]|\x7f|\\\\x\{(?:[1-7BEF]|1[0-9A-F]|7F)\}")


class MaskSource:
    """Where the matchers of one grammar come from.

    They share a lexer that remembers every state it was in, and it holds only so many.
    """

    def __init__(
        self,
        native: LLMatcher,
        compile_again: Callable[[], LLMatcher],
        after_call: Callable[[], None] = lambda: None,
        *,
        has_escapes: bool = False,
    ) -> None:
        self._native, self._compile_again = native, compile_again
        self.after_call = after_call
        """To be called after a native call that may tokenise."""
        self.has_escapes = has_escapes
        """Whether texts may have `\\u`, also where `orthography` forbids it."""

    @property
    def fault(self) -> str | None:
        """Why the grammar cannot be compiled; None if it can."""
        return self._native.get_error() if self._native.is_error() else None

    def start(self) -> LLMatcher:
        """Return a matcher at the start of the grammar; costs microseconds."""
        return self._native.deep_copy()

    def renew(self) -> LLMatcher:
        """Return a matcher at the start that has, like those after it, a lexer with room."""
        self._native = self._compile_again()
        return self.start()


class MaskCompiler:
    """Compiles grammars for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._view = _TokenizerView(vocabulary)
        self._tokenizer = _ll_tokenizer(self._view, vocabulary)

    def source(self, masked: JsonObject, *, has_escapes: bool = False) -> MaskSource:
        """Compile what `lowered` leaves to the mask; see `MaskSource.fault`.

        It has escapes where `masked` asks for characters that cannot be written otherwise.
        """
        from llguidance import LLMatcher

        text = json.dumps(masked, ensure_ascii=False)
        options = _OPTIONS.copy()
        has_escapes = has_escapes or _CONTROL.search(text) is not None
        if has_escapes:
            options["json_allowed_escapes"] = _SHORT_ESCAPES + "u"
        if is_for_lark(masked):
            text = written_in_lark(masked, cast("JsonObject", options))
            grammar = LLMatcher.grammar_from_lark(text)
        else:
            grammar = LLMatcher.grammar_from_json_schema(text, overrides=options)
        return MaskSource(
            self.compile(grammar),
            lambda: self.compile(grammar),
            self.raise_interrupt,
            has_escapes=has_escapes,
        )

    def raise_interrupt(self) -> None:
        """Raise the `KeyboardInterrupt` that came while a native call tokenised, if one did."""
        if self._view.is_interrupted:
            self._view.is_interrupted = False
            raise KeyboardInterrupt

    def compile(self, grammar: str) -> LLMatcher:
        """Return a matcher for a grammar as llguidance serialises it; it may be in error."""
        from llguidance import LLMatcher, LLParserLimits

        # Verbose errors would quote the whole grammar.
        limits = LLParserLimits(
            verbose_errors=False, max_items_in_row=20_000, step_lexer_fuel=2_000_000
        )
        return LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)


class _TokenizerView:
    """A `Vocabulary` in the shape that llguidance's `TokenizerWrapper` reads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.eos_token_id = vocabulary.eos_id
        self.bos_token_id = None
        self.tokens = vocabulary.spellings
        self.is_interrupted = False
        self.special_token_ids = sorted(vocabulary.special_ids | vocabulary.eos_ids)

    def __call__(self, text: bytes) -> list[TokenId]:
        try:
            return self._vocabulary.tokenize_bytes(text, parse_special=False)
        except KeyboardInterrupt:
            self.is_interrupted = True  # llguidance would drop it: it is raised after the call
            return self._vocabulary.tokenize_bytes(text, parse_special=False)


def _ll_tokenizer(view: _TokenizerView, vocabulary: Vocabulary) -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(
        TokenizerWrapper(view),
        eos_token=sorted(vocabulary.eos_ids),
        slices=LLTokenizer.json_slices(),
    )
