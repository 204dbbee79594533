"""Types and literals of the compact notation: what stands behind the colon of a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from steer_engine.errors import SchemaSyntaxError
from steer_engine.schema import shapes, words
from steer_engine.schema.document import JsonObject, JsonValue
from steer_engine.schema.literals import CONSTANTS, read_number, read_string
from steer_engine.schema.patterns.parser import parsed
from steer_engine.schema.patterns.syntax import PatternError
from steer_engine.schema.tokens import Cursor, Kind

_T = TypeVar("_T")
# Reads the fields up to the given closing bracket, which stays.
ReadBlock: TypeAlias = Callable[[Cursor, str], JsonObject]

OF_RANGES = "a range is written behind `int` or `float`, as in `int 0..120`"

_GENERICS = frozenset({"list", "dict", "Literal", "Optional", "Union"})
_FREE_TEXT = re.compile(r"[^,#\n\]}]*")
_CHOICE = re.compile(r"""\w[\w -]*|"[^"]*"|'[^']*'""")
_LEADING_ZEROS = re.compile(r"(-?)0+(?=\d)")
_CURLY = frozenset("“”„‟‘’‚‛«»")


def begins_type(cursor: Cursor) -> bool:
    """Tell whether a text goes on with a type; a first field may begin with the same token."""
    token, after = cursor.token, cursor.ahead()
    if token.kind is Kind.NUMBER:
        return after.kind is not Kind.NAME and after.text != ":"
    if token.kind is Kind.REGEX or cursor.is_at("{", "["):
        return True
    if token.kind not in (Kind.NAME, Kind.STRING):
        return False
    if after.kind is Kind.NEWLINE:
        after = cursor.ahead(2)
    word = words.type_word(token.text)
    if after.kind is Kind.END or after.text == "]":
        return word in words.ROOT_TYPES
    if after.line != token.line:
        return False
    if word in ("int", "float") and (after.kind is Kind.NUMBER or after.text == ".."):
        return True
    return after.text == "|" or (after.text == "[" and word in _GENERICS)


def read_type(cursor: Cursor, read_block: ReadBlock, field: str = "name") -> JsonObject:
    """Return the schema of alternatives joined by `|`; `field` is the name messages suggest."""
    return _Types(cursor, read_block, field).union()


def read_literal(cursor: Cursor) -> JsonValue:
    """Return a JSON value in Python's or JSON's spelling."""
    token = cursor.token
    if cursor.is_at("["):
        return list(_items(cursor, "]", read_literal))
    if cursor.is_at("{"):
        return dict(_items(cursor, "}", _read_pair))
    if token.kind is Kind.NAME and token.text in CONSTANTS:
        return CONSTANTS[cursor.take().text]
    if token.kind is Kind.STRING:
        return read_text(cursor)
    if token.kind is Kind.NUMBER:
        return _read_number(cursor)
    if token.text == "Field":
        raise cursor.error(
            "Field(...) cannot be read from text; give the class itself as the schema"
        )
    raise misspelt(cursor) or cursor.error(
        f"{token.text!r} is not a value; a default is a string, a number, True or None"
    )


def read_text(cursor: Cursor) -> str:
    """Return the text of a quoted string."""
    try:
        text = read_string(cursor.token.text)
    except ValueError as error:
        message = "this string has an escape that JSON does not know; double the backslash"
        raise cursor.error(message) from error
    cursor.take()
    return text


def misspelt(cursor: Cursor) -> SchemaSyntaxError | None:
    """Return the error of a sign that means something else, or nothing, in the notation."""
    text, after = cursor.token.text, cursor.ahead()
    if text in _CURLY:
        return cursor.error(f'`{text}` is a curly quote; write a straight one: `"`')
    if text in ('"', "'"):
        return cursor.error(f"this quote is never closed; add `{text}`")
    if text == "." and after.kind is Kind.NUMBER:
        return cursor.error(f"a number begins with a digit: 0.{after.text}")
    if text == "?":
        return cursor.error(
            "write `| None` behind the type of what may be missing; a name with a `?` is quoted"
        )
    if text == "..":
        return cursor.error(OF_RANGES)
    return None


def _read_number(cursor: Cursor) -> int | float:
    text = cursor.token.text
    if zeros := _LEADING_ZEROS.match(text):
        short = zeros[1] + text[zeros.end() :]
        raise cursor.error(f'a number does not begin with 0; write {short}, or "{text}" for a text')
    try:
        number = read_number(text)
    except ValueError as error:
        raise cursor.error(f"{text} is too large for a JSON number") from error
    cursor.take()
    return number


def _read_pair(cursor: Cursor) -> tuple[str, JsonValue]:
    if cursor.token.kind is not Kind.STRING:
        raise cursor.error("a key must be a quoted string")
    key = read_text(cursor)
    if not cursor.takes(":"):
        raise cursor.error(f"expected `:` after the key {key!r}")
    return key, read_literal(cursor)


def _items(cursor: Cursor, end: str, read: Callable[[Cursor], _T]) -> Iterator[_T]:
    """Yield what `read` returns for each of the comma-separated items in brackets."""
    opened = cursor.take()
    cursor.skip_newlines()
    while not cursor.is_at(end):
        yield read(cursor)
        cursor.skip_newlines()
        if not cursor.takes(","):
            break
        cursor.skip_newlines()
    cursor.close(end, opened)


class _Types:
    """Reads one type at a cursor."""

    def __init__(self, cursor: Cursor, read_block: ReadBlock, field: str) -> None:
        self._cursor = cursor
        self._read_block = read_block
        self._field = field

    def union(self, _: Cursor | None = None) -> JsonObject:
        members = [self._alternative()]
        while self._cursor.takes("|"):
            self._cursor.skip_newlines()
            members.append(self._alternative())
        return members[0] if len(members) == 1 else shapes.union(members)

    def _alternative(self) -> JsonObject:
        cursor, token = self._cursor, self._cursor.token
        if token.kind in (Kind.STRING, Kind.NUMBER) or token.text in ("True", "False"):
            return shapes.enumeration([read_literal(cursor)])
        if token.kind is Kind.REGEX:
            return self._regex()
        if cursor.is_at("{"):
            return self._object()
        if cursor.is_at("["):
            return self._rows()
        if token.kind is Kind.NAME:
            return self._named()
        raise self._unknown()

    def _named(self) -> JsonObject:
        cursor, token = self._cursor, self._cursor.token
        word = words.type_word(token.text)
        if word in _GENERICS and cursor.ahead().text == "[":
            cursor.take()
            return self._generic(word)
        if word not in words.TYPES:
            raise self._unknown()
        cursor.take()
        schema = dict(words.TYPES[word])
        if cursor.token.kind is Kind.NUMBER or cursor.is_at(".."):
            return {**schema, **self._range(word)}
        return schema

    def _generic(self, word: str) -> JsonObject:
        cursor = self._cursor
        opened = cursor.token
        if word == "Literal":
            return shapes.enumeration(_items(cursor, "]", read_literal))
        arguments = list(_items(cursor, "]", self.union))
        if word == "Union" and arguments:
            return shapes.union(arguments)
        if word == "dict":
            if len(arguments) != 2 or arguments[0] != words.TYPES["str"]:
                raise cursor.error("a dict has string keys: write `dict[str, T]`", opened)
            return {"type": "object", "additionalProperties": arguments[1]}
        if len(arguments) != 1:
            raise cursor.error(f"write one type in the brackets: `{word}[T]`", opened)
        if word == "Optional":
            return shapes.union([*arguments, shapes.NULL])
        return {"type": "array", "items": arguments[0]}

    def _object(self) -> JsonObject:
        opened = self._cursor.take()
        schema = self._read_block(self._cursor, "}")
        self._cursor.close("}", opened)
        return schema

    def _rows(self) -> JsonObject:
        cursor = self._cursor
        opened = cursor.take()
        cursor.skip_newlines()
        items = self.union() if begins_type(cursor) else self._read_block(cursor, "]")
        cursor.close("]", opened)
        return {"type": "array", "items": items}

    def _regex(self) -> JsonObject:
        token = self._cursor.token
        body = token.text[1:-1].replace("\\/", "/")
        try:
            parsed(body)
        except PatternError as error:
            message = f"{token.text} is not a regular expression: {error}"
            raise self._cursor.error(message) from error
        self._cursor.take()
        return {"type": "string", "pattern": f"^(?:{body})$"}

    def _range(self, word: str) -> JsonObject:
        cursor, first = self._cursor, self._cursor.token
        example = {"int": "int 0..120", "float": "float 0..1.5"}.get(word)
        if example is None:
            raise cursor.error(f"only int and float have a range, not {word}")
        low = _read_number(cursor) if first.kind is Kind.NUMBER else None
        if not cursor.takes(".."):
            raise cursor.error(f"a range is written `{example}`", first)
        high = _read_number(cursor) if cursor.token.kind is Kind.NUMBER else None
        if low is not None and high is not None and low > high:
            raise cursor.error(f"the range is empty: {low} is above {high}", first)
        if low is None and high is None:
            raise cursor.error(f"a range needs a bound, as in `{example}`", first)
        bounds: JsonObject = {"minimum": low, "maximum": high}
        return {keyword: bound for keyword, bound in bounds.items() if bound is not None}

    def _unknown(self) -> SchemaSyntaxError:
        cursor, token = self._cursor, self._cursor.token
        written = _FREE_TEXT.match(cursor.lines[token.line - 1], token.column - 1)
        text = written.group().strip() if written else ""
        found = misspelt(cursor) or self._unquoted(text)
        if found is not None:
            return found
        if text == token.text and token.kind is Kind.NAME:
            return self._unknown_word(text)
        if not text:
            shown = f"`{token.text}`" if token.text else "nothing"
            return cursor.error(f"expected a type and found {shown}; write for example `str`")
        return cursor.error(
            f"{text!r} is not a type; a description goes behind `#`: `{self._field}: str  # {text}`"
        )

    def _unknown_word(self, text: str) -> SchemaSyntaxError:
        meant = words.suggestion(text)
        if meant:
            return self._cursor.error(f"unknown type {text!r}; did you mean {meant!r}?")
        return self._cursor.error(
            f"unknown type {text!r}; use one of {', '.join(words.TYPES)}, "
            f"or describe a text: `{self._field}: str  # {text}`"
        )

    def _unquoted(self, text: str) -> SchemaSyntaxError | None:
        """Return the error of choices without quotes; None where `text` is none of them."""
        cursor = self._cursor
        parts = [part.strip() for part in text.split("|")]
        is_union = len(parts) > 1 or cursor.tokens[cursor.at - 1].text == "|"
        if not is_union or not all(map(_CHOICE.fullmatch, parts)):
            return None
        bare = [each for each in parts if not each.startswith(('"', "'"))]
        unknown = [each for each in bare if words.type_word(each) not in words.TYPES]
        if all(map(words.suggestion, unknown)):
            return self._unknown_word(unknown[0])
        quoted = " | ".join(f'"{each}"' if each in unknown else each for each in parts)
        return cursor.error(f"choices are quoted: `{quoted}`")
