"""What several tests of the engine need."""

import json

import pytest

from acceptance.spelling import in_schema_order
from steer_engine.schema.lowering import written_in_lark

OPTIONS = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "json_allowed_escapes": '"\\bfnrt',
}


class Mask:
    """A compiled mask that tells which values it lets through."""

    def __init__(self, masked, *, any_order=False):
        llguidance = pytest.importorskip("llguidance")
        matcher = llguidance.LLMatcher
        self._tokenizer = llguidance.LLTokenizer("byte")
        if any_order:
            grammar = matcher.grammar_from_lark(written_in_lark(masked, OPTIONS))
        else:
            grammar = matcher.grammar_from_json_schema(json.dumps(masked), overrides=OPTIONS)
        self._prototype = matcher(self._tokenizer, grammar, log_level=0)
        self.error = self._prototype.get_error()

    def allows(self, text):
        matcher = self._prototype.deep_copy()
        tokens = self._tokenizer.tokenize_bytes(text.encode())
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    def allows_value(self, document, value):
        return self.allows(json.dumps(in_schema_order(document, value), ensure_ascii=False))

    def first_error(self):
        """What goes wrong when the first tokens are asked for."""
        matcher = self._prototype.deep_copy()
        matcher.compute_bitmask()
        return matcher.get_error()


@pytest.fixture(scope="session")
def compile_mask():
    """Compiles what lowering gives."""
    return Mask
