"""What stands between llguidance and the vocabulary."""

from dataclasses import replace

import pytest

from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask
from steer_engine.mask_compiler import MaskSource
from steer_engine.matcher import GrammarMatcher
from steer_engine.schema import read_schema


def test_an_interrupt_inside_a_native_call_is_not_lost():
    vocabulary = FakeBackend().vocabulary
    calls = []

    def interrupted_once(text, *, parse_special):
        calls.append(text)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return vocabulary.tokenize_bytes(text, parse_special=parse_special)

    compiler = GrammarCompiler(replace(vocabulary, tokenize_bytes=interrupted_once))
    matcher = compiler.compile(read_schema("customer_name: int")).matcher()
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        matcher.fast_forward_tokens()
    assert matcher.fast_forward_tokens()  # once is enough


class FullOnce:
    """A native matcher whose lexer is full, until it is compiled again."""

    def __init__(self, *, is_full):
        self.is_full, self.read = is_full, []

    def deep_copy(self):
        return FullOnce(is_full=self.is_full)

    def is_stopped(self):
        return False

    def is_error(self):
        return self.is_full

    def get_error(self):
        return "lexer error: too many expressions constructed" if self.is_full else ""

    def unsafe_compute_mask_ptr(self, address, n_bytes):
        pass

    def try_consume_tokens(self, tokens):
        self.read += tokens
        return len(tokens)

    def consume_token(self, token):
        self.read.append(token)
        return True


def test_a_full_lexer_is_replaced_and_the_row_goes_on():
    """The matchers of a grammar share a lexer, which holds only so many states."""
    source = MaskSource(FullOnce(is_full=True), lambda: FullOnce(is_full=False))
    matcher = GrammarMatcher(source)
    assert matcher.accept(7)
    matcher.fill_mask(allocate_mask(64))
    assert matcher.accept(8)
    assert source.start().is_full is False  # those after it have room from the start
