"""The parser of the compact notation: recursive descent from tokens straight to JSON Schema.

::

    subject: str  # one line
    urgency: "low" | "high" = "low"
    customer: {
        name: str
        email: email | None
    } | None
    items: list[{name: str, price: float}]

A block of fields may also be indented below `customer:` or `items: list`, as in Python.
"""

from __future__ import annotations

import inspect
import re

from steer_engine.errors import SchemaSyntaxError
from steer_engine.schema import shapes, words
from steer_engine.schema.document import JsonObject, JsonSchema
from steer_engine.schema.literals import write_literal
from steer_engine.schema.notation_types import (
    OF_RANGES,
    begins_type,
    misspelt,
    read_literal,
    read_text,
    read_type,
)
from steer_engine.schema.tokens import Cursor, Kind, Token

_WORDS = re.compile(r"(-?\w+(?:[ -]+\w+)*)(\s*:)?")
_UNSPACED = re.compile(r"[^\s,#\]}]+")
_RANGE = re.compile(r"^[<>≤≥]|\d\.\.(?!\.)|(?<!\.)\.\.\d")


def parse_notation(text: str) -> tuple[JsonObject, str | None]:
    """Return the JSON Schema that `text` describes, and the name of its class header if any.

    Raises `SchemaSyntaxError` with the line and column of the first thing that cannot be read.
    """
    cursor = Cursor(text)
    name = _class_name(cursor)
    cursor.skip_newlines()
    if cursor.at_end():
        raise cursor.error("the schema is empty; write fields such as `name: str`")
    first = cursor.at
    if begins_type(cursor):
        schema = _described(cursor, read_type(cursor, _braced), first)
    else:
        schema = _block(cursor, indent=cursor.token.indent)
    cursor.skip_newlines()
    if not cursor.at_end():
        raise misspelt(cursor) or cursor.error(_leftover(cursor))
    return schema, name


def _class_name(cursor: Cursor) -> str | None:
    """Go past `class Name(Base):` at the beginning and return the name."""
    if cursor.token.text != "class" or cursor.ahead().kind is not Kind.NAME:
        return None
    cursor.take()
    name = cursor.take().text
    while not cursor.at_line_end():
        if cursor.takes(":"):
            return name
        cursor.take()
    raise cursor.error(f"`class {name}` needs a `:` and an indented block of fields")


def _leftover(cursor: Cursor) -> str:
    if cursor.token.text == "class":
        return "one class at a time; nest the fields of the other one in braces"
    if cursor.token.kind is Kind.NAME:
        return "this line is indented less than the first field; align it"
    return f"`{cursor.token.text}` closes nothing; remove it"


def _braced(cursor: Cursor, end: str) -> JsonObject:
    return _block(cursor, end=end)


def _block(cursor: Cursor, *, end: str = "", indent: int | None = None) -> JsonObject:
    """Return the object of the fields up to the sign `end`, or to a line indented otherwise."""
    properties: dict[str, JsonSchema] = {}
    _skip_separators(cursor)
    description = _docstring(cursor)
    choice = ""
    while _goes_on(cursor, end, indent):
        token, first = cursor.token, cursor.at
        name, schema = _field(cursor)
        is_bare = token.kind is Kind.STRING and cursor.at == first + 1
        if choice and is_bare:
            raise cursor.error(
                f"choices are joined by `|`: `{choice} | {token.text}`; for a field of that name"
                f" write `{token.text}: str`",
                token,
            )
        if name in properties:
            raise cursor.error(f"the field {name!r} is there twice; rename or remove one", token)
        properties[name] = schema
        choice = "" if is_bare and end != "]" else _open_choice(cursor, token, schema)
        _skip_separators(cursor)
    if indent is not None and cursor.tokens[cursor.at - 1].kind is Kind.NEWLINE:
        cursor.at -= 1  # the line break also ends the field that this block belongs to
    schema = shapes.closed_object(properties)
    return {**schema, "description": description} if description else schema


def _open_choice(cursor: Cursor, first: Token, schema: JsonObject) -> str:
    """Return a field that ends in a quoted text before a comma, as it is written; else nothing."""
    last = cursor.tokens[cursor.at - 1]
    if last.kind is not Kind.STRING or not cursor.is_at(",") or "default" in schema:
        return ""
    return cursor.text_between(first if first.line == last.line else last, cursor.token)


def _goes_on(cursor: Cursor, end: str, indent: int | None) -> bool:
    if cursor.at_end() or cursor.is_at("}", "]", end):
        return False
    begins_line = cursor.at == 0 or cursor.tokens[cursor.at - 1].kind is Kind.NEWLINE
    if indent is None or not begins_line:
        return True
    if cursor.token.indent > indent:
        raise cursor.error("this line is indented more than the field above it; align it")
    return cursor.token.indent == indent


def _skip_separators(cursor: Cursor) -> None:
    while cursor.token.kind is Kind.NEWLINE or cursor.is_at(","):
        cursor.take()


def _docstring(cursor: Cursor) -> str | None:
    if cursor.token.kind is not Kind.DOCSTRING:
        return None
    text = inspect.cleandoc(cursor.take().text[3:-3])
    _skip_separators(cursor)
    return text


def _field(cursor: Cursor) -> tuple[str, JsonObject]:
    first = cursor.at
    name = _field_name(cursor)
    shown = cursor.tokens[first].text  # with its quotes
    schema: JsonObject = {"type": "string"}
    if cursor.takes(":"):
        if cursor.at_line_end() and not _block_follows(cursor, first):
            raise cursor.error(f"a type is missing after `{shown}:`; write `{shown}: str`")
        schema = _typed(cursor, first, shown)
    elif not _at_field_end(cursor):  # `age int` without a colon
        schema = _typed(cursor, first, shown)
    if not _at_field_end(cursor):
        raise _unseparated(cursor, first)
    return name, _described(cursor, schema, first)


def _field_name(cursor: Cursor) -> str:
    token = cursor.token
    if token.kind is Kind.STRING:
        return read_text(cursor)
    written = _WORDS.match(cursor.lines[token.line - 1], token.column - 1)
    if token.kind is Kind.NUMBER and written:
        raise cursor.error(f'a name begins with a letter or is quoted: `"{written[1]}": str`')
    if token.kind is not Kind.NAME:
        raise misspelt(cursor) or cursor.error(
            f"expected a field such as `name: str` and found `{token.text}`"
        )
    if "." in token.text:
        raise cursor.error(f'quote a name with a dot in it: `"{token.text}": str`')
    if written and _is_one_name(written):
        raise cursor.error(f'quote a name of several words: `"{written[1]}": str`')
    return cursor.take().text


def _is_one_name(written: re.Match[str]) -> bool:
    """Tell whether words are the name ahead of a colon, and not `a int b`, which lacks a comma."""
    parts = re.split("[ -]+", written[1])
    if len(parts) == 1 or not written[2]:
        return False
    return len(parts) == 2 or words.type_word(parts[-2]) not in words.TYPES


def _typed(cursor: Cursor, first: int, shown: str) -> JsonObject:
    if cursor.token.kind is Kind.NEWLINE:
        return _indented(cursor)
    start = cursor.token
    schema = read_type(cursor, _braced, shown)
    if schema == {"type": "array"} and _block_follows(cursor, first):
        return {**schema, "items": _indented(cursor)}
    if not cursor.takes("="):
        return schema
    written = cursor.text_between(start, cursor.tokens[cursor.at - 1])
    value = cursor.token
    default = read_literal(cursor)
    text = _UNSPACED.match(cursor.lines[value.line - 1], value.column - 1)
    if value.kind is Kind.NUMBER and text and text[0] != value.text:
        if not shapes.may_be(schema, text[0]):
            raise cursor.error(f"{text[0]!r} is not a value; change or quote it", value)
        quoted = write_literal(text[0])
        raise cursor.error(f"quote this default: `{shown}: {written} = {quoted}`", value)
    if default is None and shapes.NULL not in shapes.alternatives(schema):
        raise cursor.error(
            f"None is not a {written}; write `{shown}: {written} | None = None`", start
        )
    if not shapes.may_be(schema, default):
        message = f"the default {write_literal(default)} does not fit {written}; change one of them"
        raise cursor.error(message, value)
    return {**schema, "default": default}


def _block_follows(cursor: Cursor, first: int) -> bool:
    return (
        cursor.token.kind is Kind.NEWLINE
        and cursor.ahead().kind is not Kind.END
        and cursor.ahead().indent > cursor.tokens[first].indent
    )


def _indented(cursor: Cursor) -> JsonObject:
    return _block(cursor, indent=cursor.ahead().indent)


def _at_field_end(cursor: Cursor) -> bool:
    return cursor.at_line_end() or cursor.is_at(",", "}", "]")


def _unseparated(cursor: Cursor, first: int) -> SchemaSyntaxError:
    token = cursor.token
    if error := misspelt(cursor):
        return error
    if cursor.ahead().text == ":":
        return cursor.error(f"put a comma or a line break before the field `{token.text}`")
    field = cursor.text_between(cursor.tokens[first], token)
    rest = cursor.text_between(token, cursor.tokens[-1]).partition("#")[0].partition(",")[0].strip()
    of_words = f"a description goes behind `#`: `{field}  # {rest}`"
    advice = OF_RANGES if _RANGE.search(rest) else of_words
    return cursor.error(f"unexpected {rest!r} after the type; {advice}")


def _described(cursor: Cursor, schema: JsonObject, first: int) -> JsonObject:
    """Add the comment behind the field's first or last line, unless it is another field's."""
    for index in (first, cursor.at - 1):
        end = index
        while cursor.tokens[end].kind not in (Kind.NEWLINE, Kind.END):
            end += 1
        line = cursor.tokens[index].line
        is_ours = all(token.text == "," for token in cursor.tokens[cursor.at : end])
        if is_ours and line in cursor.comments:
            return {**schema, "description": cursor.comments.pop(line)}
    return schema
