"""The source of Pydantic classes."""

import pytest

from steer_engine.schema import read_schema, write_pydantic
from steer_engine.schema.shapes import closed_object

SOURCE = '''from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Customer(BaseModel):
    name: str = Field(description="full name")
    date_: date | None = Field(default=None, alias="date")


class Ticket(BaseModel):
    """What a mail says."""

    customer: Customer | None = Field(description="the buyer")
    urgency: Literal["low", "high", None] = "low"
    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    age: Annotated[int, Field(ge=0, le=120)]
    my_col: dict[str, list[float]] = Field(alias="my col")
'''


def test_a_schema_as_a_person_would_write_it():
    text = '''"""What a mail says."""
customer: {  # the buyer
    name: str  # full name
    date: date | None = None
} | None
urgency: "low" | "high" | None = "low"
email: email
age: int 0..120
"my col": dict[str, list[float]]
'''
    assert write_pydantic(read_schema(text, name="Ticket")) == SOURCE


def test_a_list_of_rows_is_a_root_model():
    source = write_pydantic(read_schema("[name: str]  # all dogs", name="Dogs"))
    assert source.endswith(
        "class DogsItem(BaseModel):\n    name: str\n\n\n"
        'class Dogs(RootModel[list[DogsItem]]):\n    """all dogs"""\n'
    )


def test_names_of_classes_do_not_meet():
    source = write_pydantic(
        read_schema(
            "a: {x: {p: str}}, b: {x: {p: str}}, X2: int, literal: {q: str}, '1': {r: str}, 'é': {}"
        )
    )
    assert "class X(BaseModel):" in source
    assert "class X3(BaseModel):" in source
    assert "class Literal2(BaseModel):" in source
    assert "class Part1(BaseModel):" in source
    assert "class Part(BaseModel):\n    pass" in source


def test_constraints_the_notation_lacks():
    item = {"type": "string", "minLength": 1, "pattern": "a"}
    tags = {"type": "array", "items": item, "minItems": 1, "maxItems": 3}
    source = write_pydantic(read_schema(closed_object({"tags": tags})))
    assert (
        'tags: Annotated[list[Annotated[str, Field(pattern="a", min_length=1)]], '
        "Field(min_length=1, max_length=3)]"
    ) in source


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ({**TEXT, "pattern": "(?=a)b"}, 'Annotated[str, Field(json_schema_extra={"pattern": '),
        ({**TEXT, "pattern": r"(a)\1", "minLength": 2}, "Field(min_length=2, json_schema_extra="),
        ({**TEXT, "format": "date", "pattern": "^2"}, "Annotated[date, Field(json_schema_extra="),
        ({**TEXT, "format": "email", "minLength": 5}, "Field(min_length=5)"),
        ({"type": "integer", "minimum": 0.5}, 'Field(json_schema_extra={"minimum": 0.5})'),
        ({"type": "integer", "minimum": 1}, "Annotated[int, Field(ge=1)]"),
        ({"type": "integer", "minimum": 1.0}, "Annotated[int, Field(ge=1.0)]"),
        ({"type": "number", "minimum": 10**400}, "Annotated[float, Field(json_schema_extra="),
        ({**TEXT, "minLength": 2.0}, 'Field(json_schema_extra={"minLength": 2.0})'),
        (
            {"type": "array", "items": TEXT, "minItems": 1, "minLength": 2},
            'Field(min_length=1, json_schema_extra={"minLength": 2})',
        ),
    ],
)
def test_what_pydantic_cannot_check_is_said_all_the_same(field, written):
    schema = read_schema(closed_object({"a": field}))
    source = write_pydantic(schema)
    assert written in source
    namespace = {"__name__": __name__}
    exec(source, namespace)  # noqa: S102 - it is our own text
    assert read_schema(namespace["Answer"]).document == schema.document


def test_attributes_that_python_cannot_spell():
    names = ["class", "copy", "model_dump", "_x", "1a", "--", "a b", "a_b", "ﬁ"]
    source = write_pydantic(
        read_schema(closed_object({name: {"type": "string"} for name in names}))
    )
    for name in names:
        assert name == "a_b" or f'Field(alias="{name}")' in source


@pytest.mark.parametrize(
    "document",
    [
        True,
        {"type": "object", "properties": {"a": {}}},
        closed_object({"a": True}),
        closed_object({"a": {"type": "array", "items": True}}),
        closed_object({"a": {"enum": [1.5]}}),
        closed_object({"a": {"enum": []}}),
        closed_object({"a": {"type": "string", "format": "ipv4"}}),
        closed_object({"a": {"type": "string", "description": "two\nlines"}}),
        closed_object({"a": {"minLength": 1}}),
        {**closed_object({}), "minProperties": 1},
    ],
)
def test_what_classes_cannot_say(document):
    assert write_pydantic(read_schema(document)) is None
