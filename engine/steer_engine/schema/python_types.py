"""Schemas of Pydantic classes, dataclasses, TypedDicts and other annotations.

Pydantic writes the JSON Schema; here it is brought into the form in which the compact notation
gives the same fields.
"""

from __future__ import annotations

import functools
import json
import math
import operator
import re
import sys
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from steer_engine.errors import SchemaError
from steer_engine.schema import shapes
from steer_engine.schema.document import JsonObject, JsonSchema, map_children
from steer_engine.schema.formats.narrower import VERSIONED_UUIDS
from steer_engine.schema.formats.times import LOCAL_DATE_TIME
from steer_engine.schema.references import inlined

if TYPE_CHECKING:
    from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
    from pydantic_core.core_schema import DatetimeSchema, DecimalSchema, DictSchema, UrlSchema

_INTEGER = "-?(?:0|[1-9][0-9]*)"
_NAMES = {
    "integer": f"^{_INTEGER}$",
    "number": rf"^{_INTEGER}(?:\.[0-9]+)?$",
    "boolean": "^(?:true|false)$",
}
"""How Pydantic reads keys that are no text, by their type."""
_WITH_HOST = frozenset({"ftp", "http", "https", "ws", "wss"})
"""Schemes whose URLs have a host."""
_MAX_EXPONENT = 300  # of a power of ten that is said: a float has room for little more


def document_of(source: object) -> tuple[JsonSchema, str | None]:
    """Return the JSON Schema of a type, and its name if it is a class with one.

    Unlike Pydantic's own, the schema requires every field, also those with a default: a model is
    asked for each of them. It is closed unless the class says otherwise, since an unknown key would
    be an unknown column. Titles are dropped, and white space in descriptions is one blank.
    """
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        adapter: TypeAdapter[object] = TypeAdapter(_readable(source))
        document = adapter.json_schema(schema_generator=_generator())
    except (PydanticUserError, NameError) as error:  # a NameError of a quoted annotation
        reason = " ".join(str(getattr(error, "message", error)).split())
        raise SchemaError(f"Pydantic cannot describe {_shown(source)}: {reason}") from error
    name = source.__name__ if _has_title(document) and isinstance(source, type) else None
    return _plain(inlined(document)), name


def _generator() -> type[GenerateJsonSchema]:
    from pydantic.json_schema import GenerateJsonSchema
    from pydantic_core.core_schema import float_schema

    class Generator(GenerateJsonSchema):
        def decimal_schema(self, schema: DecimalSchema) -> JsonSchemaValue:
            """Ask for a number; Pydantic also allows a string, under a pattern with look-ahead."""
            limits = {
                name: float(limit)
                for name in ("multiple_of", "le", "ge", "lt", "gt")
                if isinstance(limit := schema.get(name), int | float | Decimal)
            }
            limits = _with_digits(schema, limits)
            return self.float_schema({**float_schema(), **limits})  # type: ignore[typeddict-item]  # the names are checked above

        def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - Pydantic's own
            """Give a Decimal as a number, which its schema asks for."""
            return super().encode_default(_as_number(dft))

        def datetime_schema(self, schema: DatetimeSchema) -> JsonSchemaValue:
            """Ask for no offset where Pydantic wants none; its format has one."""
            is_local = schema.get("tz_constraint") == "naive"
            local = {"type": "string", "pattern": LOCAL_DATE_TIME}
            return local if is_local else super().datetime_schema(schema)

        def dict_schema(self, schema: DictSchema) -> JsonSchemaValue:
            """Ask for names that are read as the keys; Pydantic forgets those that are no text."""
            written = super().dict_schema(schema)
            keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
            keys = self.resolve_ref_schema(keys)
            if names := _NAMES.get(keys.get("type", "")):
                members = [json.dumps(each) for each in keys.get("enum", ())]  # of an Enum
                written["propertyNames"] = {"enum": members} if members else {"pattern": names}
            if "patternProperties" in written:
                written.setdefault("additionalProperties", False)
            return written

        def url_schema(self, schema: UrlSchema) -> JsonSchemaValue:
            """Ask for the schemes that the type allows."""
            written, schemes = super().url_schema(schema), schema.get("allowed_schemes") or []
            host = "//[^/?#:]" if _WITH_HOST.issuperset(schemes) else ""
            spelled = "|".join(map(re.escape, schemes))
            return {**written, "pattern": f"^(?:{spelled}):{host}"} if schemes else written

    return Generator


def _as_number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) and value.is_finite() else value


def _with_digits(schema: DecimalSchema, limits: Mapping[str, float]) -> dict[str, float]:
    """Return `limits`, with what `max_digits` and `decimal_places` come to.

    Digits that stand before the point leave fewer behind it: of that nothing is said.
    """
    places, n_digits = schema.get("decimal_places"), schema.get("max_digits")
    found = dict(limits)
    n_places = min((each for each in (places, n_digits) if each is not None), default=_MAX_EXPONENT)
    if n_places < _MAX_EXPONENT:
        unit, step = Fraction(1, 10**n_places), Fraction(str(found.get("multiple_of", 0)))
        found["multiple_of"] = float(_common_multiple(step, unit) if step else unit)
    n_whole = _MAX_EXPONENT if n_digits is None else max(0, n_digits - (places or 0))
    if n_whole < _MAX_EXPONENT:
        edge = float(10**n_whole)
        if found.get("le", edge) >= edge:
            found["lt"] = min(edge, found.get("lt", edge))
        if found.get("ge", -edge) <= -edge:
            found["gt"] = max(-edge, found.get("gt", -edge))
    return found


def _common_multiple(one: Fraction, other: Fraction) -> Fraction:
    numerator = math.lcm(one.numerator, other.numerator)
    return Fraction(numerator, math.gcd(one.denominator, other.denominator))


def _has_title(document: JsonObject) -> bool:
    # Pydantic titles classes and leaves builtin types alone.
    return "title" in document or "$ref" in document


def _shown(source: object) -> str:
    return source.__name__ if isinstance(source, type) else str(source)


def _readable(annotation: Any) -> Any:  # noqa: ANN401 - an annotation has no type
    """Return `annotation` with the TypedDicts that Pydantic refuses before Python 3.12 replaced."""
    if sys.version_info >= (3, 12):
        return annotation
    import typing_extensions

    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation, include_extras=True)
        fields = {name: _readable(hint) for name, hint in hints.items()}
        replaced = typing_extensions.TypedDict(annotation.__name__, fields)  # type: ignore[misc]  # a name at run time
        replaced.__doc__ = annotation.__doc__
        return replaced
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if not arguments or origin is typing.Literal:
        return annotation
    readable = tuple(map(_readable, arguments))
    if origin in (types.UnionType, typing.Union):
        return functools.reduce(operator.or_, readable)
    if origin is typing.Annotated:
        return typing.Annotated[(readable[0], *annotation.__metadata__)]
    return annotation if readable == arguments else origin[readable]


def _plain(schema: JsonSchema) -> JsonSchema:
    """Return `schema` as the compact notation would give it, from the leaves up."""
    if isinstance(schema, bool):
        return schema
    schema = map_children(schema, _plain)
    schema.pop("title", None)
    description = schema.get("description")
    if isinstance(description, str):
        schema["description"] = " ".join(description.split())
    _lift_descriptions(schema)
    properties = schema.get("properties")
    if schema.get("type") == "object" and isinstance(properties, dict):
        schema["required"] = list(properties)
        schema.setdefault("additionalProperties", False)
    elif schema.get("additionalProperties") is True:
        del schema["additionalProperties"]  # a bare `dict`
    _settle_items(schema)
    if schema.get("format") == "uri" and schema.get("minLength") == 1:
        del schema["minLength"]  # no URI is empty
    if schema.get("format") in VERSIONED_UUIDS:
        schema["pattern"] = VERSIONED_UUIDS[str(schema.pop("format"))]
    return shapes.simplified(schema)


def _settle_items(schema: JsonObject) -> None:
    prefix, least = schema.get("prefixItems"), schema.get("minItems", 0)
    if isinstance(prefix, list) and isinstance(least, int):
        schema["minItems"] = max(least, len(prefix))  # also fields of a NamedTuple with defaults
    if schema.get("items") == {}:
        del schema["items"]  # a bare `list`


def _lift_descriptions(schema: JsonObject) -> None:
    """Give the field what its alternatives and items say, as an Enum's docstring; not a class's."""
    members = schema.get("anyOf")
    inner = [*(members if isinstance(members, list) else []), schema.get("items")]
    for each in inner:
        if isinstance(each, dict) and each.get("type") != "object" and "description" in each:
            schema.setdefault("description", each.pop("description"))
