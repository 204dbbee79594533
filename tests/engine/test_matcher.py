"""What every matcher promises."""

import numpy as np
import pytest

from steer_engine import Choices, LarkGrammar, Regex, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.mask_compiler import MaskSource
from steer_engine.matcher import FreeMatcher, GrammarMatcher
from steer_engine.schema.places import verbatim_places
from steer_engine.source import SourceText
from steer_engine.thinking import ThoughtMatcher
from steer_engine.verbatim import SpellingIndex, VerbatimMatcher

VOCABULARY = FakeBackend().vocabulary
COMPILER = GrammarCompiler(VOCABULARY)
INDEX = SpellingIndex(VOCABULARY)
UNIQUE = {"type": "array", "items": {"enum": ["a", "ab", 2, 20]}, "uniqueItems": True}


def of(asked):
    return COMPILER.compile(asked).matcher()


def verbatim():
    schema = read_schema("who: verbatim, n: int, where: list[verbatim]")
    matcher = of(schema)
    source = SourceText(['the "name" of Zoë, 20 years'])
    return VerbatimMatcher(matcher, source, verbatim_places(schema), INDEX)


MATCHERS = {
    "schema": lambda: COMPILER.compile(
        read_schema('a: "x" | None, b: list[str], c: int')
    ).matcher(),
    "guarded": lambda: COMPILER.compile(read_schema(UNIQUE)).matcher(),
    "any JSON": lambda: COMPILER.compile(read_schema({})).matcher(),
    "number": lambda: COMPILER.compile(read_schema({"type": "number"})).matcher(),
    "verbatim": verbatim,
    "choices": lambda: COMPILER.compile(Choices(("a", "ab", "the name"))).matcher(),
    "regex": lambda: COMPILER.compile(Regex("(the )+[a-f]?")).matcher(),
    "Lark": lambda: COMPILER.compile(LarkGrammar('start: "a"+ /b+c?/')).matcher(),
    "free": lambda: FreeMatcher(VOCABULARY),
    "thoughts": lambda: ThoughtMatcher(VOCABULARY, b"the"),
}


@pytest.mark.parametrize("name", MATCHERS)
@pytest.mark.parametrize("seed", range(6))
def test_what_is_said_of_one_token_is_what_the_mask_says(name, seed):
    rng = np.random.default_rng(seed)
    matcher, mask = MATCHERS[name](), allocate_mask(VOCABULARY.vocab_size)
    was_refused = False
    for _ in range(25):
        if not was_refused:
            for token in matcher.fast_forward_tokens():
                assert matcher.accept(token)
        one_by_one = [matcher.allows(token) for token in range(VOCABULARY.vocab_size)]
        matcher.fill_mask(mask)
        allowed = unpack_mask(mask, VOCABULARY.vocab_size)
        assert one_by_one == ([False] * len(allowed) if was_refused else allowed.tolist())
        tokens = [t for t in np.flatnonzero(allowed) if t not in VOCABULARY.eos_ids]
        if not tokens:
            break
        was_refused = not matcher.accept(int(rng.choice(tokens)))


class FailsOnce:
    """A native matcher that runs into a limit when it looks at a token."""

    def __init__(self, error=""):
        self.error, self.read = error, []

    def deep_copy(self):
        return FailsOnce()

    def is_error(self):
        return bool(self.error)

    def get_error(self):
        return self.error

    def validate_tokens(self, tokens):
        self.error = self.error or "lexer error: too many expressions constructed"
        return 0

    def try_consume_tokens(self, tokens):
        self.read += tokens
        return len(tokens)

    def consume_token(self, token):
        self.read.append(token)
        return True


@pytest.mark.parametrize("error", ["", "step fuel is used up"])
def test_a_matcher_that_fails_on_one_token_is_whole_again_for_the_mask(error):
    matcher = GrammarMatcher(MaskSource(FailsOnce(), FailsOnce))
    assert matcher.accept(7)
    matcher._native.error = error
    assert not matcher.allows(8)
    assert not matcher._native.is_error()
    assert matcher._native.read == [7]
