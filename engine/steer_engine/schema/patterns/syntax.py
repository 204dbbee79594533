"""Regular expressions as ECMA-262 writes them (unicode flag), read into a tree.

Read more kindly than the letter of the standard where browsers without the flag are, too: any
punctuation may be escaped, and a brace or bracket that closes nothing stands for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

MAX_CODE_POINT = 0x10FFFF
Range: TypeAlias = "tuple[int, int]"
"""First and last code point."""


class PatternError(ValueError):
    """The text is no regular expression; the message says why."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character: in the ranges or with one of the properties, or, negated, none of these."""

    ranges: tuple[Range, ...] = ()
    properties: tuple[tuple[str, bool], ...] = ()  # ("Script=Greek", whether it is negated)
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; empty, it matches the empty text."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group, counted from 1 by its opening parenthesis."""

    number: int
    body: Node


@dataclass(frozen=True, slots=True)
class Repeat:
    """`body` from `least` to `most` times; no `most` means without an end."""

    body: Node
    least: int
    most: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What must, or negated must not, stand before or behind this place."""

    body: Node
    behind: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Boundary:
    r"""`\b`, or negated `\B`."""

    negated: bool


@dataclass(frozen=True, slots=True)
class Start:
    """`^`: the text begins here, or, of lines, a line does."""

    of_lines: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """`$`: the text ends here, or, of lines, a line does."""

    of_lines: bool = False


@dataclass(frozen=True, slots=True)
class BackReference:
    """What the groups of this number, or of this name, matched before."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CaseBlind:
    """`body` without regard to upper and lower case, or with it again."""

    body: Node
    blind: bool


Node: TypeAlias = (
    Characters
    | Sequence
    | Choice
    | Group
    | Repeat
    | Look
    | Boundary
    | Start
    | End
    | BackReference
    | CaseBlind
)

EMPTY = Sequence(())
DIGITS: tuple[Range, ...] = ((0x30, 0x39),)
WORD: tuple[Range, ...] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
LINE_ENDS: tuple[Range, ...] = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
SPACE: tuple[Range, ...] = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)


def complement(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """Return the ranges of all other code points, in order."""
    result, start = [], 0
    for first, last in sorted(ranges):
        if first > start:
            result.append((start, first - 1))
        start = max(start, last + 1)
    if start <= MAX_CODE_POINT:
        result.append((start, MAX_CODE_POINT))
    return tuple(result)
