"""What stands between llguidance and the vocabulary."""

from dataclasses import replace

import pytest

from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
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
    with pytest.raises(KeyboardInterrupt):
        while True:
            matcher.fast_forward_tokens()
    assert len(calls) > 1
