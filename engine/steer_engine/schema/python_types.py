"""Schemas of Pydantic classes, dataclasses, TypedDicts and other annotations.

Pydantic writes the JSON Schema; here it is brought into the form in which the compact notation
gives the same fields. Imports Pydantic, so this module is only imported where a type is read.
"""

from __future__ import annotations

import sys
import types
import typing
from typing import Any

import typing_extensions
from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from steer_engine.errors import SchemaError
from steer_engine.schema import shapes
from steer_engine.schema.document import JsonObject, JsonSchema, map_children
from steer_engine.schema.references import inlined


def document_of(source: Any) -> tuple[JsonSchema, str | None]:
    """Return the JSON Schema of a type, and its name if it is a class with one.

    Unlike Pydantic's own, the schema requires every field, also those with a default: a model is
    asked for each of them. It is closed unless the class says otherwise, since an unknown key would
    be an unknown column. Titles are dropped, and white space in descriptions is one blank.
    """
    try:
        document = TypeAdapter(_readable(source)).json_schema(schema_generator=_Generator)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        reason = " ".join(str(error.message).split())
        raise SchemaError(f"Pydantic cannot describe {_shown(source)}: {reason}") from error
    name = source.__name__ if _has_title(document) and isinstance(source, type) else None
    return _plain(inlined(document)), name


class _Generator(GenerateJsonSchema):
    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Ask for a number; Pydantic also allows a string, under a pattern with look-ahead."""
        bounds = {key: schema.get(key) for key in ("multiple_of", "le", "ge", "lt", "gt")}
        given = {key: float(bound) for key, bound in bounds.items() if bound is not None}
        return self.float_schema(core_schema.float_schema(**given))


def _has_title(document: JsonObject) -> bool:
    # Pydantic titles classes and leaves builtin types alone.
    return "title" in document or "$ref" in document


def _shown(source: Any) -> str:
    return source.__name__ if isinstance(source, type) else str(source)


def _readable(annotation: Any) -> Any:
    """Return `annotation` with the TypedDicts that Pydantic refuses before Python 3.12 replaced."""
    if sys.version_info >= (3, 12):
        return annotation
    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation, include_extras=True)
        fields = {name: _readable(hint) for name, hint in hints.items()}
        replaced = typing_extensions.TypedDict(annotation.__name__, fields)  # type: ignore[operator]
        replaced.__doc__ = annotation.__doc__
        return replaced
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if not arguments or origin is typing.Literal:
        return annotation
    readable = tuple(map(_readable, arguments))
    if origin is types.UnionType:
        return typing.Union[readable]
    if origin is typing.Annotated:
        return typing.Annotated[(readable[0], *annotation.__metadata__)]
    return annotation if readable == arguments else annotation.copy_with(readable) if hasattr(annotation, "copy_with") else origin[readable]


def _plain(schema: JsonSchema) -> JsonSchema:
    """Return `schema` as the compact notation would give it, from the leaves up."""
    if isinstance(schema, bool):
        return schema
    schema = map_children(schema, _plain)
    schema.pop("title", None)
    description = schema.get("description")
    if isinstance(description, str):
        schema["description"] = " ".join(description.split())
    properties = schema.get("properties")
    if schema.get("type") == "object" and isinstance(properties, dict):
        schema["required"] = list(properties)
        schema.setdefault("additionalProperties", False)
    elif schema.get("additionalProperties") is True:
        del schema["additionalProperties"]  # a bare `dict`
    if schema.get("items") == {}:
        del schema["items"]  # a bare `list`
    if schema.get("format") == "uri" and schema.get("minLength") == 1:
        del schema["minLength"]  # no URI is empty
    return shapes.simplified(schema)
