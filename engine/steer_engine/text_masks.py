"""A text form compiled for one vocabulary."""

from __future__ import annotations

import re

from steer_engine.errors import SchemaError, SchemaSyntaxError, UnsatisfiableError
from steer_engine.mask import allocate_mask
from steer_engine.mask_compiler import MaskCompiler, MaskSource
from steer_engine.matcher import GrammarMatcher
from steer_engine.text_forms import LarkGrammar, TextForm, lark_of
from steer_engine.vocabulary import TokenId

_PLACE = re.compile(r"(?:at )?(\d+)\((\d+)\): (.*)")
_REASON = re.compile(r"(?m)^error: (.*)$")


def text_mask(form: TextForm, masks: MaskCompiler, *, vocab_size: int) -> GrammarMatcher:
    """Return a matcher at the start of `form`; its mask allows exactly the texts of it.

    Raises:
        SchemaError: it cannot be read, is too large, or cannot be enforced exactly.
        UnsatisfiableError: it has no text.
    """
    from llguidance import LLMatcher

    try:
        grammar = lark_of(form)
    except RecursionError as error:
        raise SchemaError("the grammar is nested too deeply") from error
    compiled = LLMatcher.grammar_from_lark(grammar)
    native = masks.compile(compiled)
    if native.is_error():
        raise _refusal(form, native.get_error())
    if warnings := native.get_grammar_warnings():
        raise SchemaError(f"the grammar cannot be enforced exactly: {'; '.join(warnings)}")
    kind = UnforcedMatcher if isinstance(form, LarkGrammar) else GrammarMatcher
    source = MaskSource(native, lambda: masks.compile(compiled), masks.raise_interrupt)
    matcher = kind(source)
    probe = allocate_mask(vocab_size)
    matcher.copy().fill_mask(probe)
    if not (probe.any() or matcher.is_accepting):
        raise UnsatisfiableError("no text can satisfy this grammar")
    return matcher


class UnforcedMatcher(GrammarMatcher):
    """A `Matcher` that leaves also what is forced to the model.

    The terminals of a Lark grammar may lead where no text ends, ``A A`` with ``A: /a+/``. There the
    compiler would go on writing down what is forced until the memory is full.
    """

    def fast_forward_tokens(self) -> list[TokenId]:
        return []

    def forced_bytes(self) -> bytes:
        return b""


def _refusal(form: TextForm, reason: str) -> SchemaError:
    place, because = _PLACE.match(reason), _REASON.search(reason)
    if place and isinstance(form, LarkGrammar):
        message = because[1] if because else place[3]
        return SchemaSyntaxError(f"Lark: {message}", line=int(place[1]), column=int(place[2]))
    shown = " ".join(reason.split())[:_MAX_REASON]
    return SchemaError(f"this {_name(form)} cannot be compiled: {shown}")


def _name(form: TextForm) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(form).__name__)


_MAX_REASON = 200  # characters
