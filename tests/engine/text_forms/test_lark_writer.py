"""By brute force: what a written grammar accepts is what its rules say, text by text."""

from functools import cache
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from llguidance import LLMatcher

from steer_engine import UnsatisfiableError
from steer_engine.backends.fake import FakeBackend
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.mask_compiler import MaskCompiler, MaskSource
from steer_engine.matcher import GrammarMatcher
from steer_engine.text_forms.expressions import (
    Alternatives,
    Reference,
    Repeat,
    Sequence,
    characters,
    literal,
)
from steer_engine.text_forms.lark_writer import written_rules

VOCABULARY = FakeBackend().vocabulary
COMPILER = MaskCompiler(VOCABULARY)
ALPHABET = "ab"
MAX_LENGTH = 5
TEXTS = ["".join(each) for n in range(MAX_LENGTH + 1) for each in product(ALPHABET, repeat=n)]


def texts_of(rules, root):
    """The texts of up to `MAX_LENGTH` characters that `root` matches, by the definition."""
    known = {name: frozenset() for name in rules}

    def texts(expression):
        match expression:
            case Reference(name):
                return known[name]
            case Sequence(items):
                return joined([texts(item) for item in items])
            case Alternatives(options):
                return frozenset().union(*map(texts, options))
            case Repeat(body, least, most):
                inner = texts(body)
                most = MAX_LENGTH + least if most is None else most
                return frozenset().union(*(joined([inner] * n) for n in range(least, most + 1)))
        return frozenset(
            text for text in ALPHABET if any(a <= ord(text) <= b for a, b in expression.ranges)
        )

    while (grown := {name: texts(body) for name, body in rules.items()}) != known:
        known = grown
    return known[root]


@cache
def _joined(parts):
    result = frozenset([""])
    for part in parts:
        result = frozenset(a + b for a in result for b in part if len(a + b) <= MAX_LENGTH)
    return result


def joined(parts):
    return _joined(tuple(parts))


def matcher_of(grammar):
    compiled = LLMatcher.grammar_from_lark(grammar)
    native = COMPILER.compile(compiled)
    assert not native.is_error(), f"{native.get_error()}\n{grammar}"
    return GrammarMatcher(MaskSource(native, lambda: COMPILER.compile(compiled)))


def accepted(grammar):
    """The texts that a walk through the masks can write."""
    found = set()
    mask = allocate_mask(VOCABULARY.vocab_size)

    def walk(matcher, text):
        if matcher.is_accepting:
            found.add(text)
        matcher.fill_mask(mask)
        allowed = unpack_mask(mask, VOCABULARY.vocab_size)
        for character in ALPHABET if len(text) < MAX_LENGTH else "":
            if allowed[ord(character)]:
                after = matcher.copy()
                assert after.accept(ord(character))
                walk(after, text + character)

    walk(matcher_of(grammar), "")
    return found


leaves = st.sampled_from(
    [
        literal("a"),
        literal("ab"),
        literal("ba"),
        literal(""),
        characters(((97, 98),)),
        Reference("root"),
        Reference("x"),
        Reference("y"),
    ]
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Sequence(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Alternatives(tuple(parts))),
        st.builds(
            Repeat,
            inner,
            st.sampled_from([0, 1, 2]),
            st.sampled_from([None, 2]),
        ),
    ),
    max_leaves=5,
)


@settings(max_examples=150)
@given(st.fixed_dictionaries({"root": expressions, "x": expressions, "y": expressions}))
def test_a_written_grammar_has_the_texts_of_its_rules(rules):
    try:
        grammar = written_rules(rules, "root")
    except UnsatisfiableError:
        assert not texts_of(rules, "root")
        return
    assert accepted(grammar) == texts_of(rules, "root"), grammar
