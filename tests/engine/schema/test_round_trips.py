"""The languages of a schema say the same: notation, JSON Schema and Pydantic classes."""

import json
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from steer_engine.schema import (
    column_plan,
    describe,
    read_schema,
    validation_error,
    write_json,
    write_notation,
    write_pydantic,
)
from steer_engine.schema.lowering import lowered
from steer_engine.schema.shapes import closed_object, enumeration, union

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.text("abcXYZ019_ é'\"\\#/{}[]|,:=", min_size=1, max_size=8)
names = st.one_of(
    st.sampled_from(["name", "date", "str", "class", "copy", "model_x", "_a", "my col", "Größe"]),
    words,
)
descriptions = words.map(str.strip).filter(bool).map(lambda text: " ".join(text.split()))
wholes = st.integers(-(10**6), 10**6)
floats = st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 3) + 0.0)


def with_range(type_name, numbers):
    def bounded(bounds, sides):
        low, high = sorted(bounds)
        limits = {"minimum": low, "maximum": high}
        return {"type": type_name} | {key: limits[key] for key in sides}

    sides = st.sets(st.sampled_from(["minimum", "maximum"])).map(sorted)
    return st.builds(bounded, st.tuples(numbers, numbers), sides)


scalars = st.one_of(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "boolean"},
            {"type": "array"},
            {"type": "object"},
            {"type": "string", "x-steer": {"verbatim": True}},
            {"type": "string", "pattern": "^(?:[a-z]+/\\d{2})$"},
        ]
    ),
    st.sampled_from(["date", "date-time", "time", "email", "uri", "uuid"]).map(
        lambda name: {"type": "string", "format": name}
    ),
    with_range("integer", wholes),
    with_range("number", floats),
    st.lists(st.one_of(words, wholes, st.booleans()), min_size=1, max_size=3).map(enumeration),
)


def objects(children):
    def described(properties):
        return closed_object(
            {
                name: {**schema, **({"description": note} if note else {})}
                for name, (schema, note) in properties.items()
            }
        )

    fields = st.tuples(children, st.one_of(st.just(""), descriptions))
    return st.dictionaries(names, fields, min_size=1, max_size=4).map(described)


types = st.recursive(
    scalars,
    lambda children: st.one_of(
        objects(children),
        children.map(lambda items: {"type": "array", "items": items}),
        children.map(lambda values: {"type": "object", "additionalProperties": values}),
        children.map(lambda member: union([member, {"type": "null"}])),
        st.lists(children, min_size=2, max_size=3).map(union),
    ),
    max_leaves=6,
)
documents = st.one_of(
    objects(types), objects(types).map(lambda items: {"type": "array", "items": items})
)


@given(documents)
@QUICK
def test_notation_reads_back_as_the_same_document(document):
    schema = read_schema(document)
    text = write_notation(schema)
    assert text is not None
    again = read_schema(text)
    assert write_notation(again) == text
    assert again.document == document
    assert write_json(again) == write_json(read_schema(text))


@given(documents)
@QUICK
def test_order_of_properties_survives_the_notation(document):
    text = write_notation(read_schema(document))
    assert [c.path for c in column_plan(read_schema(text))] == [
        c.path for c in column_plan(read_schema(document))
    ]


@given(documents)
@QUICK
def test_pydantic_source_reads_back_as_the_same_document(document):
    schema = read_schema(document)
    source = write_pydantic(schema)
    assert source is not None
    assert with_sorted_enums(read_schema(last_class(source)).document) == with_sorted_enums(
        document
    )


def with_sorted_enums(value):
    """Python takes `int | Literal["a", "b"]` and `int | Literal["b", "a"]` for one union."""
    if isinstance(value, list):
        return [with_sorted_enums(item) for item in value]
    if isinstance(value, dict):
        enum = {"enum": sorted(map(repr, value["enum"]))} if "enum" in value else {}
        return {key: with_sorted_enums(item) for key, item in value.items()} | enum
    return value


@given(documents)
@QUICK
def test_json_text_keeps_the_order_of_keys(document):
    text = json.dumps(document, ensure_ascii=False)
    assert write_json(read_schema(text)) == text
    assert write_json(read_schema(write_json(read_schema(text), indent=2))) == text


@given(documents)
@QUICK
def test_what_the_notation_says_can_be_enforced(document):
    schema = read_schema(document)
    assert all(clause.treatment != "refused" for clause in lowered(schema.document).clauses)
    assert describe(schema) == write_notation(schema)


@given(documents.flatmap(lambda document: st.tuples(st.just(document), values_of(document))))
@QUICK
def test_values_that_were_made_for_a_schema_are_valid(made):
    document, value = made
    assert validation_error(read_schema(document), value) is None


def last_class(source):
    namespace = {"__name__": __name__}  # Pydantic looks its module up
    exec(source, namespace)  # noqa: S102 - it is our own text
    name = re.findall(r"^class (\w+)", source, re.MULTILINE)[-1]
    written = namespace[name]
    assert issubclass(written, BaseModel)
    return written


EXAMPLES = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T23:59:59Z",
    "time": "23:59:59+02:00",
    "email": "a.b@example.org",
    "uri": "https://example.org/a?b#c",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}


def values_of(schema):
    """Values of the schemas above, and of no others."""
    if "anyOf" in schema:
        return st.one_of([values_of(member) for member in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([values_of_type(kind, schema) for kind in kinds])


def values_of_type(kind, schema):
    limits = schema.get("minimum"), schema.get("maximum")
    finite = {"allow_nan": False, "allow_infinity": False}
    make = {
        "null": st.none,
        "boolean": st.booleans,
        "integer": lambda: st.integers(*limits),
        "number": lambda: st.floats(*limits, **finite),
        "array": lambda: st.lists(values_of(schema["items"]) if "items" in schema else words),
        "object": lambda: objects_of(schema),
        "string": lambda: strings_of(schema),
    }
    return make[kind]()


def objects_of(schema):
    if "properties" in schema:
        fields = {name: values_of(child) for name, child in schema["properties"].items()}
        return st.fixed_dictionaries(fields)
    values = schema.get("additionalProperties")
    return st.dictionaries(words, values_of(values) if values else words, max_size=2)


def strings_of(schema):
    if "pattern" in schema:
        return st.just("ab/12")
    return st.just(EXAMPLES[schema["format"]]) if "format" in schema else words
