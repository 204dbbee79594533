"""The canonical text of the compact notation.

Everything a model reads about a schema is written here, so a change of one blank changes prompts:
one field a line, `name: type = default  # description`, four spaces a level.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping

from steer_engine.schema import shapes
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    dump,
    properties_of,
)
from steer_engine.schema.literals import write_literal
from steer_engine.schema.notation_types import begins_type
from steer_engine.schema.references import inlined
from steer_engine.schema.tokens import Cursor
from steer_engine.schema.words import TYPES

_INDENT = "    "
_NAME = re.compile(r"[^\W\d]\w*")
# These say nothing about the values; a reader of the fields misses none of them.
_LEFT_OUT = frozenset({"title", "$schema", "$id", "$comment", "$defs", "definitions"})


class InexpressibleError(Exception):
    """A language has no words for a part of the schema."""


def write_notation(schema: Schema) -> str | None:
    """Return the canonical compact form, or None where the notation cannot say it exactly.

    Reading the text back gives a schema that allows the same values, in the same order, with the
    same descriptions and defaults; only titles and the name are lost.
    """
    try:
        return _document(bare(inlined(schema.document)))
    except InexpressibleError:
        return None


def bare(schema: JsonSchema) -> JsonObject:
    """Return one level of `schema` without titles, in the form that `shapes.union` gives."""
    if isinstance(schema, bool):
        raise InexpressibleError
    kept = {keyword: value for keyword, value in schema.items() if keyword not in _LEFT_OUT}
    return shapes.simplified(kept)


def _document(schema: JsonObject) -> str:
    if shapes.is_closed_object(schema):
        fields = _fields(schema)
        if not schema["properties"]:
            raise InexpressibleError
        return fields
    comment = _comment(schema.pop("description", None))
    items = schema.get("items")
    if set(schema) == {"type", "items"} and isinstance(items, dict):
        items = bare(items)
        if shapes.is_closed_object(items) and items["properties"]:
            return f"[{comment}\n{textwrap.indent(_fields(items), _INDENT)}\n]"
    text = _type(schema)
    # A lone word would be read as a field of that name, and braces as JSON.
    if text.startswith("{") or not begins_type(Cursor(text)):
        raise InexpressibleError
    return _with_comment(text, comment)


def _fields(schema: JsonObject) -> str:
    """Return the lines of a closed object, without its braces."""
    if not set(schema) <= {*shapes.closed_object({}), "description"}:
        raise InexpressibleError
    lines = [_field(name, value) for name, value in properties_of(schema).items()]
    return "\n".join([*_docstring(schema.get("description")), *lines])


def _field(name: str, value: JsonValue) -> str:
    if not isinstance(value, dict):
        raise InexpressibleError
    schema = bare(value)
    comment = _comment(schema.pop("description", None))
    default = ""
    if "default" in schema:
        default = " = " + write_literal(schema["default"])
        if not shapes.may_be(schema, schema.pop("default")):
            raise InexpressibleError
    shown = name if _NAME.fullmatch(name) else dump(name)
    return _with_comment(f"{shown}: {_type(schema)}{default}", comment)


def _type(schema: JsonObject) -> str:
    members = list(shapes.alternatives(schema))
    members.sort(key=lambda member: member == shapes.NULL)
    if not members:
        raise InexpressibleError
    return " | ".join(_alternative(member) for member in members)


def _alternative(schema: JsonObject) -> str:
    word = next((word for word, meaning in TYPES.items() if schema == meaning), None)
    if word is not None:
        return word
    values = schema.get("enum")
    if set(schema) == {"enum"} and isinstance(values, list) and len(values) == 1:
        return _enumerated(values[0])
    write = _WRITERS.get(str(schema.get("type")))
    if write is None:
        raise InexpressibleError
    return write(schema)


def _int(schema: JsonObject) -> str:
    return "int " + _range(schema)


def _float(schema: JsonObject) -> str:
    return "float " + _range(schema)


def _regex(schema: JsonObject) -> str:
    _allow_only(schema, "type", "pattern")
    body = whole_match(str(schema["pattern"]))
    if not body or not body.isprintable():
        raise InexpressibleError
    # A slash ends the expression, unless it has a backslash already.
    return "/" + re.sub(r"(\\.)|/", lambda found: found[1] or r"\/", body) + "/"


def _list(schema: JsonObject) -> str:
    _allow_only(schema, "type", "items")
    return f"list[{_nested(schema['items'])}]"


def _object(schema: JsonObject) -> str:
    if not shapes.is_closed_object(schema):
        _allow_only(schema, "type", "additionalProperties")
        return f"dict[str, {_nested(schema['additionalProperties'])}]"
    fields = _fields(schema)
    return f"{{\n{textwrap.indent(fields, _INDENT)}\n}}" if fields else "{}"


_WRITERS: Mapping[str, Callable[[JsonObject], str]] = {
    "integer": _int,
    "number": _float,
    "string": _regex,
    "array": _list,
    "object": _object,
}


def _allow_only(schema: JsonObject, *keywords: str) -> None:
    if set(schema) != set(keywords):
        raise InexpressibleError


def _nested(value: JsonValue) -> str:
    if not isinstance(value, dict):
        raise InexpressibleError
    return _type(bare(value))


def _enumerated(value: JsonValue) -> str:
    if isinstance(value, list | dict):
        raise InexpressibleError
    return write_literal(value)


def _range(schema: JsonObject) -> str:
    if not set(schema) <= {"type", "minimum", "maximum"}:
        raise InexpressibleError
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        raise InexpressibleError
    return "..".join("" if bound is None else dump(bound) for bound in (low, high))


def whole_match(pattern: str) -> str | None:
    """Return the expression that `pattern` matches from end to end, or None if it searches."""
    if pattern.startswith("^(?:") and pattern.endswith(")$"):
        body = pattern[4:-2]
    elif pattern.startswith("^") and pattern.endswith("$") and "|" not in pattern:
        body = pattern[1:-1]
    else:
        return None
    try:
        re.compile(body)  # fails where the brackets that were taken off are not a pair
    except re.error:
        return None
    return body


def _comment(description: JsonValue) -> str:
    if description is None or description == "":
        return ""
    if (
        not isinstance(description, str)
        or description != " ".join(description.splitlines()).strip()
    ):
        raise InexpressibleError
    return f"  # {description}"


def _with_comment(text: str, comment: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first + comment, *rest])


def _docstring(description: JsonValue) -> list[str]:
    if description is None or description == "":
        return []
    if (
        not isinstance(description, str)
        or inspect.cleandoc(description) != description
        or '"' in description[-1:]
        or '"""' in description
        or "\\" in description
        or "\r" in description
    ):
        raise InexpressibleError
    return [f'"""{description}"""']
