"""What the mask cannot know: a model that wants invalid values writes valid ones."""

import json

import pytest

from steer_engine import Engine, Request, RowDone, RowFailed, StepsUndone, read_schema
from steer_engine.backends.fake import FakeBackend
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows
from steer_engine.prompting import Message

COMPILER = GrammarCompiler(FakeBackend().vocabulary)
VOCABULARY = FakeBackend().vocabulary
NAMES = {"type": "string", "maxLength": 3}

CASES = [
    ({"type": "array", "items": NAMES, "uniqueItems": True, "minItems": 3}, '["a", "a", "a"]'),
    ({"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True}, "[1, 2, 1]"),
    *(
        ({"type": "array", "items": items, "uniqueItems": True, "minItems": n}, text)
        for items, n, text in (
            ({"type": "integer", "minimum": 5, "maximum": 14}, 10, f"[{', '.join(['10'] * 10)}]"),
            ({"enum": ["no", "yes", "none", "yet"]}, 4, '["none", "none", "none", "none"]'),
        )
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer", "maximum": 9}}
        | {"propertyNames": {"enum": ["food", "fun", "price"]}, "minProperties": 3},
        '{"food": 1, "food": 2, "food": 3}',
    ),
    ({"const": 2**53 + 1}, "71"),
    ({"type": "string", "not": {"enum": ["no", "never"]}, "maxLength": 9}, '"no"'),
    (
        {"type": "array", "items": {"type": "integer", "maximum": 9, "minimum": 0}, "maxItems": 4}
        | {"contains": {"const": 7}},
        "[1, 2]",
    ),
    (
        {
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}, "size": {"type": "integer"}, "n": NAMES},
            "required": ["kind"],
            "additionalProperties": False,
            "if": {"properties": {"kind": {"const": "a"}}},
            "then": {"required": ["size"]},
            "else": {"required": ["n"]},
        },
        '{"kind": "a"}',
    ),
    (
        {
            "type": "object",
            "properties": {"card": {"type": "integer"}, "address": NAMES, "late": NAMES},
            "additionalProperties": False,
            "dependentRequired": {"late": ["address"]},
        },
        '{"late": "x"}',
    ),
    (
        {"type": "object", "properties": {"a": NAMES, "b": NAMES, "c": NAMES}}
        | {"additionalProperties": False, "minProperties": 2},
        '{"c": "x"}',
    ),
    (
        {"oneOf": [{"type": "integer", "minimum": 3}, {"type": "integer", "maximum": 5}]},
        "4",
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer", "maximum": 9}}
        | {"propertyNames": {"not": {"const": "x"}}, "maxProperties": 2},
        '{"x": 1, "y": 2, "z": 3}',
    ),
    ({"type": "string", "format": "date", "pattern": "^2024-"}, '"2024-02-30"'),
    ({"type": "number", "exclusiveMinimum": 0, "maximum": 1e-9}, f"0.{'0' * 350}1"),
    ({"type": "number", "minimum": 1e20}, "7"),
]


def run(document, wish, *, max_tokens=400):
    schema = read_schema(document)
    request = Request(0, (Message("user", "?"),), schema, max_tokens=max_tokens)
    with Engine(FakeBackend(wish)) as engine:
        return list(engine.run([request]))


@pytest.mark.parametrize(("document", "wish"), CASES)
def test_a_model_that_wants_an_invalid_value_writes_a_valid_one(document, wish):
    *_, end, _ = run(document, wish)
    assert isinstance(end, RowDone), end.error
    assert end.text != wish
    assert json.loads(end.text) == end.record  # checked against the schema by the engine


def test_a_refused_token_changes_nothing_but_the_mask():
    matcher = COMPILER.compile(read_schema(CASES[0][0])).matcher()
    for token in VOCABULARY.tokenize('["a", "a', parse_special=False):
        assert matcher.accept(token)
    quote, mask = ord('"'), allocate_mask(VOCABULARY.vocab_size)
    matcher.fill_mask(mask)
    assert allows(mask, quote)
    assert not matcher.accept(quote)
    assert "uniqueItems" in matcher.refusal
    matcher.fill_mask(mask)
    assert not allows(mask, quote)
    assert allows(mask, ord("b"))
    assert matcher.accept(ord("b"))


def test_rollback_forgets_refusals_and_narrower_grammars():
    matcher = COMPILER.compile(read_schema(CASES[0][0])).matcher()
    text = VOCABULARY.tokenize('["a", "a', parse_special=False)
    first, mask = allocate_mask(VOCABULARY.vocab_size), allocate_mask(VOCABULARY.vocab_size)
    for token in text:
        matcher.accept(token)
    matcher.fill_mask(first)
    matcher.accept(ord('"'))
    matcher.examine()
    matcher.accept(ord("b"))
    matcher.rollback(3)
    for token in text[-2:]:
        assert matcher.accept(token)
    matcher.fill_mask(mask)
    assert mask.tolist() == first.tolist()


def test_a_grammar_for_what_was_written_is_not_put_in_force_for_other_text():
    numbers = {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True}
    document = {
        "type": "object",
        "properties": {"m": {"enum": ["p", "q"]}, "t": numbers, "k": {"type": "integer"}}
        | {"v": {"type": "string", "maxLength": 9}},
        "required": ["m", "t", "k", "v"],
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"k": {"multipleOf": 3}}},
                "then": {"properties": {"v": {"const": "\0x"}}},
            },
            {
                "if": {"properties": {"m": {"const": "p"}}},
                "then": {"properties": {"k": {"enum": [3, 5]}}},
            },
        ],
    }
    grammar = COMPILER.compile(read_schema(document))

    def write(matcher, text):
        assert all(matcher.accept(byte) for byte in text.encode())

    matcher, fresh = grammar.matcher(), grammar.matcher()
    write(matcher, '{"m": "p", "t": [], "k": 3, "v": "')
    assert not matcher.accept(ord("a"))
    n_proposed = matcher.examine()
    assert n_proposed
    matcher.rollback(len('p", "t": [], "k": 3, "v": "'))
    write(matcher, 'q", "t": [], "k": 7, "v": "')
    matcher.rollback(n_proposed)
    write(fresh, '{"m": "q", "t": [], "k": 7')
    masks = [allocate_mask(VOCABULARY.vocab_size) for _ in range(2)]
    for each, mask in zip((matcher, fresh), masks, strict=True):
        each.fill_mask(mask)
    assert masks[0].tolist() == masks[1].tolist()


def test_a_copy_moves_on_its_own():
    matcher = COMPILER.compile(read_schema(CASES[0][0])).matcher()
    for token in VOCABULARY.tokenize('["a", "', parse_special=False):
        matcher.accept(token)
    twin = matcher.copy()
    assert twin.accept(ord("b"))
    assert matcher.accept(ord("a"))
    assert not matcher.accept(ord('"'))
    assert twin.accept(ord('"'))


def test_a_row_that_cannot_be_finished_names_keyword_and_place():
    # The mask knows no look-ahead, and no text of one character satisfies this one.
    events = run({"type": "string", "maxLength": 1, "pattern": "^(?=zz)"}, '"a"')
    end = events[-2]
    assert isinstance(end, RowFailed)
    assert "`pattern` at the root is not met by the value at the root" in str(end.error)
    assert 10 < len([event for event in events if isinstance(event, StepsUndone)]) < 100


def test_a_value_too_deep_to_be_looked_at_again_is_still_judged():
    """The error was not the row's but that of the whole run."""
    node = {
        "type": "object",
        "properties": {
            "v": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
            "c": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/n"}]},
        },
        "required": ["v", "c"],
        "additionalProperties": False,
    }
    wish = '{"v": [], "c": ' * 105 + '{"v": [1, 1], "c": null}' + "}" * 105
    *_, end, _ = run({"$ref": "#/$defs/n", "$defs": {"n": node}}, wish, max_tokens=3000)
    assert isinstance(end, RowDone), end.error
    assert end.text.startswith(wish[: wish.index("1]")])


def test_what_only_an_unwritable_text_could_complete_is_taken_back():
    document = {
        "type": "object",
        "properties": {"k": {"type": "integer"}, "v": {"type": "string", "maxLength": 9}},
        "required": ["k", "v"],
        "additionalProperties": False,
        "if": {"properties": {"k": {"multipleOf": 3}}},
        "then": {"properties": {"v": {"const": "\0x"}}},
    }
    *_, end, _ = run(document, '{"k": 3, "v": "a"}')
    assert isinstance(end, RowDone), end.error
    assert end.record["k"] % 3


@pytest.mark.parametrize(
    "document",
    [
        True,
        {"type": "object", "properties": {"a": True}, "additionalProperties": False},
        {"type": "object", "patternProperties": {"^a+$": True}, "additionalProperties": False},
    ],
)
def test_a_key_is_never_written_twice_wherever_it_stands(document):
    *_, end, _ = run(document, '{"a": {"a": 1, "a": 2}, "a": 3}')
    # The engine reads the answer again, and a key that is there twice would be a defect.
    assert isinstance(end, RowDone), end.error
