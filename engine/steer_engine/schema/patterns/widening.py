"""What of a pattern the mask compiler can read: plain regular expressions of whole texts.

The result matches every text that the pattern matches, and may match more: look-around, word
boundaries and anchors in the midst are left out, back references become what their group matches.
Ways that can lead nowhere, as `a^`, are taken out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from steer_engine.schema.patterns.parser import parsed
from steer_engine.schema.patterns.properties import ranges_of
from steer_engine.schema.patterns.syntax import (
    EMPTY,
    MAX_CODE_POINT,
    BackReference,
    CaseBlind,
    Characters,
    Choice,
    End,
    Group,
    Look,
    Node,
    Range,
    Repeat,
    Sequence,
    Start,
    complement,
)

# JSON has no short escape for these: they are written only where nothing else can stand. A model
# that means `\u00e9` would find itself with one wherever they were allowed.
_CONTROLS: tuple[Range, ...] = ((0x01, 0x07), (0x0B, 0x0B), (0x0E, 0x1F), (0x7F, 0x7F))
_NUL: Range = (0x00, 0x00)
_SURROGATES: Range = (0xD800, 0xDFFF)
_ANYTHING = Repeat(Characters(negated=True), 0, None)
_NEVER = Characters()
_NOTHING = rf"[^\x00-\x{{{MAX_CODE_POINT:X}}}]"
_WRITABLE = complement((_NUL, *_CONTROLS, _SURROGATES))
_MAX_COPIED = 100  # nodes of a group that a back reference repeats


@lru_cache(maxsize=1024)
def widened(pattern: str) -> tuple[str, bool]:
    """Return a pattern for the mask compiler, and whether it matches the same texts.

    Empty where nothing can be said. Characters that the mask does not write do not count. Raises
    `PatternError`.
    """
    plain = _Plain()
    tree = _possible(plain.of(parsed(pattern)), follows=False, goes_on=False)
    tree = _with_context(_with_context(tree, Start), End)
    if tree == _ANYTHING:
        return "", plain.is_exact
    speller = _Speller()
    text = f"^(?:{speller.spelled(tree)})$"
    return text, plain.is_exact and speller.is_exact


class _Plain:
    """Leaves out what looks around, and notes that something was lost."""

    def __init__(self) -> None:
        self.is_exact = True
        self._blind = False
        self._groups: dict[int, Node] = {}

    def of(self, node: Node) -> Node:
        """Return `node` of characters, sequences, choices, repeats and outer anchors only."""
        match node:
            case Characters() | Start(of_lines=False) | End(of_lines=False):
                return node
            case Sequence(items):
                return _joined(self.of(item) for item in items)
            case Choice(options):
                return Choice(tuple(self.of(option) for option in options))
            case Group(number, body):
                inner = self.of(body)
                self._groups[number] = CaseBlind(inner, blind=True) if self._blind else inner
                return inner
            case Repeat(body, least, most):
                return Repeat(self.of(body), least, most)
        return self._widened(node)

    def _widened(self, node: Node) -> Node:
        self.is_exact = False
        if isinstance(node, BackReference):
            groups = [self._group(number) for number in node.numbers]
            return _ANYTHING if _ANYTHING in groups else Choice((EMPTY, *groups))
        if isinstance(node, Look) and node.negated and _may_be_empty(node.body, anchors=False):
            return _NEVER  # the empty text is everywhere
        if not isinstance(node, CaseBlind):
            return EMPTY
        before, self._blind = self._blind, node.blind
        inner = self.of(node.body)
        self._blind = before
        return CaseBlind(inner, node.blind)

    def _group(self, number: int) -> Node:
        group = self._groups.get(number, _ANYTHING)  # inside a look-around it is not known
        return _unanchored(group) if _size(group) <= _MAX_COPIED else _ANYTHING


def _size(node: Node) -> int:
    match node:
        case Sequence(parts) | Choice(parts):
            return 1 + sum(map(_size, parts))
        case Repeat(body) | CaseBlind(body):
            return 1 + _size(body)
        case _:
            return 1


def _unanchored(node: Node) -> Node:
    """Return `node` for what it matched: that may stand elsewhere when it is repeated."""
    match node:
        case Start() | End():
            return EMPTY
        case Sequence(parts):
            return _joined(map(_unanchored, parts))
        case Choice(options):
            return Choice(tuple(map(_unanchored, options)))
        case Repeat(body) | CaseBlind(body):
            return replace(node, body=_unanchored(body))
    return node


def _may_be_empty(node: Node, *, anchors: bool) -> bool:
    """Tell whether `node` may match the empty text; `anchors` tells whether places may be right."""
    match node:
        case Characters():
            return False
        case Sequence(items):
            return all(_may_be_empty(item, anchors=anchors) for item in items)
        case Choice(options):
            return any(_may_be_empty(option, anchors=anchors) for option in options)
        case Repeat(body, least):
            return least == 0 or _may_be_empty(body, anchors=anchors)
        case Group(_, body) | CaseBlind(body):
            return _may_be_empty(body, anchors=anchors)
    return anchors


def _possible(node: Node, *, follows: bool, goes_on: bool) -> Node:
    """Return a plain `node` without the ways that match nothing.

    `follows` and `goes_on` tell whether characters stand before it and behind it in any case.
    """
    match node:
        case Start() if follows:
            return _NEVER
        case End() if goes_on:
            return _NEVER
        case Choice(options):
            each = (_possible(option, follows=follows, goes_on=goes_on) for option in options)
            kept = tuple(option for option in each if option != _NEVER)
            return Choice(kept) if kept else _NEVER
        case Sequence(items):
            return _possible_sequence(items, follows=follows, goes_on=goes_on)
        case Repeat(body) | CaseBlind(body):
            inner = _possible(body, follows=follows, goes_on=goes_on)
            if inner != _NEVER:
                return replace(node, body=inner)
            return EMPTY if isinstance(node, Repeat) and not node.least else _NEVER
    return node


def _possible_sequence(items: tuple[Node, ...], *, follows: bool, goes_on: bool) -> Node:
    filled = [at for at, item in enumerate(items) if not _may_be_empty(item, anchors=True)]
    first, last = (filled[0], filled[-1]) if filled else (len(items), -1)
    kept = [
        _possible(item, follows=follows or first < at, goes_on=goes_on or at < last)
        for at, item in enumerate(items)
    ]
    return _NEVER if _NEVER in kept else _joined(kept)


def _joined(items: Iterable[Node]) -> Node:
    """Return the sequence of `items` in its shortest form."""
    flat: list[Node] = []
    for item in items:
        for each in item.items if isinstance(item, Sequence) else (item,):
            if not (each == _ANYTHING and flat[-1:] == [_ANYTHING]):
                flat.append(each)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def _with_context(node: Node, anchor: type[Start | End]) -> Node:
    """Return `node` with whatever may stand before it (after it), unless the anchor forbids that.

    Anchors at this end are gone then.
    """
    outer = 0 if anchor is Start else -1
    if not _is_anchored(node, anchor):
        return _joined([_ANYTHING, node] if anchor is Start else [node, _ANYTHING])
    if isinstance(node, Choice):
        return Choice(tuple(_with_context(option, anchor) for option in node.options))
    if not isinstance(node, Sequence):
        return EMPTY  # the anchor itself
    items = list(node.items)
    if not isinstance(items[outer], anchor):
        items[outer] = _with_context(items[outer], anchor)
    while items and isinstance(items[outer], anchor):
        del items[outer]
    return _joined(items)


def _is_anchored(node: Node, anchor: type[Start | End]) -> bool:
    match node:
        case Choice(options):
            return any(_is_anchored(option, anchor) for option in options)
        case Sequence(items):
            return bool(items) and _is_anchored(items[0 if anchor is Start else -1], anchor)
        case _:
            return isinstance(node, anchor)


class _Speller:
    """Writes a plain tree; anchors that are still there are left out, and noted."""

    def __init__(self) -> None:
        self.is_exact = True

    def spelled(self, node: Node) -> str:
        """Return `node` in the syntax of Rust's regular expressions."""
        match node:
            case Characters():
                return _spelled_class(node)
            case Sequence(items):
                return "".join(map(self.spelled, items))
            case Choice(options):
                return f"(?:{'|'.join(map(self.spelled, options))})"
            case CaseBlind(body, blind):
                return f"(?{'i' if blind else '-i'}:{self.spelled(body)})"
            case Repeat(body, least, most):
                inner = self.spelled(body)
                if not isinstance(body, Characters):
                    inner = f"(?:{inner})"
                return f"{inner}{_spelled_count(least, most)}"
            case _:
                self.is_exact = False
                return ""


def _spelled_count(least: int, most: int | None) -> str:
    short = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    return short.get((least, most)) or f"{{{least},{'' if most is None else most}}}"


def _spelled_class(node: Characters) -> str:
    ranges = list(node.ranges)
    for name, negated in node.properties:
        ranges += complement(ranges_of(name)) if negated else ranges_of(name)
    others = tuple(ranges) if node.negated else complement(tuple(ranges))
    kept = complement((*others, _NUL, *_CONTROLS, _SURROGATES))
    kept = kept or complement((*others, _NUL, _SURROGATES))
    if not kept:
        return _NOTHING
    if kept == _WRITABLE:
        return "(?s:.)"
    if len(kept) == 1 and kept[0][0] == kept[0][1]:
        return _spelled_character(kept[0][0])
    return f"[{''.join(_spelled_range(first, last) for first, last in kept)}]"


def _spelled_range(first: int, last: int) -> str:
    end = "" if first == last else f"-{_spelled_character(last)}"
    return _spelled_character(first) + end


def _spelled_character(point: int) -> str:
    character = chr(point)
    is_plain = character.isascii() and (character.isalnum() or character in " _,:;/=@%\"'<>!`")
    return character if is_plain else f"\\x{{{point:X}}}"
