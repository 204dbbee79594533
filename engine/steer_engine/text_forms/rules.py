"""Rules of a grammar made simpler without changing its texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from steer_engine.text_forms.expressions import (
    NOTHING,
    Alternatives,
    Expression,
    Reference,
    Repeat,
    Sequence,
    alternatives,
    pruned,
    references,
    sequence,
)

Rules: TypeAlias = Mapping[str, Expression]


def productive(rules: Rules) -> dict[str, Expression]:
    """Return `rules` without what no finite text matches; a rule without texts is left out."""
    known: dict[str, Expression] = {}
    before: dict[str, Expression] | None = None
    while known != before:
        before = dict(known)
        for name, body in reversed([*rules.items()]):  # most are written before what they use
            if (kept := pruned(body, known.__contains__)) != NOTHING:
                known[name] = kept
    return {name: known[name] for name in rules if name in known}


def reachable(rules: Rules, root: str) -> dict[str, Expression]:
    """Return those of `rules` that `root` leads to."""
    found, waiting = dict[str, Expression](), [root]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = rules[name]
            waiting += references(rules[name])
    return found


def unrolled(rules: Rules) -> dict[str, Expression]:
    """Return `rules` in which one that only goes on with itself repeats instead.

    ``x ::= a x | b`` is ``a* b``, and ``x ::= x a | b`` is ``b a*``.
    """
    return {name: _unrolled(name, body) for name, body in rules.items()}


def recursive(rules: Rules) -> frozenset[str]:
    """Return the rules that lead to themselves, or to one that does: those no lexer can read."""
    flat: set[str] = set()
    n_before = -1
    while len(flat) > n_before:
        n_before = len(flat)
        flat |= {name for name in reversed([*rules]) if references(rules[name]) <= flat}
    return frozenset(rules) - flat


def _unrolled(name: str, body: Expression) -> Expression:
    options = [_items(option) for option in _options(body)]
    me = Reference(name)
    again = [items for items in options if me in items]
    others = [items for items in options if me not in items]
    for outer, rest in ((-1, slice(None, -1)), (0, slice(1, None))):
        parts = [items[rest] for items in again]
        is_plain = not any(name in references(Sequence(tuple(each))) for each in parts + others)
        if again and is_plain and all(items[outer] == me for items in again):
            repeat = Repeat(alternatives([sequence(each) for each in parts]), 0, None)
            end = alternatives([sequence(items) for items in others])
            return sequence([repeat, end] if outer else [end, repeat])
    return body


def _options(body: Expression) -> list[Expression]:
    """Return the options of `body`; an optional part is one, and so is the empty text."""
    if isinstance(body, Alternatives):
        return [each for option in body.options for each in _options(option)]
    if isinstance(body, Repeat) and (body.least, body.most) == (0, 1):
        return [*_options(body.body), Sequence(())]
    return [body]


def _items(option: Expression) -> list[Expression]:
    if isinstance(option, Sequence):
        return [item for part in option.items for item in _items(part)]
    return [option]
