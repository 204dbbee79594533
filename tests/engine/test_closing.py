"""A text can be ended from wherever it stands, and a row stays inside its budget."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steer_engine import (
    BudgetError,
    Choices,
    Engine,
    Regex,
    Request,
    RowDone,
    Sampling,
    compose,
    read_schema,
    validation_error,
)
from steer_engine.backends.fake import FakeBackend
from steer_engine.backends.llamacpp_vocabulary import read_vocabulary
from steer_engine.byte_index import ByteIndex
from steer_engine.closing import (
    Closer,
    check_budget,
    completes,
    shortest_answer,
    shortest_completion,
    start_of,
)
from steer_engine.grammar import GrammarCompiler
from steer_engine.models import embedded_path
from steer_engine.steps import Step
from steer_engine.text_place import Place

BACKEND = FakeBackend()
COMPILER = GrammarCompiler(BACKEND.vocabulary)
INDEX = ByteIndex(BACKEND.vocabulary)


def at(schema, written=""):
    """A matcher of `schema` that has read `written`."""
    matcher = COMPILER.compile(schema).matcher()
    for token in BACKEND.vocabulary.tokenize(written, parse_special=False):
        assert matcher.accept(token)
    return matcher


def closed(source, written="", *, max_tokens=300):
    """The whole text once it is closed the shortest way that is found."""
    schema = read_schema(source)
    place, hints = start_of(schema)
    tokens = shortest_completion(
        at(schema, written),
        INDEX,
        max_tokens=max_tokens,
        place=place.after(written.encode()),
        hints=hints,
    )
    assert tokens is not None
    return written + BACKEND.vocabulary.spell(tokens).decode()


TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "left": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "others": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "left", "others"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
KINDS = {
    "$defs": {
        "part": {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {
                        "kind": {"const": "group"},
                        "of": {"type": "array", "items": {"$ref": "#/$defs/part"}, "minItems": 2},
                    },
                    "required": ["kind", "of"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"kind": {"const": "one"}},
                    "required": ["kind"],
                    "additionalProperties": False,
                },
            ]
        }
    },
    "$ref": "#/$defs/part",
}


@pytest.mark.parametrize(
    ("source", "written", "text"),
    [
        ("a: str, b: int", "", '{"a": "", "b": 0}'),
        ("a: str, b: int", '{"a": "x\\"y', '{"a": "x\\"y", "b": 0}'),
        ("a: str, b: int", '{"a": "x\\', None),
        ("a: int, b: list[str]", '{"a": 12', '{"a": 12, "b": []}'),
        ("a: int", '{"a": -', '{"a": -0}'),
        (TREE, '{"value": 1, "left": {"val', None),
        (KINDS, "", '{"kind": "one"}'),
        (KINDS, '{"kind": "group", "of": [{', None),
        ({"type": "string", "pattern": "^a*b$"}, '"aa', '"aab"'),
        ({"type": "string", "pattern": "^[a-m]*[n-z]{2}$"}, '"aa', None),
        ({"type": "string", "pattern": r"\.json$"}, '"my', '"my.json"'),
        ({"type": "string", "minLength": 40}, "", None),
        ({"enum": ["longer", "short"]}, "", '"short"'),
        ({"type": "integer", "multipleOf": 7, "minimum": 1000}, "", None),
        ({"type": "number", "minimum": 0.5, "maximum": 0.625}, "0.", "0.5"),
        ("a: uuid, b: date, c: email", '{"a": "1234', None),
        ("a: email", '{"a": "' + 64 * "b", None),
        ({"type": "string", "format": "date", "pattern": "^2024-"}, '"20', None),
        ({"type": "string", "format": "email", "pattern": r"\.(com|org)$"}, "", None),
        ({"type": "string", "format": "idn-email", "pattern": r"@a\.com$"}, "", '"a@a.com"'),
        (
            {
                "type": "string",
                "format": "email",
                "pattern": r"@example\.com$",
                "maxLength": 254,
            },
            "",
            '"a@example.com"',
        ),
        ({"type": "number", "minimum": 1e20}, "", None),
        ({"type": "number", "maximum": -1e16}, "", None),
        ({"type": "integer", "minimum": 2**53 + 1, "maximum": 2**53 + 3}, "", None),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1e-9}, "", None),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1e-20}, "0.", None),
        (True, '[1, {"a": "x', '[1, {"a": "x"}]'),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, '["", "', None),
        ({"type": "array", "contains": {"const": "x"}, "minItems": 2}, '["y', None),
        (
            {
                "type": "object",
                "properties": {"few": {"type": "integer"}, "must": {"type": "null"}},
                "required": ["must"],
            },
            "",
            '{"must": null}',
        ),
    ],
)
def test_a_text_is_closed_from_wherever_it_stands(source, written, text):
    found = closed(source, written)
    assert validation_error(read_schema(source), json.loads(found)) is None
    assert text in (None, found)


@pytest.mark.parametrize(
    ("form", "least"), [(Regex("a+b"), 2), (Choices(("yes", "no")), 2), (Regex("x{3}y?"), 3)]
)
def test_text_forms_are_closed_too(form, least):
    tokens = shortest_answer(at(form), INDEX, form)
    assert len(tokens) == least
    assert completes(at(form), tokens)


def test_no_completion_is_found_where_none_is_short_enough():
    schema = read_schema("a: str, b: str")
    assert shortest_completion(at(schema), INDEX, max_tokens=5) is None


def test_matchers_stay_where_they_are():
    matcher = at(read_schema("a: str"), '{"a": "x')
    before = matcher.copy()
    shortest_completion(matcher, INDEX, max_tokens=20, place=Place(in_string=True))
    end = BACKEND.vocabulary.tokenize('y"}', parse_special=False)
    assert completes(matcher, end)
    assert completes(before, end)


SCHEMAS = [
    'name: str, mood: "good" | "bad", tags: list[str], born: int | None',
    "a: date, b: list[{c: email, d: float}]",
    TREE,
    KINDS,
    {
        "type": "array",
        "items": {"type": "string", "maxLength": 3},
        "uniqueItems": True,
        "minItems": 2,
    },
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "boolean"}},
    {"not": {"type": ["number", "object"]}},
]


@settings(max_examples=25)
@given(st.sampled_from(SCHEMAS), st.integers(0, 60), st.integers(0, 1000))
def test_every_budget_that_is_let_through_gives_a_valid_answer(source, spare, seed):
    schema = read_schema(source)
    least = len(shortest_answer(at(schema), INDEX, schema))
    request = Request(
        0,
        compose("x", schema),
        schema,
        Sampling(temperature=3.0, seed=seed),
        max_tokens=least + spare,
    )
    with Engine(FakeBackend()) as engine:
        *_, done, _ = engine.run([request])
    assert isinstance(done, RowDone), done.error
    assert validation_error(schema, done.record) is None
    assert done.finish_reason in ("stop", "length")


def test_less_than_the_shortest_answer_is_refused():
    schema = read_schema("a: str, b: int")
    least = len(shortest_answer(at(schema), INDEX, schema))
    with Engine(FakeBackend()) as engine, pytest.raises(BudgetError, match=f"has {least} tokens"):
        list(engine.run([Request(0, compose("x", schema), schema, max_tokens=least - 1)]))


@pytest.mark.parametrize(
    ("document", "least"),
    [
        ({"type": "string", "minLength": 5000}, 5002),
        ({"type": "array", "items": {"type": "string"}, "minItems": 50_000}, 199_000),
    ],
)
def test_a_form_that_is_long_in_plain_words_is_refused_where_no_answer_is_found(document, least):
    schema = read_schema(document)
    with pytest.raises(BudgetError, match="no answer of this form has fewer than ") as caught:
        check_budget(at(schema), INDEX, schema, max_tokens=200)
    n_least = int(re.search(r"fewer than (\d+) tokens", str(caught.value))[1])
    assert n_least * 5 >= least  # no token of this vocabulary spells more than 5 bytes


def test_a_row_that_left_no_room_goes_back():
    schema = read_schema(
        {"type": "array", "items": {"type": "array", "minItems": 30, "items": {"type": "integer"}}}
    )
    closer = Closer(INDEX, at(schema), schema, max_tokens=12)
    steps = [Step(token, b"[", "chosen", "") for token in (ord("["), ord("["))]
    steps += [Step(ord("1"), b"1", "chosen", "")] * 4
    closing = closer.exceeded(at(schema, "[["), steps)
    assert closing.n_undone == len(steps)
    assert BACKEND.vocabulary.spell(closing.tokens) == b"[]"


def test_the_embedded_vocabulary_closes_in_few_tokens():
    vocabulary = read_vocabulary(embedded_path())
    index = ByteIndex(vocabulary)
    schema = read_schema("name: str, tags: list[str]")
    matcher = GrammarCompiler(vocabulary).compile(schema).matcher()
    tokens = shortest_answer(matcher, index, schema)
    assert json.loads(vocabulary.spell(tokens)) == {"name": "", "tags": []}
    assert tokens == index.fewest_tokens(vocabulary.spell(tokens))
