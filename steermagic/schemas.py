"""From the text of a schema to a `Schema`: names, files, lists of rows, or the text itself.

Which one it is can be told by the form of the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from steer_engine import (
    Schema,
    SchemaError,
    SchemaSyntaxError,
    TextForm,
    read_schema,
    rows_of,
)
from steermagic.cell import SchemaText
from steermagic.errors import did_you_mean
from steermagic.paths import user_path
from steermagic.prompt import user_names

_FILE = re.compile(r"(?:[A-Za-z]:[\\/])?[^\n{}:,#\"]*\.(?:json|ya?ml)")  # "C:" is no field
_JSON = re.compile(r"\s*\{\s*\"")
_TYPES = frozenset({"str", "int", "float", "bool", "list", "dict"})


@dataclass(frozen=True, slots=True)
class FoundSchema:
    """A schema and the object it was read from, where that was a Python object.

    `is_list` tells that the text asked for a list, so that `source` describes one item. Where
    answers are texts of a `form`, `schema` describes a row of their table.
    """

    schema: Schema
    source: object = None
    is_list: bool = False
    form: TextForm | None = None

    @property
    def asked(self) -> Schema | TextForm:
        """What the model is held to."""
        return self.schema if self.form is None else self.form


def find_schema(
    written: SchemaText, namespace: Mapping[str, object], *, many: bool = False
) -> FoundSchema:
    """Return the schema that `written` is or names; `many` asks for a list of it.

    Raises:
        SchemaError: it cannot be found or read. Places in it count in the cell.
    """
    item = _item_of(written)
    try:
        found = _find_one(item or written, namespace)
    except SchemaSyntaxError:
        if item is None or _JSON.match(item.text):
            raise
        # The brackets are the notation's own, as in `[{a: str}]` or `[a: str]  # see [1]`.
        return replace(_find_one(written, namespace), is_list=True)
    if item is None and not many:
        return found
    return FoundSchema(rows_of(found.schema), found.source, is_list=True)


def read_source(source: object, *, many: bool = False) -> FoundSchema:
    """Return the schema that a Python object is; a string is what could stand in a cell.

    Raises:
        SchemaError: it cannot be read.
    """
    if isinstance(source, str):
        return find_schema(SchemaText(source, line=1), {}, many=many)
    schema = read_schema(_held_by(source))
    return FoundSchema(rows_of(schema) if many else schema, source, is_list=many)


def _item_of(written: SchemaText) -> SchemaText | None:
    """Return what stands inside ``[ ... ]``, or None where the text is something else."""
    text = written.text.rstrip()
    if not (text.lstrip().startswith("[") and text.endswith("]")):
        return None
    inside = text.replace("[", "", 1)[:-1]
    return replace(written, text=inside, column=written.column + 1)


def _find_one(written: SchemaText, namespace: Mapping[str, object]) -> FoundSchema:
    text = written.text.strip()
    unquoted = text[1:-1] if len(text) > 2 and text[0] == text[-1] in "\"'" else text
    if _FILE.fullmatch(unquoted):
        return FoundSchema(_read_file(Path(unquoted)))
    is_name = all(part.isidentifier() for part in text.split("."))
    if is_name and (text in namespace or text not in _TYPES):
        return _named(text, namespace)
    try:
        return FoundSchema(read_schema(written.text))
    except SchemaSyntaxError as error:
        raise written.located(error) from None


def _named(name: str, namespace: Mapping[str, object]) -> FoundSchema:
    source = _look_up(name, namespace)
    try:
        source = _held_by(source)
        return FoundSchema(read_schema(source, name=name.rpartition(".")[2]), source)
    except SchemaError as error:
        raise SchemaError(f"schema {name!r}: {error}") from error


def _held_by(source: object) -> object:
    """Return the schema of something that has one, as a schema editor; else `source` itself."""
    held = getattr(source, "schema", None)
    return held if isinstance(held, Schema) else source


def _look_up(name: str, namespace: Mapping[str, object]) -> object:
    first, *attributes = name.split(".")
    if first not in namespace:
        hint = did_you_mean(first, user_names(namespace))
        raise SchemaError(
            f"no schema named {first!r}{hint or f'; a schema of one field is written {name}: str'}"
        )
    found, path = namespace[first], first
    for attribute in attributes:
        if not hasattr(found, attribute):
            raise SchemaError(f"{path!r} has no {attribute!r}{did_you_mean(attribute, dir(found))}")
        found, path = getattr(found, attribute), f"{path}.{attribute}"
    return found


def _read_file(path: Path) -> Schema:
    path = user_path(path, SchemaError)
    if path.suffix != ".json":
        raise SchemaError(f"{path}: schemas are read from .json files; save it as JSON")
    if not path.is_file():
        siblings = path.parent.glob("*.json") if path.parent.is_dir() else ()
        raise SchemaError(
            f"there is no schema file {path}{did_you_mean(path.name, (p.name for p in siblings))}"
        )
    try:
        return read_schema(path, name=path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path} cannot be read: {error}") from error
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}") from error
