"""What is not edited comes back as it was, letter by letter."""

import json
import lzma
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steer_engine import SchemaError, read_schema, write_notation
from steermagic.widgets.editor_fields import (
    JSON,
    Field,
    packed_field,
    read_choices,
    unpacked_field,
    written_choices,
)
from steermagic.widgets.editor_reading import read_field
from steermagic.widgets.editor_writing import written_field

texts = st.text("ab, \"\\{}[]01.\n'ü", max_size=6)
numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    st.one_of(texts, numbers, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=3,
)
types = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
kinds = st.one_of(types, st.lists(types, max_size=3, unique=True))


def levels(inner):
    """Dictionaries of keywords in any order, as likely as not something that has no row."""
    keywords = {
        "type": kinds,
        "enum": st.lists(values, min_size=1, max_size=3),
        "const": values,
        "minimum": numbers,
        "maximum": numbers,
        "minLength": st.integers(0, 9),
        "maxItems": st.integers(0, 9),
        "format": st.sampled_from(["date", "uri", "ipv4"]),
        "pattern": st.sampled_from(["^(?:[a-z]+)$", "a", "^a$"]),
        "x-steer": st.just({"verbatim": True}),
        "title": texts,
        "description": texts,
        "default": values,
        "items": inner,
        "properties": st.dictionaries(texts, inner, max_size=3),
        "required": st.lists(texts, max_size=2, unique=True),
        "additionalProperties": inner,
        "anyOf": st.lists(st.one_of(inner, st.just({"type": "null"})), min_size=1, max_size=2),
        "$ref": st.just("#"),
    }
    some = st.lists(st.sampled_from(sorted(keywords)), max_size=5, unique=True)
    return some.flatmap(lambda names: st.fixed_dictionaries({n: keywords[n] for n in names}))


schemas = st.recursive(st.one_of(st.booleans(), levels(st.just({}))), levels, max_leaves=6)


def dumped(value):
    return json.dumps(value, ensure_ascii=False)


@given(schemas)
def test_any_schema_comes_back_from_a_browser_letter_by_letter(schema):
    field = unpacked_field(packed_field(read_field(schema)))
    assert dumped(written_field(field)) == dumped(schema)


def test_schemas_from_the_wild_come_back(shared):
    with lzma.open(shared / "maskbench_open.jsonl.xz", "rt", encoding="utf-8") as lines:
        wild = [json.loads(line)["schema"] for line, _ in zip(lines, range(300), strict=False)]
    documents = [schema for schema in wild if isinstance(schema, dict)]
    assert len(documents) == 300
    fields = [read_field(document) for document in documents]
    assert [dumped(written_field(field)) for field in fields] == [dumped(d) for d in documents]
    as_text = [
        document for document, field in zip(documents, fields, strict=True) if field.kind == JSON
    ]
    assert all(set(document) == {"anyOf"} for document in as_text)


NOTATION = '''
"""A mail."""
name: str  # who wrote it
age: int 0..120 = 3
price: float ..9.5 | None
kind: "low" | "high, very" | None = None
code: /[A-Z]{2}\\/\\d/ | None
when: date | None
quote: verbatim
tags: list[str]
flags: list[list[bool]]
buyer: {
    mail: email
    "a b": uuid
} | None
lines: list[{item: str, n: int}]
extra: dict[str, int]
'''


def test_everything_that_the_notation_has_is_drawn():
    document = read_schema(NOTATION).document
    field = read_field(document)
    found = {each.name: each.kind for each in field.fields}
    assert found == {
        "name": "str",
        "age": "int",
        "price": "float",
        "kind": "choices",
        "code": "pattern",
        "when": "date",
        "quote": "verbatim",
        "tags": "list of",
        "flags": "list of",
        "buyer": "object",
        "lines": "list of",
        "extra": "dict",
    }
    assert [each.name for each in field.fields if each.is_optional] == [
        "price",
        "kind",
        "code",
        "when",
        "buyer",
    ]
    assert dumped(written_field(field)) == dumped(document)


def forgotten(field):
    """The same field as if it were made by hand."""
    return replace(
        field, keywords=(), required=(), fields=tuple(forgotten(each) for each in field.fields)
    )


def test_what_is_made_by_hand_is_what_the_notation_means():
    schema = read_schema(NOTATION)
    by_hand = read_schema(written_field(forgotten(read_field(schema.document))))
    assert write_notation(by_hand) == write_notation(schema)
    assert dumped(by_hand.document) == dumped(schema.document)


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "string", "maxLength": 50}, {"type": "null"}], "title": "N"},
        {"type": ["object", "null"], "properties": {"a": {"const": 1}}, "required": ["a"]},
        {"description": "d", "type": "string", "enum": ["a", "b"]},
        {"type": "object", "properties": {"b": {}, "a": {}}, "required": ["a", "b"]},
        {"type": "object", "description": "", "properties": {}},
        {"type": "number", "minimum": 1.0, "multipleOf": 0.1},
    ],
)
def test_the_spellings_of_other_tools_are_drawn(schema):
    field = read_field(schema)
    assert field.kind != JSON
    assert dumped(written_field(field)) == dumped(schema)


@given(st.lists(values, max_size=4))
def test_choices_on_one_line_come_back(choices):
    assert dumped(read_choices(written_choices(choices))) == dumped(choices)


@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("low, high", ["low", "high"]),
        ('1, "1", true, null', [1, "1", True, None]),
        (' "a, b" , c d,', ["a, b", "c d"]),
        ('"a" b, NaN, 1e999', ['"a" b', "NaN", "1e999"]),
        ("", []),
    ],
)
def test_choices_are_read_as_people_write_them(line, choices):
    assert read_choices(line) == choices


def an_object(*fields):
    return Field(kind="object", fields=fields)


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (an_object(Field("a"), Field("a")), "two fields are called 'a'; rename one"),
        (Field("a", "int", low="x"), "the bound of 'a' is not JSON: 'x'"),
        (Field("a", "int", high='"1"'), "the bound of 'a' is no number: '\"1\"'"),
        (Field("a", "int", high="true"), "the bound of 'a' is no number: 'true'"),
        (Field("a", default="b"), "the default of 'a' is not JSON: 'b'; a text is written"),
        (Field("a", "choices"), "'a' has no choices; write for example: low, high"),
        (Field("a", more="[]"), "the other keywords of 'a' are a JSON object"),
        (Field("", JSON, text="{"), "the JSON Schema of the schema is not JSON: '{'"),
    ],
)
def test_what_cannot_be_written_is_named(field, problem):
    with pytest.raises(SchemaError) as caught:
        written_field(field)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"colour": ""}', '{"name": 1}', '{"kind": "float32"}', '{"fields": [1]}'],
)
def test_rows_that_are_none_are_refused(text):
    with pytest.raises(SchemaError, match="the rows of the editor cannot be read"):
        unpacked_field(text)
