"""The tokens of the compact notation, and the cursor that a parser moves over them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from steer_engine.errors import SchemaSyntaxError

_TAB_WIDTH = 8  # as Python counts indentation


class Kind(Enum):
    """What a token is; JUNK is any character that begins no token, kept for the error message."""

    NAME = auto()
    STRING = auto()
    DOCSTRING = auto()
    NUMBER = auto()
    REGEX = auto()
    SIGN = auto()
    NEWLINE = auto()
    END = auto()
    JUNK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `line` and `column` count from 1, `indent` is the width before its line."""

    kind: Kind
    text: str
    line: int
    column: int
    indent: int


_TOKEN = re.compile(
    r"""
      (?P<NEWLINE>   \n )
    | (?P<SPACE>     [^\S\n]+ )
    | (?P<COMMENT>   \#[^\n]* )
    | (?P<DOCSTRING> \"{3} (?:[^"\\]|\\.|"(?!""))* \"{3} )
    | (?P<STRING>    "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    | (?P<REGEX>     /(?:[^/\\\n]|\\.)+/ )
    | (?P<NUMBER>    -?\d+(?:\.\d+)?(?:[eE][+-]?\d+)? )
    | (?P<NAME>      [^\W\d]\w* (?:\.[^\W\d]\w*)* )
    | (?P<SIGN>      \.\. | [][{}():,|=] )
    | (?P<JUNK>      . )
    """,
    re.VERBOSE,
)


class Cursor:
    """The position of a parser in a text.

    `comments` holds the comments that stand behind something, by line; whoever uses one pops it.
    """

    def __init__(self, text: str) -> None:
        self.lines, self.tokens, self.comments = _tokenized(text)
        self.at = 0

    @property
    def token(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.at]

    def ahead(self, n_tokens: int = 1) -> Token:
        """Return the token that many further on, or the end."""
        return self.tokens[min(self.at + n_tokens, len(self.tokens) - 1)]

    def is_at(self, *signs: str) -> bool:
        """Tell whether the next token is one of these signs."""
        return self.token.kind is Kind.SIGN and self.token.text in signs

    def at_end(self) -> bool:
        """Tell whether everything is read."""
        return self.token.kind is Kind.END

    def at_line_end(self) -> bool:
        """Tell whether nothing else stands on this line."""
        return self.token.kind in (Kind.NEWLINE, Kind.END)

    def take(self) -> Token:
        """Return the next token and go past it; the end is never passed."""
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def takes(self, sign: str) -> bool:
        """Go past `sign` if it comes next, and tell whether it did."""
        found = self.is_at(sign)
        if found:
            self.take()
        return found

    def skip_newlines(self) -> None:
        """Go past line breaks, which mean nothing inside brackets."""
        while self.token.kind is Kind.NEWLINE:
            self.take()

    def close(self, sign: str, opened: Token) -> None:
        """Go past the bracket that closes `opened`."""
        self.skip_newlines()
        if self.at_end():
            raise self.error(f"`{opened.text}` is never closed; add `{sign}`", opened)
        if not self.takes(sign):
            raise self.error(f"expected `{sign}` and found `{self.token.text}`")

    def text_between(self, first: Token, after: Token) -> str:
        """Return what is written from `first` up to `after`, at most to the end of its line."""
        end = after.column - 1 if after.line == first.line else None
        return self.lines[first.line - 1][first.column - 1 : end].strip()

    def error(self, message: str, token: Token | None = None) -> SchemaSyntaxError:
        """Return the error that points at `token`, or at the next token."""
        token = token or self.token
        return SchemaSyntaxError(message, line=token.line, column=token.column)


def _tokenized(text: str) -> tuple[tuple[str, ...], tuple[Token, ...], dict[int, str]]:
    # Never fails, since only the parser can say what is missing: the rest becomes JUNK.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = tuple(text.split("\n"))
    tokens: list[Token] = []
    comments: dict[int, str] = {}
    line, start = 1, 0
    for match in _TOKEN.finditer(text):
        kind, spelling, column = str(match.lastgroup), match.group(), match.start() - start + 1
        continues = bool(tokens) and tokens[-1].kind is not Kind.NEWLINE
        if kind == "COMMENT" and continues:
            comments[line] = spelling.removeprefix("#").strip()
        elif kind in Kind.__members__ and (kind != "NEWLINE" or continues):
            tokens.append(Token(Kind[kind], spelling, line, column, _indent(lines[line - 1])))
        if "\n" in spelling:  # a line break, or a docstring over several lines
            line += spelling.count("\n")
            start = match.start() + spelling.rindex("\n") + 1
    tokens.append(Token(Kind.END, "", line, len(lines[-1]) + 1, 0))
    return lines, tuple(tokens), comments


def _indent(line: str) -> int:
    expanded = line.expandtabs(_TAB_WIDTH)
    return len(expanded) - len(expanded.lstrip())
