"""The parts of a `%%steer` cell: options, schema text and prompt template.

The schema is in one of three places, looked for in this order: on the line; above a line ``---``;
as JSON at the start of the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from steer_engine import SchemaSyntaxError
from steermagic.errors import CellSyntaxError
from steermagic.line import Line, read_line
from steermagic.options import SteerOptions, read_options

_MAGIC = "%%steer "
_NOTEBOOK_TEST_MARK = re.compile(r"\s*#\s*NBVAL_\w+\s*")
_NO_SCHEMA = (
    "the cell has no schema; write one on the line (%%steer name: str, age: int)"
    " or above a line '---' that the prompt follows"
)


@dataclass(frozen=True, slots=True)
class SchemaText:
    """A schema as the user wrote it, and where it begins in the cell; both count from 1."""

    text: str
    line: int
    column: int = 1

    def located(self, error: SchemaSyntaxError) -> SchemaSyntaxError:
        """Return `error` with its place counted in the cell instead of in the schema."""
        message = str(error).removesuffix(f" (line {error.line}, column {error.column})")
        column = error.column + (self.column - 1 if error.line == 1 else 0)
        return SchemaSyntaxError(message, line=error.line + self.line - 1, column=column)


@dataclass(frozen=True, slots=True)
class SteerCell:
    """A cell that has been read; `prompt` is a template, without the blank space around it.

    There is no schema where an option says what the answer is.
    """

    options: SteerOptions
    schema: SchemaText | None
    prompt: str


def read_cell(line: str, body: str, settings: Mapping[str, object]) -> SteerCell:
    """Read a cell: `line` follows ``%%steer``, `body` is the rest. Its line is line 1.

    Raises:
        CellSyntaxError: there is no schema, or no prompt.
        OptionError: the line has an option that cannot be understood.
        SchemaSyntaxError: the body starts with JSON that cannot be read.
    """
    head = read_line(line)
    options = read_options(head.options, settings)
    lines = [_without_mark(text) for text in re.split(r"\r\n|\r|\n", body)]
    schema, prompt = (None, lines) if options.form else _divide(head, lines)
    if options.form and (on_line := head.text.strip()):
        raise CellSyntaxError(
            f"--{options.form} says what the answer is, so {on_line!r} cannot stand on the line;"
            " write the prompt below, or leave the option out"
        )
    prompt_text = "\n".join(text for text in prompt if text is not None)
    if not prompt_text.strip():
        raise CellSyntaxError("the prompt is missing; write it below the schema")
    return SteerCell(options, schema, prompt_text.rstrip().lstrip("\n"))


_Lines = list[str | None]
"""Lines of a body; None where a mark stood that is for nbval and not for a model."""


def _without_mark(text: str) -> str | None:
    return None if _NOTEBOOK_TEST_MARK.fullmatch(text) else text


def _divide(head: Line, lines: _Lines) -> tuple[SchemaText, _Lines]:
    on_line = head.text.strip()
    if on_line:
        start = len(head.text) - len(head.text.lstrip())
        return SchemaText(on_line, line=1, column=len(_MAGIC) + start + 1), lines
    for i, text in enumerate(lines):
        if text is not None and text.rstrip() == "---":
            return _above(lines[:i]), lines[i + 1 :]
    return _leading_json(lines)


def _above(lines: _Lines) -> SchemaText:
    # A mark becomes a blank line: the lines after it keep their numbers.
    text = "\n".join(text or "" for text in lines)
    if not text.strip():
        raise CellSyntaxError("there is no schema above the line '---'")
    return SchemaText(text, line=2)


def _leading_json(lines: _Lines) -> tuple[SchemaText, _Lines]:
    text = "\n".join(text or "" for text in lines)
    start = len(text) - len(text.lstrip())
    # Two braces are no JSON: the cell is all prompt and begins with an interpolation.
    if text[start : start + 1] != "{" or text[start : start + 2] == "{{":
        raise CellSyntaxError(_NO_SCHEMA)
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise SchemaSyntaxError(
            f"the schema at the start of the cell is not JSON: {error.msg.lower()}",
            line=error.lineno + 1,
            column=error.colno,
        ) from None
    first = text.count("\n", 0, start)
    last = text.count("\n", 0, end)
    schema = SchemaText(text[start:end], line=first + 2, column=start - text.rfind("\n", 0, start))
    rest = text[end:].partition("\n")[0]
    return schema, [rest, *lines[last + 1 :]]
