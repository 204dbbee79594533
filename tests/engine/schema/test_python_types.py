"""Pydantic's schemas, brought into the form of the notation."""

import json
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Literal, NamedTuple, TypedDict
from uuid import UUID

import pydantic
import pytest
from pydantic import (
    AnyUrl,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FileUrl,
    HttpUrl,
    NaiveDatetime,
    RootModel,
    TypeAdapter,
    UrlConstraints,
    ValidationError,
    create_model,
)

from steer_engine.errors import SchemaError
from steer_engine.schema import (
    ColumnKind,
    column_plan,
    describe,
    read_schema,
    validation_error,
    write_notation,
)
from steer_engine.schema.lowering import lowered


class Urgency(Enum):
    """How fast."""

    LOW = "low"
    HIGH = "high"


class Customer(BaseModel):
    name: str = Field(description="in\n  full", title="Full name")
    site: AnyUrl | None = None


class Ticket(BaseModel):
    """What a
    mail says."""

    urgency: Literal["low", "high"] = "low"
    due: date | None = None
    buyer: Customer = Field(description="who pays")
    others: list[Customer]
    amount: Decimal = Field(ge=0)
    age: Annotated[int, Field(ge=0, le=120)] | None
    extra: dict
    tags: list


def test_a_class_is_what_the_notation_says():
    schema = read_schema(Ticket)
    assert schema.name == "Ticket"
    text = (
        '"""What a mail says."""\n'
        'urgency: "low" | "high" = "low"\n'
        "due: date | None = None\n"
        "buyer: {  # who pays\n    name: str  # in full\n    site: url | None = None\n}\n"
        "others: list[{\n    name: str  # in full\n    site: url | None = None\n}]\n"
        "amount: float 0.0..\n"
        "age: int 0..120 | None\n"
        "extra: dict\n"
        "tags: list"
    )
    assert write_notation(schema) == text
    assert read_schema(text).text == schema.text


def test_enums_are_inlined_and_describe_their_field():
    class Model(BaseModel):
        urgency: Urgency | None
        all_of_them: list[Urgency] = Field(description="every one")

    assert write_notation(read_schema(Model)) == (
        'urgency: "low" | "high" | None  # How fast.\n'
        'all_of_them: list["low" | "high"]  # every one'
    )


def test_a_class_that_allows_more_stays_open():
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        a: int = 1

    document = read_schema(Open).document
    assert document["additionalProperties"] is True
    assert document["required"] == ["a"]


def test_a_class_of_rows():
    class Dogs(RootModel[list[Customer]]):
        pass

    assert read_schema(Dogs).name == "Dogs"
    assert write_notation(read_schema(Dogs)).startswith("[\n    name: str")


class Tree(BaseModel):
    children: "list[Tree]"


def test_recursion_keeps_its_definitions():
    schema = read_schema(Tree)
    assert schema.name == "Tree"
    assert schema.document["$ref"] == "#/$defs/Tree"
    assert schema.document["$defs"]["Tree"]["additionalProperties"] is False


def test_decimals_are_numbers_with_their_bounds():
    bounds = Field(gt=1, lt=5, multiple_of=Decimal("0.5"))
    schema = read_schema(list[Annotated[Decimal, bounds]]).document["items"]
    assert schema == {
        "type": "number",
        "exclusiveMinimum": 1,
        "exclusiveMaximum": 5,
        "multipleOf": 0.5,
    }
    assert read_schema(list[Annotated[Decimal, Field(le=5)]]).document["items"]["maximum"] == 5


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (
            {"max_digits": 5, "decimal_places": 2},
            {"exclusiveMinimum": -1000, "exclusiveMaximum": 1000, "multipleOf": 0.01},
        ),
        ({"decimal_places": 0}, {"multipleOf": 1}),
        ({"decimal_places": 1, "multiple_of": 0.25}, {"multipleOf": 0.5}),
        ({"decimal_places": 2, "multiple_of": Decimal(3)}, {"multipleOf": 3}),
        ({"decimal_places": 400}, {}),
        ({"max_digits": 400}, {}),
        (
            {"max_digits": 2, "decimal_places": 4},
            {"exclusiveMinimum": -1, "exclusiveMaximum": 1, "multipleOf": 0.01},
        ),
        (
            {"max_digits": 2, "ge": 0, "le": 500},
            {"minimum": 0, "maximum": 500, "exclusiveMaximum": 100, "multipleOf": 0.01},
        ),
        (
            {"max_digits": 2, "gt": -500, "le": 9},
            {"exclusiveMinimum": -100, "maximum": 9, "multipleOf": 0.01},
        ),
    ],
)
def test_digits_of_decimals_are_bounds_and_multiples(limits, expected):
    schema = read_schema(list[Annotated[Decimal, Field(**limits)]]).document["items"]
    assert schema == {"type": "number", **expected}


class Level(IntEnum):
    LOW = 1
    HIGH = 2


NOON = datetime.fromisoformat("2024-01-01T12:00:00")


class Item(BaseModel):
    n: int = 1


@pytest.mark.parametrize(
    ("annotation", "default", "written"),
    [
        (Decimal, Decimal("1.50"), "float = 1.5"),
        (Decimal | None, Decimal(2), "float | None = 2.0"),
        (NaiveDatetime, NOON, None),
        (datetime, NOON, 'datetime = "2024-01-01T12:00:00"'),
        (time, time(9), 'time = "09:00:00"'),
        (Item, {}, "{\n    n: int = 1\n} = {}"),
    ],
)
def test_defaults_as_pydantic_writes_them_are_told(annotation, default, written):
    schema = read_schema(create_model("Row", a=(annotation, default)))
    if written is not None:
        assert write_notation(schema) == f"a: {written}"
        assert read_schema(write_notation(schema)).document == schema.document
    assert describe(schema) == f"a: {written or 'datetime = ' + json.dumps(default.isoformat())}"


@pytest.mark.parametrize(
    ("annotation", "right", "wrong"),
    [
        (dict[int, str], ["0", "-12"], ["a", "1.5", "01", ""]),
        (dict[float, str], ["0", "-1.5"], ["a", "1."]),
        (dict[bool, str], ["true"], ["a"]),
        (dict[Level, str], ["1", "2"], ["3", "LOW"]),
        (dict[date, str], ["2000-01-01"], ["a"]),
        (dict[Annotated[str, Field(pattern="^x")], str], ["x", "xy"], ["a"]),
    ],
)
def test_names_are_what_pydantic_reads_as_keys(annotation, right, wrong):
    schema = read_schema(annotation)
    for name in right:
        assert validation_error(schema, {name: "b"}) is None
        TypeAdapter(annotation).validate_json(json.dumps({name: "b"}))
    for name in wrong:
        assert validation_error(schema, {name: "b"}) is not None


def test_a_url_has_the_schemes_of_its_type():
    schema = read_schema(list[HttpUrl])
    assert validation_error(schema, ["https://a.org", "http://a"]) is None
    for wrong in ("mailto:a@b.org", "http://", "http://:80", "ftp://a.org"):
        assert validation_error(schema, [wrong]) is not None
    assert validation_error(read_schema(list[FileUrl]), ["file:///a"]) is None
    mail = read_schema(list[Annotated[AnyUrl, UrlConstraints(allowed_schemes=["mailto"])]])
    assert validation_error(mail, ["mailto:a@b.org"]) is None
    assert validation_error(mail, ["https://a.org"]) is not None


class Point(NamedTuple):
    x: int
    y: float = 1.0


def test_every_field_of_a_named_tuple_is_required():
    schema = read_schema(Point)
    assert validation_error(schema, [1, 2.5]) is None
    assert validation_error(schema, [1]) is not None
    longer = Annotated[Point, Field(json_schema_extra={"minItems": 3})]
    assert read_schema(longer).document["minItems"] == 3


@pytest.mark.parametrize("version", [1, 3, 4, 5, 6, 7, 8])
def test_a_uuid_of_one_version_is_what_pydantic_takes(version):
    kind = getattr(pydantic, f"UUID{version}")
    schema = read_schema(kind)
    for other in range(10):
        for variant in "078bBcf":
            text = f"4b5c0000-0000-{other}000-{variant}000-00000000000a"
            try:
                is_valid = bool(TypeAdapter(kind).validate_python(text))
            except ValidationError:
                is_valid = False
            assert (validation_error(schema, text) is None) == is_valid, text
    [column] = column_plan(schema)
    assert column.kind is ColumnKind.UUID
    assert describe(schema) == describe(read_schema(UUID))


@pytest.mark.parametrize("text", ["2024-02-29T23:59:59", "2023-01-31T00:00:00.25"])
def test_a_naive_date_time_has_no_offset(text, compile_mask):
    schema = read_schema(NaiveDatetime)
    split = lowered(schema.document)
    mask = compile_mask(split.masked)
    assert split.guarded is True
    assert mask.allows(f'"{text}"')
    assert not mask.allows(f'"{text}Z"')
    assert validation_error(schema, text) is None
    assert TypeAdapter(NaiveDatetime).validate_python(text).tzinfo is None
    for wrong in (f"{text}Z", f"{text}+01:00", text[:10], f"2023-02-29{text[10:]}"):
        assert validation_error(schema, wrong) is not None


@pytest.mark.parametrize("kind", [NaiveDatetime, NaiveDatetime | None, AwareDatetime])
def test_every_date_time_is_a_column_of_them_and_told_as_one(kind):
    class Model(BaseModel):
        at: kind

    schema = read_schema(Model)
    [column] = column_plan(schema)
    assert column.kind is ColumnKind.DATETIME
    assert describe(schema) in ("at: datetime", "at: datetime | None")


def test_an_aware_date_time_has_an_offset():
    assert validation_error(read_schema(AwareDatetime), "2024-02-29T23:59:59Z") is None
    assert validation_error(read_schema(AwareDatetime), "2024-02-29T23:59:59") is not None


class Opaque:
    pass


class Holder(TypedDict):
    it: "Nowhere"  # noqa: F821 - that is the test


@pytest.mark.parametrize("source", [Opaque, list[Opaque]])
def test_what_pydantic_cannot_describe_is_one_line(source):
    with pytest.raises(SchemaError, match=r"Pydantic cannot describe .*Opaque") as caught:
        read_schema(source)
    assert "\n" not in str(caught.value)


def test_a_name_that_leads_nowhere():
    with pytest.raises(SchemaError, match="Nowhere"):
        read_schema(Holder)
