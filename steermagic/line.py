"""Telling options from schema text on a magic's line.

A schema may hold anything an option may look like: quotes, hyphens, slashes, comments. So the line
is walked once; options count only where a word begins outside quotes, brackets, patterns and
comments. What remains is verbatim, and stays where it was, so that columns in errors are true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from steermagic.errors import OptionError
from steermagic.options import is_option, option_of

_OPTION = re.compile(r"(?:[–—]|--|-(?=[^\W\d_]))[^\s=]*")  # an editor's dash counts, to be reported
_QUOTED = re.compile(r"""(["'])(?:(?!\1)[^\\]|\\.)*\1""")
_PATTERN = re.compile(r"/(?:[^/\\]|\\.)+/")
_COMMENT = re.compile(r"#.*", re.DOTALL)
_COUNT = re.compile(r"\d+(?!\S)")


@dataclass(frozen=True, slots=True)
class Line:
    """A magic's line: its options by flag, and its other text with the options blanked out."""

    text: str
    options: dict[str, str]


def read_line(line: str) -> Line:
    """Split `line` into options and text.

    Raises:
        OptionError: an option is unknown, given twice, or lacks its value.
    """
    kept, options = list(line), dict[str, str]()
    seen = set[str]()
    for given in _options(line):
        name = option_of(given.flag).name
        if name in seen:
            raise OptionError(f"{given.flag} is given twice")
        seen.add(name)
        options[given.flag] = given.value
        kept[given.start : given.end] = " " * (given.end - given.start)
    return Line("".join(kept), options)


def takes_option(line: str) -> bool:
    """Tell whether an option could go on with `line`: it is not in brackets, or in a comment."""
    try:
        starts = [given.start for given in _options(f"{line}--quiet")]
    except OptionError:
        return False
    return len(line) in starts


@dataclass(frozen=True, slots=True)
class _Given:
    """An option as it stands in ``line[start:end]``."""

    flag: str
    value: str
    start: int
    end: int


def _options(line: str) -> Iterator[_Given]:
    position, depth, before = 0, 0, ""  # `before`: the last schema character, spaces left out
    while position < len(line):
        at_word = position == 0 or line[position - 1].isspace()
        if at_word and depth == 0 and (match := _OPTION.match(line, position)):
            given = _read_option(line, match)
            yield given
            position = given.end
            continue
        end = _end_of_literal(line, position, at_word=at_word, before=before)
        depth = max(0, depth + _nesting(line[position])) if end == position + 1 else depth
        before = line[position:end].strip()[-1:] or before
        position = end


def _end_of_literal(line: str, position: int, *, at_word: bool, before: str) -> int:
    """Return where the quoted text, pattern or comment at `position` ends; else one further."""
    character = line[position]
    literal = None
    if character in "\"'":
        literal = _QUOTED
    elif character == "#" and at_word:
        literal = _COMMENT
    elif character == "/" and before and (at_word or before in ":|[,"):
        literal = _PATTERN  # with nothing before it, a slash begins a path
    match = literal.match(line, position) if literal else None
    if match and literal is _COMMENT:
        _refuse_options_in(match[0])
    return match.end() if match else position + 1


def _refuse_options_in(comment: str) -> None:
    # A comment may speak of an option. One that ends in an option was meant to set it.
    *_, before, last = ["", "", *comment.split()]
    for word in (last, before):
        if is_option(word) and (word == last or option_of(word).read is not None):
            raise OptionError(f"{word} stands in a comment; put options before the #")


def _nesting(character: str) -> int:
    return (character in "[{(") - (character in "]})")


def _read_option(line: str, match: re.Match[str]) -> _Given:
    flag, end = match[0], match.end()
    option = option_of(flag)
    has_equals = line[end : end + 1] == "="
    if option.read is None:
        if has_equals:
            raise OptionError(f"{flag} is a switch and takes no value")
        return _Given(flag, "", match.start(), end)
    start = end + 1 if has_equals else end + _n_spaces(line[end:])
    if option.bare is not None and not has_equals and not _COUNT.match(line, start):
        return _Given(flag, option.bare, match.start(), end)
    value, end = _read_value(line, start, flag=flag, example=option.example)
    return _Given(flag, value, match.start(), end)


def _read_value(line: str, start: int, *, flag: str, example: str) -> tuple[str, int]:
    """Return the value at `start`, without its quotes, and where it ends."""
    if line[start : start + 1] in ("'", '"'):
        quoted = _QUOTED.match(line, start)
        if quoted is None:
            raise OptionError(f"the quote after {flag} is never closed")
        if line[quoted.end() : quoted.end() + 1].strip():
            raise OptionError(f"there must be a space after the quoted value of {flag}")
        return re.sub(r"\\([\"'])", r"\1", quoted[0][1:-1]), quoted.end()
    end = _end_of_bare(line, start)
    value = line[start:end]
    if not value or _OPTION.match(value):
        raise OptionError(f"{flag} needs a value: {flag} {example}")
    return value, end


def _end_of_bare(line: str, start: int) -> int:
    """Return where the value at `start` ends: at a space, but at none in brackets that close."""
    position, depth, first_space = start, 0, None
    while position < len(line) and (depth > 0 or not line[position].isspace()):
        quoted = _QUOTED.match(line, position) if depth > 0 else None
        if first_space is None and line[position].isspace():
            first_space = position
        if quoted is None:
            depth = max(0, depth + _nesting(line[position]))
        position = quoted.end() if quoted else position + 1
    return position if depth == 0 or first_space is None else first_space


def _n_spaces(text: str) -> int:
    return len(text) - len(text.lstrip())
