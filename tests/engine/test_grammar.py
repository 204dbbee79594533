import json

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


# No string is both. Only the mask compiler sees it, and in a definition it is an error to it.
EMPTY = {"E": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 0}}
TWICE_EMPTY = {name: {"$ref": "#/$defs/E"} for name in "ab"}

NODE = {
    "type": "object",
    "properties": {
        "v": {"type": "integer"},
        "kids": {"type": "array", "contains": {"$ref": "#/$defs/Node"}},
    },
    "required": ["v"],
    "additionalProperties": False,
}
TAGGED = {
    "type": "object",
    "properties": {
        "tag": {"type": "string"},
        "body": {
            "oneOf": [
                {"$ref": "#/$defs/Tagged"},
                {"properties": {"tag": {"pattern": "^x"}}, "required": ["tag"], "type": "object"},
                {"type": "null"},
            ]
        },
    },
    "required": ["tag"],
    "additionalProperties": False,
}
NAMED = {
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "required": ["id"],
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
}


@pytest.mark.parametrize(
    ("document", "valid", "invalid"),
    [
        (
            {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
            [{"v": 1}, {"v": 1, "kids": [7, {"v": 2}]}],
            [{"v": 1, "kids": [{}]}, {"v": 1, "kids": [{"v": 2, "kids": [7]}]}],
        ),
        (
            {"properties": {"root": {"$ref": "#/$defs/Tagged"}}, "$defs": {"Tagged": TAGGED}},
            [
                {"root": {"tag": "a", "body": {"tag": "y"}}},
                {"root": {"tag": "a", "body": {"tag": "x", "z": 1}}},
            ],
            [{"root": {"tag": "a", "body": {"tag": "x"}}}],
        ),
        *(
            (
                NAMED | {keyword: {"type": "string"}},
                [{"id": 1}, {"id": 1, "x_1": "s"}],
                [{"id": 1, "x": 2}, {"id": 1, "X": "s"}, {"id": "1"}],
            )
            for keyword in ("additionalProperties", "unevaluatedProperties")
        ),
        *(
            ({"type": "string", "not": {"const": text}}, [text + "z", "z", "a\tb\n", ""], [text])
            for text in ('"q"', '"', "\\", "a\\b", "\\N", "é")
        ),
        (
            {"type": "object", "propertyNames": {"not": {"const": "\\"}}},
            [{"a": 1}, {"\\\\": 1}],
            [{"\\": 1}],
        ),
        (
            {
                "type": "object",
                "properties": {"land": {"type": "string"}, "zip": {"pattern": "^[0-9]{5}$"}},
                "allOf": [
                    {"properties": {"zip": {"type": "string"}}},
                    {
                        "if": {"properties": {"land": {"const": "IS"}}},
                        "then": {"properties": {"zip": {"maxLength": 3}}},
                    },
                    {"if": {"required": ["pay"]}, "then": {"required": ["card"]}},
                ],
            },
            [{"land": "IS"}, {"land": "US", "zip": "12345"}],
            [{"land": "IS", "zip": "12345"}, {"land": "IS", "zip": "123"}],
        ),
        (
            {"type": "object", "properties": TWICE_EMPTY, "$defs": EMPTY},
            [{}, {"c": 1}],
            [{"a": ""}, {"b": "b"}],
        ),
    ],
)
def test_a_grammar_has_all_valid_values_and_no_others(walk, document, valid, invalid):
    def is_written(value):
        return walk(document, json.dumps(value, ensure_ascii=False)).is_complete

    assert [value for value in valid if not is_written(value)] == []
    assert [value for value in invalid if is_written(value)] == []


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
        {"type": "array", "items": {"type": "integer"}, "contains": {"type": "string"}},
        {"type": "array", "prefixItems": [{"minLength": 2, "type": "string"}], "items": False}
        | {"contains": {"type": "string", "maxLength": 1}},
        {"type": "object", "properties": TWICE_EMPTY, "required": ["a"], "$defs": EMPTY},
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
