"""Python source of Pydantic classes that read back as the same schema."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from steer_engine.schema import shapes
from steer_engine.schema.document import (
    JsonObject,
    JsonSchema,
    JsonValue,
    Schema,
    dump,
    properties_of,
    walk,
)
from steer_engine.schema.literals import write_literal
from steer_engine.schema.notation_writer import InexpressibleError, bare
from steer_engine.schema.references import inlined
from steer_engine.schema.words import TYPES

_ANNOTATIONS: Mapping[str, str] = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "url": "AnyUrl",
    "uuid": "UUID",
    "list": "list",
    "dict": "dict",
    "None": "None",
    # Pydantic's EmailStr needs one more package, only to check what was enforced already.
    "email": 'Annotated[str, Field(json_schema_extra={"format": "email"})]',
    "verbatim": 'Annotated[str, Field(json_schema_extra={"x-steer": {"verbatim": True}})]',
}
_BOUNDS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_CONSTRAINTS: Mapping[str, Mapping[str, str]] = {
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "string": {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
}
_CLASSES: Mapping[str, type] = {"integer": int, "number": float, "string": str, "array": list}
_KEYWORDS = frozenset(keyword for names in _CONSTRAINTS.values() for keyword in names)
_IMPORTS: Mapping[str, tuple[str, ...]] = {
    "datetime": ("date", "datetime", "time"),
    "typing": ("Annotated", "Literal"),
    "uuid": ("UUID",),
    "pydantic": ("AnyUrl", "BaseModel", "Field", "RootModel"),
}
_WORDS = frozenset({word for words in _IMPORTS.values() for word in words}) | frozenset(
    {"str", "int", "float", "bool", "list", "dict"}
)


def write_pydantic(schema: Schema) -> str | None:
    """Return Python source whose last class is `schema`, or None where Pydantic cannot say it.

    `read_schema` of that class gives the same document; only titles are lost. A schema that is not
    an object becomes a `RootModel`.
    """
    document = inlined(schema.document)
    try:
        return _Module(_property_names(document)).source(bare(document), schema.name or "Answer")
    except InexpressibleError:
        return None


class _Module:
    """Collects the classes of one schema, inner ones first."""

    def __init__(self, property_names: Iterable[str]) -> None:
        self._classes: list[str] = []
        self._taken = {*_WORDS, *property_names}  # an attribute would hide a class of its name

    def source(self, schema: JsonObject, name: str) -> str:
        name = self._class_name(name)
        if shapes.is_closed_object(schema):
            self._add_class(name, schema)
        else:
            docstring = _docstring(schema.pop("description", None))
            annotation = self._annotation(schema, name + "Item")
            self._classes.append(
                "\n".join([f"class {name}(RootModel[{annotation}]):", *(docstring or ["    pass"])])
            )
        body = "\n\n\n".join(self._classes)
        return f"{_imports(body)}\n\n\n{body}\n"

    def _add_class(self, name: str, schema: JsonObject) -> None:
        if not set(schema) <= {*shapes.closed_object({}), "description"}:
            raise InexpressibleError
        properties = properties_of(schema)
        names = _attribute_names(properties)
        lines = [self._field(names[key], key, value) for key, value in properties.items()]
        docstring = _docstring(schema.get("description"))
        if docstring and lines:
            docstring.append("")
        body = [*docstring, *lines] or ["    pass"]
        self._classes.append("\n".join([f"class {name}(BaseModel):", *body]))

    def _field(self, attribute: str, key: str, value: JsonValue) -> str:
        if not isinstance(value, dict):
            raise InexpressibleError
        schema = bare(value)
        arguments: dict[str, JsonValue] = {}
        if "default" in schema:
            arguments["default"] = schema.pop("default")
        if attribute != key:
            arguments["alias"] = key
        if "description" in schema:
            arguments["description"] = _said(schema.pop("description"))
        text = f"    {attribute}: {self._annotation(schema, key)}"
        if set(arguments) == {"default"}:
            return f"{text} = {write_literal(arguments['default'])}"
        return f"{text} = {_field_call(arguments)}" if arguments else text

    def _annotation(self, schema: JsonObject, hint: str) -> str:
        literals: list[JsonValue] = []
        parts: list[str] = []
        for member in shapes.alternatives(schema):
            values = member.get("enum")
            if isinstance(values, list) and len(member) == 1:
                literals += values
            else:
                parts.append(self._alternative(member, hint))
        if any(not isinstance(value, str | int) for value in literals):
            raise InexpressibleError
        if literals and "None" in parts:
            # Not `Literal[...] | None`: Python caches unions, and takes equal sets for one literal,
            # so that the order could be that of another class.
            parts.remove("None")
            literals.append(None)
        if literals:
            parts.append(f"Literal[{', '.join(map(write_literal, literals))}]")
        parts.sort(key=lambda part: part == "None")
        if not parts:
            raise InexpressibleError
        return " | ".join(parts)

    def _alternative(self, schema: JsonObject, hint: str) -> str:
        for word, meaning in TYPES.items():
            if schema == meaning:
                return _ANNOTATIONS[word]
        if shapes.is_closed_object(schema):
            name = self._class_name(hint)
            self._add_class(name, schema)
            return name
        constraints = {key: value for key, value in schema.items() if key in _KEYWORDS}
        rest = {key: value for key, value in schema.items() if key not in _KEYWORDS}
        if constraints:
            call = _field_call(_constrained(rest, constraints))
            return f"Annotated[{self._alternative(rest, hint)}, {call}]"
        if rest.get("type") == "array" and set(rest) == {"type", "items"}:
            return f"list[{self._nested(rest['items'], hint)}]"
        if rest.get("type") == "object" and set(rest) == {"type", "additionalProperties"}:
            return f"dict[str, {self._nested(rest['additionalProperties'], hint)}]"
        raise InexpressibleError

    def _nested(self, value: JsonValue, hint: str) -> str:
        if not isinstance(value, dict):
            raise InexpressibleError
        return self._annotation(bare(value), hint)

    def _class_name(self, hint: str) -> str:
        words = re.findall(r"[A-Za-z0-9]+", hint)
        stem = "".join(word[0].upper() + word[1:] for word in words) or "Part"
        stem = stem if stem[0].isalpha() else f"Part{stem}"
        name, n_same = stem, 1
        while name in self._taken:
            n_same += 1
            name = f"{stem}{n_same}"
        self._taken.add(name)
        return name


def _property_names(document: JsonSchema) -> Iterator[str]:
    for _, schema in walk(document):
        if isinstance(schema, dict):
            yield from properties_of(schema)


def _constrained(schema: JsonObject, constraints: JsonObject) -> JsonObject:
    """Return `Field`'s arguments for `constraints`; what Pydantic cannot check is only said."""
    is_plain = schema.get("format") in (None, "email")  # no class of its own
    names = _CONSTRAINTS.get(str(schema.get("type")), {}) if is_plain else {}
    arguments: JsonObject = {}
    said: JsonObject = {}
    for key, value in constraints.items():
        if key in names and _is_taken(_CLASSES[str(schema["type"])], names[key], value):
            arguments[names[key]] = value
        else:
            said[key] = value
    return {**arguments, "json_schema_extra": said} if said else arguments


def _is_taken(kind: type, name: str, value: JsonValue) -> bool:
    """Tell whether a class can be made: not with look-around, nor with some numbers."""
    from pydantic import Field, TypeAdapter
    from pydantic_core import SchemaError

    annotated: Any = Annotated
    try:
        TypeAdapter(annotated[kind, Field(**{name: value})])  # type: ignore[call-overload]  # a name at run time
    except (SchemaError, ValueError, TypeError, OverflowError):
        return False
    return True


def _field_call(arguments: Mapping[str, JsonValue]) -> str:
    return (
        f"Field({', '.join(f'{key}={write_literal(value)}' for key, value in arguments.items())})"
    )


def _imports(body: str) -> str:
    used = set(re.findall(r"\w+", body))
    found = {module: [w for w in words if w in used] for module, words in _IMPORTS.items()}
    groups = [
        f"from {module} import {', '.join(words)}" for module, words in found.items() if words
    ]
    return "\n".join(groups).replace("\nfrom pydantic", "\n\nfrom pydantic")


def _said(description: JsonValue) -> str:
    # Reading joins white space, and an empty text is no description.
    if (
        not isinstance(description, str)
        or description != " ".join(description.split())
        or not description
    ):
        raise InexpressibleError
    return description


def _docstring(description: JsonValue) -> list[str]:
    if description is None:
        return []
    text = _said(description)
    is_plain = text.isprintable() and "\\" not in text and '"' not in text
    return [f'    """{text}"""' if is_plain else f"    {dump(text)}"]


def _attribute_names(properties: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return an attribute for each property; one that Python cannot spell gets another name."""
    from pydantic import BaseModel

    reserved = {*_WORDS, *keyword.kwlist, *dir(BaseModel)}
    names = {key: key for key in properties if _is_attribute(key) and key not in reserved}
    taken = {*reserved, *names}
    for key in properties:
        if key in names:
            continue
        # In lower case, so that no attribute hides a class.
        stem = re.sub(r"\W+", "_", key, flags=re.ASCII).strip("_").lower() or "field"
        stem = f"field_{stem}" if stem[0].isdecimal() or stem.startswith("model_") else stem
        while stem in taken:
            stem += "_"
        names[key] = stem
        taken.add(stem)
    return names


def _is_attribute(key: str) -> bool:
    return (
        key.isidentifier()
        and unicodedata.normalize("NFKC", key) == key  # as Python reads identifiers
        and not key.startswith(("_", "model_"))
    )
