"""Every source of a schema, and what is said about what is none."""

import json
import sys
import typing
from dataclasses import dataclass
from pathlib import Path

import pytest
import typing_extensions

from steer_engine.errors import SchemaError, SchemaSyntaxError
from steer_engine.schema import Schema, read_schema

PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "born": {"type": "integer"}}}


def test_json_text_a_dict_and_a_file_are_one_schema(tmp_path):
    path = tmp_path / "person.json"
    path.write_text(json.dumps(PERSON), encoding="utf-8-sig")
    assert read_schema(json.dumps(PERSON)) == read_schema(PERSON) == read_schema(path)
    assert read_schema(PERSON).document == PERSON


def test_a_json_schema_is_not_changed():
    assert read_schema(PERSON).text == json.dumps(PERSON)


def test_a_dict_is_copied():
    document = json.loads(json.dumps(PERSON))
    schema = read_schema(document)
    document["properties"].clear()
    schema.document["properties"].clear()
    assert schema.document == PERSON


def test_names():
    assert read_schema({"title": "Person"}).name == "Person"
    assert read_schema({"title": "Person"}, name="Dog").name == "Dog"
    assert read_schema("a: str").name is None
    assert read_schema("a: str", name="Dog") == Schema(read_schema("a: str").text, "Dog")
    assert read_schema(read_schema("a: str", name="Dog")).name == "Dog"


def test_booleans_are_schemas():
    assert read_schema(True).document is True
    assert read_schema(" false ").document is False
    assert "properties" in read_schema("true_name: str").document


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ('{"type": "string",}', "not JSON: ", 1, 18 if sys.version_info >= (3, 13) else 19),
        ('{"type":\n  strin}', "not JSON: expecting value", 2, 3),
        ('{"type": "string"} {', "not JSON: extra data", 1, 20),
    ],
)
def test_malformed_json_is_pointed_at(text, message, line, column):
    with pytest.raises(SchemaSyntaxError) as caught:
        read_schema(text)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{"type": "string", "type": "integer"}', "the key 'type' is there twice"),
        ('{"minimum": 1e999}', "1e999 is too large for a JSON number"),
        ('{"minimum": NaN}', "NaN is not a JSON number"),
        ('{"minimum": ' + "1" * 5000 + "}", "the JSON text cannot be read"),
        ('{"items":' * 150 + "{}" + "}" * 150, "nested more than 100 deep"),
        ("[" * 3000, "nested more than 100 deep"),
        ('{"items":' * 100_000, "the JSON text cannot be read"),
        ({"minimum": float("inf")}, "inf at /minimum is not a JSON number"),
        ({"enum": [("a",)]}, "a tuple at /enum/0 is not JSON"),
        ({"properties": {1: {}}}, "the key 1 at /properties is not a text"),
        ({"const": "\ud83d"}, "half a surrogate pair at /const"),
        (Path("schema.yaml"), "schema.yaml is not read"),
        (Path("nowhere.json"), "nowhere.json cannot be read"),
        (5, "a schema cannot be read from a value of type int"),
        (None, "a schema cannot be read from a value of type NoneType"),
    ],
)
def test_what_is_no_schema_is_refused_with_the_place(source, message):
    with pytest.raises(SchemaError, match=r".") as caught:
        read_schema(source)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_schema(tmp_path):
    path = tmp_path / "list.json"
    path.write_text("[1]")
    with pytest.raises(SchemaError, match=r"not \[1\]"):
        read_schema(path)


@dataclass
class Point:
    x: int
    y: float = 0.0


class Options(typing_extensions.TypedDict, total=False):
    depth: int


class StandardOptions(typing.TypedDict, total=False):
    depth: typing.Annotated[int, "how deep"]
    inner: "list[Options] | None"


def test_dataclasses_and_typed_dicts():
    assert read_schema(Point).name == "Point"
    assert list(read_schema(Point).document["required"]) == ["x", "y"]
    assert read_schema(Options).document["required"] == ["depth"]
    assert read_schema(StandardOptions).document["required"] == ["depth", "inner"]


def test_annotations():
    assert read_schema(list[Point]).document["items"] == read_schema(Point).document
    assert read_schema(int | None).document == {"type": ["integer", "null"]}
    nested = read_schema(typing.Optional[dict[str, StandardOptions]])  # noqa: UP045 - users write it
    assert nested.document["anyOf"][0]["additionalProperties"]["required"] == ["depth", "inner"]
    assert read_schema(list[Point]).name is None


@pytest.mark.parametrize(
    "document",
    [
        {"enum": [f"value {i}" for i in range(100_000)]},
        {"enum": list(range(100_000))},
        {"properties": {f"p{i}": {"type": "string", "title": "x" * 200} for i in range(5_000)}},
        {"$defs": {f"d{i}": {"items": {"$ref": f"#/$defs/d{i * 7 % 5000}"}} for i in range(5_000)}},
        {"allOf": [{"anyOf": [{"required": [f"a{i}"]}, {}]} for i in range(1_000)]},
    ],
    ids=["texts", "numbers", "properties", "references", "nest"],
)
def test_large_schemas_do_not_hang(document):
    assert read_schema(document).document == document
