"""Which columns a frame of a schema's values has; the schema alone decides, never the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from steer_engine.errors import SchemaError
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue, Schema, dump
from steer_engine.schema.formats.narrower import NEAREST_FORMATS
from steer_engine.schema.references import resolved
from steer_engine.schema.shapes import alternatives


class ColumnKind(StrEnum):
    """What the values of a column are; every kind may also be null."""

    STRING = "string"
    CATEGORY = "category"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    UUID = "uuid"
    EMAIL = "email"
    URI = "uri"
    MIXED = "mixed"
    LIST = "list"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its unique name, and the property names that lead to its value in a record.

    An empty path means the record itself. `categories` are the values of a CATEGORY, in the
    schema's order.
    """

    name: str
    path: tuple[str, ...]
    kind: ColumnKind
    categories: tuple[str, ...] = ()


_FORMATS = {
    "date": ColumnKind.DATE,
    "date-time": ColumnKind.DATETIME,
    "time": ColumnKind.TIME,
    "duration": ColumnKind.DURATION,
    "uuid": ColumnKind.UUID,
    "email": ColumnKind.EMAIL,
    "uri": ColumnKind.URI,
}
_TYPES = {
    "integer": ColumnKind.INTEGER,
    "number": ColumnKind.NUMBER,
    "boolean": ColumnKind.BOOLEAN,
    "string": ColumnKind.STRING,
    "array": ColumnKind.LIST,
    "object": ColumnKind.OBJECT,
}
_PYTHON_KINDS = {
    bool: ColumnKind.BOOLEAN,
    int: ColumnKind.INTEGER,
    float: ColumnKind.NUMBER,
    str: ColumnKind.CATEGORY,
    list: ColumnKind.LIST,
    dict: ColumnKind.OBJECT,
}
_NULL: JsonObject = {"type": "null"}
_MAX_COLUMNS = 10_000
_MAX_NESTED_CHOICES = 50


def column_plan(schema: Schema) -> tuple[Column, ...]:
    """Return the columns of a frame with one row for each value, or for each item of a list.

    Objects with fixed properties are flattened to names such as `addr.city`; of two equal names the
    later one gets `_2`. Anything that is no such object is one column called `value`. Keys that an
    open object allows beside its properties have no column.
    """
    document = schema.document
    row = resolved(document, document)
    if isinstance(row, dict) and row.get("type") == "array":
        row = _items(row)
    found = islice(_columns(document, row, (), ()), _MAX_COLUMNS + 1)
    columns: dict[str, Column] = {}
    for column in found:
        name, n_same = column.name, 1
        while name in columns:
            n_same += 1
            name = f"{column.name}_{n_same}"
        columns[name] = replace(column, name=name)
    if len(columns) > _MAX_COLUMNS:
        raise SchemaError(f"a frame would have over {_MAX_COLUMNS} columns; nest less in objects")
    return tuple(columns.values())


def _items(array: JsonObject) -> JsonSchema:
    items = array.get("items", True)
    return items if isinstance(items, bool | dict) and "prefixItems" not in array else True


def _columns(
    document: JsonSchema, schema: JsonSchema, path: tuple[str, ...], trail: tuple[str, ...]
) -> Iterator[Column]:
    members = list(_members(document, schema))
    properties = _properties(members)
    shape = dump(properties)
    if properties and shape not in trail:  # an object inside itself has no end of columns
        for name, child in properties.items():
            if isinstance(child, bool | dict):
                yield from _columns(document, child, (*path, name), (*trail, shape))
        return
    kinds, categories = {_kind(member) for member in members}, _categories(members)
    kind = _joint(kinds)
    name = ".".join(path) if path else "value"
    yield Column(name, path, kind, categories if kind is ColumnKind.CATEGORY else ())


def _properties(members: list[JsonObject]) -> JsonObject:
    if len(members) != 1 or members[0].get("type") != "object":
        return {}
    properties = members[0].get("properties")
    return properties if isinstance(properties, dict) else {}


def _members(document: JsonSchema, schema: JsonSchema, depth: int = 0) -> Iterator[JsonObject]:
    """Yield the alternatives of a schema, each with one type at most, null left out."""
    schema = resolved(document, schema)
    if isinstance(schema, bool) or depth > _MAX_NESTED_CHOICES:
        yield {}
        return
    for keyword in ("anyOf", "oneOf"):
        choices = schema.get(keyword)
        if isinstance(choices, list):
            rest = {key: value for key, value in schema.items() if key != keyword}
            for choice in choices:
                if isinstance(choice, dict):
                    yield from _members(document, {"allOf": [rest, choice]}, depth + 1)
            return
    for member in alternatives(schema):
        if member != _NULL and member.get("type") != "null":
            yield member


def _values(member: JsonObject) -> list[JsonValue]:
    values = [member["const"]] if "const" in member else member.get("enum")
    return values if isinstance(values, list) else []


def _kind(member: JsonObject) -> ColumnKind:
    values = [value for value in _values(member) if value is not None]
    if values:
        return _joint({_PYTHON_KINDS[type(value)] for value in values})
    if member.get("type") == "string":
        nearest = NEAREST_FORMATS.get(str(member.get("pattern")))
        return _FORMATS.get(str(member.get("format", nearest)), ColumnKind.STRING)
    return _TYPES.get(str(member.get("type")), ColumnKind.MIXED)


def _categories(members: list[JsonObject]) -> tuple[str, ...]:
    values = [value for member in members for value in _values(member)]
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str)))


def _joint(kinds: set[ColumnKind]) -> ColumnKind:
    """Return the kind that holds values of all these kinds without changing any."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds == {ColumnKind.INTEGER, ColumnKind.NUMBER}:
        return ColumnKind.NUMBER
    if kinds == {ColumnKind.STRING, ColumnKind.CATEGORY}:
        return ColumnKind.STRING
    return ColumnKind.MIXED
