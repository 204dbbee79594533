"""What several tests of the engine need."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from acceptance.spelling import in_schema_order
from llama_server import llama_server as start_llama_server
from steer_engine.backends.fake import EOS, FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows
from steer_engine.models import embedded_path
from steer_engine.schema import Schema, read_schema
from steer_engine.schema.lowering import is_for_lark, written_in_lark

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
        if any_order or is_for_lark(masked):
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


class Walked(NamedTuple):
    """How far a matcher lets a text pass, and whether that is all of a complete text."""

    text: str
    is_complete: bool


@pytest.fixture(scope="session")
def walk():
    """Feeds a text to a schema's matcher; checks mask, acceptance and rollback at every prefix."""
    vocabulary = FakeBackend().vocabulary
    compiler, mask = GrammarCompiler(vocabulary), allocate_mask(vocabulary.vocab_size)

    def walk(form, text):
        form = read_schema(form) if isinstance(form, bool | dict) else form
        matcher, tokens = compiler.compile(form).matcher(), []
        for token in vocabulary.tokenize(text, parse_special=False):
            matcher.fill_mask(mask)
            if not allows(mask, token):
                break
            before = mask.copy()
            if not matcher.accept(token):
                assert isinstance(form, Schema)  # the mask of a text form is exact
                matcher.fill_mask(mask)
                assert not allows(mask, token)
                break
            matcher.rollback(1)
            matcher.fill_mask(mask)
            assert np.array_equal(before, mask)
            assert matcher.accept(token)
            tokens.append(token)
        else:
            matcher.fill_mask(mask)
            assert matcher.is_accepting == (matcher.is_stopped or allows(mask, EOS))
            return Walked(text, matcher.is_accepting)
        return Walked(vocabulary.spell(tokens).decode("utf-8", "replace"), is_complete=False)

    return walk


@pytest.fixture(scope="session")
def llama_server():
    """The address of llama.cpp's own server, with the embedded model in 4 slots."""
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed: pip install --group test")
    with start_llama_server(embedded_path()) as (url, _):
        yield url
