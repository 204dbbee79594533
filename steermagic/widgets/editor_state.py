"""What the schema editor holds, and the forms in which it gives a schema away."""

from __future__ import annotations

from dataclasses import dataclass, replace

from steer_engine import (
    JsonValue,
    Schema,
    SteerError,
    inlined,
    read_schema,
    write_json,
    write_notation,
    write_pydantic,
)
from steermagic.widgets.editor_fields import packed_field, unpacked_field
from steermagic.widgets.editor_reading import read_field
from steermagic.widgets.editor_writing import written_field


@dataclass(frozen=True, slots=True)
class EditorState:
    """A schema, and the rows that it is shown as.

    With a `problem` the rows are no schema, and `schema` is the last that they were.
    """

    schema: Schema
    rows: str
    problem: str = ""


def opened(schema: Schema) -> EditorState:
    """Return the state in which `schema` is as it was given, until a row of it is edited."""
    document: JsonValue = schema.document
    if '"$ref"' in schema.text:
        document = inlined(schema.document)  # a row shows what it is, not where that is written
    return EditorState(schema, packed_field(read_field(document)))


def edited(state: EditorState, rows: str) -> EditorState:
    """Return the state after the rows have become these."""
    try:
        document = written_field(unpacked_field(rows))
        schema = read_schema(document, name=state.schema.name)
    except SteerError as error:
        return replace(state, rows=rows, problem=str(error))
    return EditorState(schema, rows)


def forms_of(schema: Schema) -> dict[str, str]:
    """Return `schema` in all languages, and as a cell; empty where one cannot say it exactly."""
    notation = write_notation(schema)
    above = write_json(schema, indent=2) if notation is None else f"{notation}\n---"
    return {
        "compact": notation or "",
        "pydantic": write_pydantic(schema) or "",
        "json": write_json(schema, indent=2),
        "cell": f"%%steer -o result\n{above}\nExtract the fields from this text:\n{{{{ text }}}}",
    }
