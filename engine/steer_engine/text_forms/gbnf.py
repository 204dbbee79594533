"""Reads GBNF, llama.cpp's notation for grammars, into rules."""

from __future__ import annotations

import re
from collections.abc import Callable

from steer_engine.errors import SchemaSyntaxError
from steer_engine.text_forms.expressions import (
    Expression,
    Reference,
    Repeat,
    alternatives,
    characters,
    characters_but,
    literal,
    sequence,
)

ROOT = "root"

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_DEFINES = re.compile(r"::=")
_SPACE = re.compile(r"(?:[ \t]|#[^\r\n]*)*")
_SPACE_AND_LINES = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_LINE_END = re.compile(r"\r\n|\r|\n")
_RANGE = re.compile(r"-(?!\])")
_REPEAT = re.compile(r"[*+?]|\{\s*(\d{1,6})\s*(?:(,)\s*(\d{1,6})?\s*)?\}")
_ESCAPE = re.compile(r"\\(?:([tnr\\\"\[\]])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_COUNTS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_MAX_DEPTH = 100  # of parentheses
_MAX_REPEATS = 10  # of one part, as in "a"?*
_MAX_RULES = 2000


def read_gbnf(text: str) -> dict[str, Expression]:
    """Return the rules by name, in order; `ROOT` is among them.

    Raises:
        SchemaSyntaxError: the text cannot be read, or says what cannot be converted exactly.
    """
    return _Reader(text).grammar()


class _Reader:
    """Stands at a place in the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._used: dict[str, int] = {}  # where each rule is first used

    def grammar(self) -> dict[str, Expression]:
        rules: dict[str, Expression] = {}
        self._skip(_SPACE_AND_LINES)
        while self._at < len(self._text):
            start, name = self._at, self._need(_NAME, "the name of a rule")
            if len(rules) == _MAX_RULES:
                raise self._error(f"there are more than {_MAX_RULES} rules", at=start)
            if name in rules:
                raise self._error(f"the rule {name} is defined twice", at=start)
            self._skip(_SPACE)
            self._need(_DEFINES, "::= after the name of the rule")
            self._skip(_SPACE_AND_LINES)
            rules[name] = self._alternatives(_SPACE)
            if self._at < len(self._text):
                self._need(_LINE_END, "the end of the line")
            self._skip(_SPACE_AND_LINES)
        for name, at in self._used.items():
            if name not in rules:
                raise self._error(f"there is no rule {name}", at=at)
        if ROOT not in rules:
            raise self._error(f"the grammar has no rule {ROOT}, with which every text begins", at=0)
        return rules

    def _alternatives(self, space: re.Pattern[str]) -> Expression:
        options = [self._sequence(space)]
        while self._next("|"):
            self._skip(_SPACE_AND_LINES)
            options.append(self._sequence(space))
        return alternatives(options)

    def _sequence(self, space: re.Pattern[str]) -> Expression:
        items: list[Expression] = []
        while (item := self._item()) is not None:
            self._skip(space)
            for _ in range(_MAX_REPEATS):
                if (repeat := self._match(_REPEAT)) is None:
                    break
                item = Repeat(item, *self._counts(repeat))
                self._skip(space)
            items.append(item)
        return sequence(items)

    def _item(self) -> Expression | None:
        start = self._at
        readers: dict[str, Callable[[], Expression]] = {
            '"': self._literal,
            "[": self._class,
            "(": self._group,
            ".": lambda: characters_but(()),
        }
        for opening, read in readers.items():
            if self._next(opening):
                return read()
        if name := self._match(_NAME):
            self._used.setdefault(name[0], start)
            return Reference(name[0])
        if self._text[start : start + 1] in ("<", "!"):
            raise self._error("control tokens cannot be part of an answer", at=start)
        return None

    def _group(self) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("parentheses are nested too deeply")
        self._skip(_SPACE_AND_LINES)
        inner = self._alternatives(_SPACE_AND_LINES)
        if not self._next(")"):
            raise self._error("expected ) here")
        self._depth -= 1
        return inner

    def _literal(self) -> Expression:
        text = []
        while not self._next('"'):
            text.append(self._character('the closing " of a text'))
        return literal("".join(text))

    def _class(self) -> Expression:
        start = self._at
        is_negated = self._next("^")
        ranges = []
        while not self._next("]"):
            first = last = self._character("the closing ] of a class")
            if self._match(_RANGE):
                last = self._character("the end of a range")
            if first > last:
                raise self._error(f"the range {first!r} to {last!r} is the wrong way round")
            ranges.append((ord(first), ord(last)))
        if not ranges and not is_negated:
            raise self._error("the class [] holds no character", at=start)
        return (characters_but if is_negated else characters)(tuple(ranges))

    def _character(self, expected: str) -> str:
        start = self._at
        if start == len(self._text):
            raise self._error(f"the text ends before {expected}")
        if self._text[start] != "\\":
            self._at += 1
            return self._checked(ord(self._text[start]), start)
        escape = self._match(_ESCAPE)
        if escape is None:
            raise self._error(f"{self._text[start : start + 2]} is no escape of GBNF")
        if escape[1]:
            return _CONTROLS.get(escape[1], escape[1])
        return self._checked(int(escape[2] or escape[3] or escape[4], 16), start)

    def _checked(self, point: int, at: int) -> str:
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise self._error(f"{point:#x} is no character", at=at)
        return chr(point)

    def _counts(self, repeat: re.Match[str]) -> tuple[int, int | None]:
        if repeat[0] in _COUNTS:
            return _COUNTS[repeat[0]]
        least = int(repeat[1])
        most = least if not repeat[2] else int(repeat[3]) if repeat[3] else None
        if most is not None and most < least:
            raise self._error(f"{repeat[0]} has its limits the wrong way round", at=repeat.start())
        return least, most

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _next(self, opening: str) -> bool:
        is_next = self._text.startswith(opening, self._at)
        self._at += len(opening) * is_next
        return is_next

    def _skip(self, space: re.Pattern[str]) -> None:
        self._match(space)

    def _need(self, pattern: re.Pattern[str], expected: str) -> str:
        match = self._match(pattern)
        if match is None:
            raise self._error(f"expected {expected} here")
        return match[0]

    def _error(self, message: str, *, at: int | None = None) -> SchemaSyntaxError:
        at = self._at if at is None else at
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        return SchemaSyntaxError(f"GBNF: {message}", line=line, column=column)
