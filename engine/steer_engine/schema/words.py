"""The type words of the compact notation and what each one means in JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from steer_engine.schema.document import JsonObject

TYPES: Mapping[str, JsonObject] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "email": {"type": "string", "format": "email"},
    "url": {"type": "string", "format": "uri"},
    "uuid": {"type": "string", "format": "uuid"},
    "verbatim": {"type": "string", "x-steer": {"verbatim": True}},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "None": {"type": "null"},
}
# A text that is one of these words alone is that type and not a field of that name.
ROOT_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict"})

# Spellings that a pasted Python class uses.
_PYTHON: Mapping[str, str] = {
    "AnyUrl": "url",
    "Dict": "dict",
    "EmailStr": "email",
    "HttpUrl": "url",
    "List": "list",
    "UUID": "uuid",
    "null": "None",
}
# Words of other languages that are spelled too differently for `get_close_matches`.
_FOREIGN: Mapping[str, str] = {
    "string": "str",
    "text": "str",
    "varchar": "str",
    "integer": "int",
    "number": "float",
    "decimal": "float",
    "double": "float",
    "boolean": "bool",
    "timestamp": "datetime",
    "uri": "url",
    "array": "list",
    "object": "dict",
}


def type_word(name: str) -> str:
    """Return the notation's word for a possibly dotted Python name, such as `typing.List`."""
    last = name.rpartition(".")[2]
    return _PYTHON.get(last, last)


def suggestion(name: str) -> str | None:
    """Return the type word that `name` was probably meant to be."""
    if name.lower() in _FOREIGN:
        return _FOREIGN[name.lower()]
    close = get_close_matches(name.lower(), [word.lower() for word in TYPES], n=1, cutoff=0.6)
    return {word.lower(): word for word in TYPES}[close[0]] if close else None
