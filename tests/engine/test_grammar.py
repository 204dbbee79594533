import numpy as np
import pytest

from steer_engine import UnsatisfiableError, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.errors import DefectError
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows, unpack_mask

VOCABULARY = FakeBackend().vocabulary
COMPILER = GrammarCompiler(VOCABULARY)

# schema, texts it accepts, texts it refuses
TABLE = [
    (
        "a: str, b: int",
        ['{"a": "x", "b": 1}'],
        ['{"b": 1, "a": "x"}', '{"a":"x","b":1}', '{"a": "x"}'],
    ),
    ('a: "x" | "y" | None', ['{"a": "y"}', '{"a": null}'], ['{"a": "z"}', '{"a": ""}']),
    ("a: int 3..12", ['{"a": 3}', '{"a": 12}'], ['{"a": 2}', '{"a": 13}', '{"a": 3.5}']),
    ("a: list[bool]", ['{"a": []}', '{"a": [true, false]}'], ['{"a": [true,false]}', '{"a": [1]}']),
    ("a: date", ['{"a": "2024-02-29"}'], ['{"a": "2024-13-01"}', '{"a": "yesterday"}']),
    (
        "a: email",
        ['{"a": "' + 64 * "b" + '@c"}', '{"a": "\\"@\\"@c"}'],
        ['{"a": "' + 65 * "b" + '@c"}', '{"a": "b"}'],
    ),
    ("[a: int]", ["[]", '[{"a": 1}, {"a": 2}]'], ['{"a": 1}', '[{"a": 1},{"a": 2}]']),
    (
        '{"type": "object", "properties": {"a": {"type": "null"}}}',
        ["{}", '{"a": null}'],
        ['{"a": 1}'],
    ),
]


@pytest.mark.parametrize(("schema", "accepted", "refused"), TABLE)
def test_a_grammar_accepts_its_values_in_their_one_spelling(walk, schema, accepted, refused):
    schema = read_schema(schema)
    assert [text for text in accepted if not walk(schema, text).is_complete] == []
    assert [text for text in refused if walk(schema, text).is_complete] == []


def test_control_tokens_are_never_part_of_a_string():
    matcher = COMPILER.compile(read_schema("a: str")).matcher()
    for token in VOCABULARY.tokenize('{"a": "', parse_special=False):
        matcher.accept(token)
    mask = allocate_mask(VOCABULARY.vocab_size)
    matcher.fill_mask(mask)
    allowed = set(np.flatnonzero(unpack_mask(mask, VOCABULARY.vocab_size)))
    assert not allowed & VOCABULARY.special_ids
    assert ord("<") in allowed


def test_a_grammar_is_compiled_once_and_its_matchers_are_independent():
    schema = read_schema("a: str")
    grammar = COMPILER.compile(schema)
    assert COMPILER.compile(read_schema("a: str")) is grammar
    first, second = grammar.matcher(), grammar.matcher()
    first.accept(ord("{"))
    assert first.forced_bytes() == b'"a": "'
    assert second.forced_bytes() == b'{"a": "'


def test_accepting_what_the_mask_forbids_is_a_defect():
    with pytest.raises(DefectError, match="please report"):
        COMPILER.compile(read_schema("a: str")).matcher().accept(ord("["))


@pytest.mark.parametrize(
    "document",
    [
        False,
        {"enum": []},
        {"type": "string", "minLength": 3, "maxLength": 1},
        {"type": "integer", "minimum": 3, "maximum": 1},
        {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
        {"type": "array", "items": False, "minItems": 1},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
    ],
)
def test_a_schema_that_nothing_satisfies_is_refused(document):
    with pytest.raises(UnsatisfiableError, match=r"no value .*can satisfy"):
        COMPILER.compile(read_schema(document))


def test_what_the_mask_does_not_know_is_left_to_the_guard(walk):
    ahead = {"type": "string", "pattern": "^(?=ab)"}
    schema = read_schema({"type": "object", "properties": {"a": ahead}, "required": ["a"]})
    [clause] = [c for c in COMPILER.compile(schema).contract if c.keyword == "pattern"]
    assert (clause.pointer, clause.treatment) == ("/properties/a", "guarded")
    assert walk(schema, '{"a": "abc"}').is_complete
    assert walk(schema, '{"a": "acb"}') == ('{"a": "acb', False)


def test_everything_is_allowed_where_the_schema_says_nothing(walk):
    assert walk(True, '{"a": [1, "b"]}').is_complete


@pytest.mark.parametrize("name", ["llama-bpe", "qwen2", "llama-spm", "gpt-2"])
def test_forced_text_is_tokenised_as_real_models_would(shared, name):
    """A key that is spelled in unusual tokens would surprise the model that goes on from it."""
    vocabulary = read_vocabulary(shared / "vocab" / f"ggml-vocab-{name}.gguf")
    schema = read_schema('customer_name: "Ada Lovelace", born: int')
    matcher = GrammarCompiler(vocabulary).compile(schema).matcher()
    text, forced = '{"customer_name": "Ada Lovelace", "born": ', []
    mask = allocate_mask(vocabulary.vocab_size)
    usual = vocabulary.tokenize(text + "1815}", parse_special=False)
    while len(vocabulary.spell(forced)) < len(text):
        new = matcher.fast_forward_tokens()
        for token in new or usual[len(forced) : len(forced) + 1]:
            matcher.fill_mask(mask)
            assert allows(mask, token)
            matcher.accept(token)
            forced.append(token)
    assert forced == usual[: len(forced)]
