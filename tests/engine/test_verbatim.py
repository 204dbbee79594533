import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer_engine import (
    Engine,
    Request,
    RowDone,
    Sampling,
    UnenforceableError,
    compose,
    read_schema,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.evidence import Evidence
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows
from steer_engine.schema.places import verbatim_places
from steer_engine.shortest import follow
from steer_engine.source import SourceText
from steer_engine.verbatim import SpellingIndex, VerbatimMatcher
from steer_engine.vocabulary import Vocabulary

SOURCE = 'Ask "Ann Lee" <ann@x.io>\nor Bob: naïve 😀, C:\\temp'


def records(wish, notation, *, prompt=SOURCE, temperature=0.0, seeds=range(1)):
    schema = read_schema(notation)
    with Engine(FakeBackend(wish)) as engine:
        for seed in seeds:
            sampling = Sampling(temperature=temperature, seed=seed)
            request = Request(0, compose(prompt, schema), schema, sampling, max_tokens=400)
            yield from (e.record for e in engine.run([request]) if isinstance(e, RowDone))


def test_a_span_of_the_source_is_copied_as_the_model_wants():
    for span in ["Ann Lee", '"Ann Lee" <ann@x.io>\nor', "naïve 😀, C:\\temp", "", SOURCE]:
        wish = json.dumps({"who": span}, ensure_ascii=False)
        assert list(records(wish, "who: verbatim")) == [{"who": span}]


def test_what_is_not_in_the_source_cannot_be_written():
    [record] = records('{"who": "Ann Lewis"}', "who: verbatim")
    assert record["who"] in SOURCE
    assert record["who"].startswith("Ann Le")


def test_an_escape_is_not_torn_apart():
    # The "t" of the backslash-t in the JSON text is not a span of its own.
    [record] = records('{"who": "t\\\\temp"}', "who: verbatim", prompt="a\tC:\\temp")
    assert record["who"] in "a\tC:\\temp"


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=40), st.integers(0, 100))
def test_whatever_is_drawn_is_a_span(source, seed):
    notation = "a: verbatim, b: str, c: list[{d: verbatim | None}]"
    drawn = records("", notation, prompt=source, temperature=3.0, seeds=[seed])
    for record in drawn:
        values = [record["a"], *(item["d"] for item in record["c"])]
        prompt = source.encode("utf-8", "replace").decode()
        assert all(value is None or value in prompt for value in values)


def test_a_way_that_would_tear_a_character_of_a_key_is_not_followed():
    schema = read_schema({"type": "object", "additionalProperties": FREE})
    vocabulary = FakeBackend().vocabulary
    matcher = VerbatimMatcher(
        GrammarCompiler(vocabulary).compile(schema).matcher(),
        SourceText([SOURCE]),
        verbatim_places(schema),
        SpellingIndex(vocabulary),
    )
    assert follow(matcher, b'{"na\xc3')
    for way in (b'": "Ann"}', b'\\": "Ann"}'):
        assert not follow(matcher.copy(), way)
    assert follow(matcher, b'\xaf": "A')
    assert not follow(matcher, b"#")  # not in the source; the matcher stays where it is
    assert follow(matcher, b'nn"}')
    assert matcher.is_accepting


def test_a_character_that_json_cannot_spell_ends_a_span():
    [record] = records('{"who": "a"}', "who: verbatim", prompt="a\x1fb")
    assert record == {"who": "a"}


def test_other_strings_are_free():
    [record] = records('{"a": "zzz", "b": "Bob"}', "a: str, b: verbatim")
    assert record == {"a": "zzz", "b": "Bob"}


FREE = {"type": "string", "x-steer": {"verbatim": {"aligned": False}}}


def test_no_part_of_a_word_is_copied_unless_the_schema_says_so():
    prompt = "overthrown in 1815a"
    [record] = records('{"who": "throw"}', "who: verbatim", prompt=prompt)
    assert record["who"] != "throw"
    document = {"type": "object", "properties": {"who": FREE}, "required": ["who"]}
    assert list(records('{"who": "throw"}', document, prompt=prompt)) == [{"who": "throw"}]


@settings(max_examples=30, deadline=None)
@given(st.text(st.sampled_from("ab1é-. 中"), min_size=1, max_size=30), st.integers(0, 100))
def test_copies_begin_and_end_between_words(source, seed):
    for record in records("", "a: verbatim", prompt=source, temperature=3.0, seeds=[seed]):
        assert SourceText([source]).find(record["a"], aligned=True)


NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "x-steer": {"verbatim": True}},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    ("document", "wish", "expected"),
    [
        ("a: dict[str, verbatim]", {"a": {"x": "Bob", "y": "Ann"}}, None),
        ("a: list[verbatim]", {"a": ["Bob", "Ann", ""]}, None),
        ("a: verbatim | None", {"a": None}, None),
        (NODE, {"name": "Bob", "next": {"name": "Ann", "next": None}}, None),
        ({"prefixItems": [{"type": "integer"}], "items": FREE, "type": "array"}, [1, "nn"], None),
        ("a: list[verbatim]", {"a": ["Bob", "Zoe"]}, "Zoe"),
        (NODE, {"name": "Bob", "next": {"name": "Zoe", "next": None}}, "Zoe"),
    ],
)
def test_wherever_a_string_is_marked_it_is_held(document, wish, expected):
    prompt = "Ann and Bob"
    [record] = records(json.dumps(wish), document, prompt=prompt)
    if expected is None:
        assert record == wish
    else:
        assert expected not in json.dumps(record)


def test_strings_that_are_copied_have_their_place_in_the_input():
    schema = read_schema("who: verbatim, also: list[verbatim], note: str")
    wish = {"who": "Ann", "also": ["é Bob", ""], "note": "Ann"}
    inputs = ("Anna é Bob", "x Ann")
    with Engine(FakeBackend(json.dumps(wish, ensure_ascii=False))) as engine:
        request = Request(0, compose("Zoe", schema), schema, inputs=inputs)
        [done] = [event for event in engine.run([request]) if isinstance(event, RowDone)]
    assert done.record == wish
    assert done.evidence == (Evidence("/who", 1, 2, 5), Evidence("/also/0", 0, 5, 10))


def test_only_the_inputs_are_the_source_where_there_are_some():
    schema = read_schema("who: verbatim")
    with Engine(FakeBackend('{"who": "Zoe"}')) as engine:
        request = Request(0, compose("Zoe", schema), schema, inputs=("Ann",))
        [done] = [event for event in engine.run([request]) if isinstance(event, RowDone)]
    assert done.record["who"] in ("", "Ann")


class Everything:
    """A matcher that allows every token: what is left out is the wrapper's doing."""

    is_accepting = is_stopped = False
    refusal = ""

    def fill_mask(self, mask):
        mask[:] = -1

    def accept(self, token):
        return True

    def copy(self):
        return self


SMALL = Vocabulary(
    spellings=tuple(
        text.encode()
        for text in [
            "a",
            "b",
            "ab",
            '"',
            '"a',
            'b"',
            '"a"',
            'a", "b',
            '", "',
            "[",
            "]",
            ", ",
            '["b',
        ]
    ),
    eos_ids=frozenset(),
    special_ids=frozenset(),
    eos_id=0,
    tokenize_bytes=lambda text, *, parse_special: [],
)


@settings(max_examples=100)
@given(st.text("ab ", max_size=6), st.lists(st.sampled_from("ab"), max_size=3))
def test_the_mask_allows_a_token_exactly_if_it_leads_to_a_copy(source, written):
    """Every token that the grammar of a list of strings allows, compared with plain searching."""
    schema = read_schema({"type": "array", "items": FREE})
    matcher = VerbatimMatcher(
        Everything(), SourceText([source]), verbatim_places(schema), SpellingIndex(SMALL)
    )
    begun = "".join(written)
    if begun not in source:
        return
    for text in ("[", '"', *written):
        matcher.accept(SMALL.spellings.index(text.encode()))
    mask = allocate_mask(SMALL.vocab_size)
    matcher.fill_mask(mask)
    for token, spelling in enumerate(SMALL.spellings):
        first, *others = (begun + spelling.decode()).split('"')
        copies = [first, *others[1::2]]
        is_json = all(text in (", ", "]") or not text for text in others[0::2])
        if is_json:
            assert allows(mask, token) == all(copy in source for copy in copies), spelling


@pytest.mark.parametrize(
    "document",
    [
        {"not": FREE},
        {"type": "array", "contains": FREE},
        {"type": "string", "x-steer": {"verbatim": {"aligned": 1}}},
        {"type": "string", "x-steer": {"verbatim": "yes"}},
        {"type": ["integer", "null"], "x-steer": {"verbatim": True}},
    ],
)
def test_a_mark_that_cannot_be_enforced_is_refused_not_forgotten(document):
    with pytest.raises(UnenforceableError, match="`verbatim` at "):
        verbatim_places(read_schema(document))


def test_a_field_may_be_called_as_a_keyword_is():
    schema = read_schema("contains: list[verbatim], not: verbatim, properties: {if: verbatim}")
    places = verbatim_places(schema)
    for path in (("contains", 0), ("not",), ("properties", "if")):
        assert places.at(path) is not None


def test_a_mask_takes_under_a_millisecond_with_a_large_vocabulary(shared):
    vocabulary = read_vocabulary(shared / "vocab" / "ggml-vocab-gpt-2.gguf")
    index = SpellingIndex(vocabulary)
    schema = read_schema("a: list[verbatim], b: str")
    matcher = VerbatimMatcher(
        GrammarCompiler(vocabulary).compile(schema).matcher(),
        SourceText(["It was a dark and stormy night, said Ann to 17 others. " * 40]),
        verbatim_places(schema),
        index,
    )
    mask, seconds = allocate_mask(vocabulary.vocab_size), []
    wish = b'{"a": ["dark and stormy night", "Ann"], "b": "Zoe"}'
    for token in vocabulary.tokenize_bytes(wish, parse_special=False):
        start = time.process_time()
        matcher.fill_mask(mask)
        seconds.append(time.process_time() - start)
        assert allows(mask, token), vocabulary.spellings[token]
        matcher.accept(token)
    assert sorted(seconds)[len(seconds) // 2] < 0.001
