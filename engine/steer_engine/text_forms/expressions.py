"""Expressions over characters and rules, and how they are spelled as a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.schema.patterns.syntax import Range, complement

_MEANINGFUL = re.compile(r"[^A-Za-z0-9 _,:;=@%\"'<>!`]")
_SURROGATES: Range = (0xD800, 0xDFFF)


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of `ranges`, which are in order and hold no surrogates."""

    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; empty, it is the empty text."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of several; without options nothing matches."""

    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`body` from `least` to `most` times; no `most` means without an end."""

    body: Expression
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Reference:
    """The rule of that name."""

    name: str


Expression: TypeAlias = "Characters | Sequence | Alternatives | Repeat | Reference"

EMPTY = Sequence(())
NOTHING = Alternatives(())


def characters(ranges: tuple[Range, ...]) -> Characters:
    """Return one character of `ranges`, which may overlap and come in any order."""
    return Characters(complement((*complement(ranges), _SURROGATES)))


def characters_but(ranges: tuple[Range, ...]) -> Characters:
    """Return one character that is not in `ranges`."""
    return Characters(complement((*ranges, _SURROGATES)))


_ANY = characters_but(())


def literal(text: str) -> Expression:
    """Return the expression that only `text` matches."""
    return sequence([Characters(((ord(each), ord(each)),)) for each in text])


def sequence(items: list[Expression]) -> Expression:
    """Return `items` one after the other."""
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def alternatives(options: list[Expression]) -> Expression:
    """Return one of `options`."""
    return options[0] if len(options) == 1 else Alternatives(tuple(options))


def children(expression: Expression) -> tuple[Expression, ...]:
    """Return the direct parts."""
    match expression:
        case Sequence(parts) | Alternatives(parts):
            return parts
        case Repeat(body):
            return (body,)
        case _:
            return ()


def references(expression: Expression) -> set[str]:
    """Return the names of the rules that `expression` uses."""
    if isinstance(expression, Reference):
        return {expression.name}
    return {name for child in children(expression) for name in references(child)}


def replaced(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return `expression` with its direct parts changed."""
    match expression:
        case Sequence(items):
            return Sequence(tuple(map(change, items)))
        case Alternatives(options):
            return Alternatives(tuple(map(change, options)))
        case Repeat(body, least, most):
            return Repeat(change(body), least, most)
        case _:
            return expression


def pruned(expression: Expression, has_texts: Callable[[str], bool]) -> Expression:
    """Return `expression` without the parts that no text matches; `NOTHING` if none is left.

    `has_texts` tells it of a rule.
    """
    match expression:
        case Characters(ranges):
            return expression if ranges else NOTHING
        case Reference(name):
            return expression if has_texts(name) else NOTHING
        case Alternatives(options):
            kept = [each for option in options if (each := pruned(option, has_texts)) != NOTHING]
            return alternatives(kept)
        case Sequence(items):
            parts = [pruned(item, has_texts) for item in items]
            return NOTHING if NOTHING in parts else sequence(parts)
        case Repeat(body, least, most):
            body = pruned(body, has_texts)
            if body == NOTHING or most == 0:
                return EMPTY if least == 0 else NOTHING
            return Repeat(body, least, most)


def spelled(expression: Expression) -> str:
    """Return an expression without references as Rust spells regular expressions."""
    match expression:
        case Characters(ranges):
            return _spelled_class(ranges)
        case Sequence(items):
            return "".join(map(spelled, items))
        case Alternatives(options):
            return f"(?:{'|'.join(map(spelled, options))})"
        case Repeat(body, least, most):
            inner = spelled(body)
            group = inner if isinstance(body, Characters) else f"(?:{inner})"
            return f"{group}{count(least, most)}"
        case Reference(name):
            raise ValueError(f"the rule {name} has no spelling of its own")


def count(least: int, most: int | None) -> str:
    """Return the suffix that repeats what stands before it."""
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    return short.get((least, most)) or f"{{{least},{'' if most is None else most}}}"


def _spelled_class(ranges: tuple[Range, ...]) -> str:
    if ranges == _ANY.ranges:
        return "(?s:.)"
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _spelled_character(ranges[0][0])
    return f"[{''.join(_spelled_range(first, last) for first, last in ranges)}]"


def _spelled_range(first: int, last: int) -> str:
    end = "" if first == last else f"-{_spelled_character(last)}"
    return _spelled_character(first) + end


def escaped(text: str) -> str:
    """Return the regular expression that only `text` matches."""
    return _MEANINGFUL.sub(lambda character: _spelled_character(ord(character[0])), text)


def _spelled_character(point: int) -> str:
    return f"\\x{{{point:X}}}" if _MEANINGFUL.match(chr(point)) else chr(point)
