"""Whether a lexer that takes the longest text it can reads a grammar as its author meant it.

A grammar without a lexer may end a terminal wherever that leads to a text. A lexer goes on as long
as it can. The two agree where no character with which a terminal, or one that may stand in its
place, can go on is a character with which what follows can begin.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Generic, TypeVar

from steer_engine.schema.patterns.syntax import Range
from steer_engine.text_forms.expressions import (
    Alternatives,
    Characters,
    Expression,
    Reference,
    Repeat,
    Sequence,
)

Leaf = TypeVar("Leaf", bound=Hashable)
_MAX_PLACES = 400  # of one terminal; the comparison of two takes the product
_MAX_RIVALS = 10_000  # pairs of terminals that may stand at one place


@dataclass(frozen=True, slots=True)
class Edges(Generic[Leaf]):
    """What an expression can begin and end with, and whether it can be empty."""

    is_nullable: bool = True
    first: frozenset[Leaf] = frozenset()
    last: frozenset[Leaf] = frozenset()


class Adjacency(Generic[Leaf]):
    """Which leaves can stand side by side in the texts of expressions."""

    def __init__(self, edges_of_leaf: Callable[[Expression], Edges[Leaf]]) -> None:
        self.following: dict[Leaf, set[Leaf]] = {}
        self._edges_of_leaf = edges_of_leaf

    def edges(self, expression: Expression) -> Edges[Leaf]:
        """Return the edges of `expression`, and note in `following` what stands side by side.

        Counts do not count: what repeats may repeat for ever.
        """
        match expression:
            case Sequence(items):
                total: Edges[Leaf] = Edges()
                for item in items:
                    total = self._joined(total, self.edges(item))
                return total
            case Alternatives(options):
                each = [self.edges(option) for option in options]
                return Edges(
                    any(edges.is_nullable for edges in each),
                    frozenset[Leaf]().union(*(edges.first for edges in each)),
                    frozenset[Leaf]().union(*(edges.last for edges in each)),
                )
            case Repeat(body, least, most):
                inner = self.edges(body)
                if most is None or most > 1:
                    self._note(inner.last, inner.first)
                return Edges(inner.is_nullable or least == 0, inner.first, inner.last)
            case _:
                return self._edges_of_leaf(expression)

    def _joined(self, left: Edges[Leaf], right: Edges[Leaf]) -> Edges[Leaf]:
        self._note(left.last, right.first)
        return Edges(
            left.is_nullable and right.is_nullable,
            left.first | right.first if left.is_nullable else left.first,
            left.last | right.last if right.is_nullable else right.last,
        )

    def _note(self, left: frozenset[Leaf], right: frozenset[Leaf]) -> None:
        for leaf in left:
            self.following.setdefault(leaf, set()).update(right)


class Automaton:
    """A terminal's places, each with the characters that stand there."""

    def __init__(self, terminal: Expression) -> None:
        self.classes: list[tuple[Range, ...]] = []
        adjacency = Adjacency[int](self._place)
        self.edges = adjacency.edges(terminal)
        self.following: Mapping[int, set[int]] = adjacency.following

    def _place(self, expression: Expression) -> Edges[int]:
        if not isinstance(expression, Characters):
            raise TypeError("a terminal is made of characters")
        self.classes.append(expression.ranges)
        place = frozenset([len(self.classes) - 1])
        return Edges(is_nullable=False, first=place, last=place)

    @cached_property
    def lead_bytes(self) -> frozenset[int]:
        """The bytes with which its texts can begin."""
        return frozenset().union(*(_lead_bytes(self.classes[place]) for place in self.edges.first))

    def going_on(self, other: Automaton) -> frozenset[int]:
        """Return the bytes with which `other` can go on after a whole text of this one."""
        waiting = list(product(self.edges.first, other.edges.first))
        seen, found = set[tuple[int, int]](), set[int]()
        while waiting:
            mine, its = pair = waiting.pop()
            if pair in seen or not _overlap(self.classes[mine], other.classes[its]):
                continue
            seen.add(pair)
            follows = other.following.get(its, set())
            if mine in self.edges.last:
                found.update(*(_lead_bytes(other.classes[place]) for place in follows))
            waiting += product(self.following.get(mine, ()), follows)
        return frozenset(found)


def lexes_exactly(
    rules: Mapping[str, Expression], terminals: Mapping[str, Expression], root: str
) -> bool:
    """Tell whether the longest terminal is always the right one. False where that is not known.

    `rules` refer to each other and to `terminals`, which refer to nothing.
    """
    automata = {name: Automaton(terminal) for name, terminal in terminals.items()}
    if any(len(automaton.classes) > _MAX_PLACES for automaton in automata.values()):
        return False
    known: dict[str, Edges[str]] = {
        name: Edges(automaton.edges.is_nullable, frozenset([name]), frozenset([name]))
        for name, automaton in automata.items()
    }
    adjacency = Adjacency[str](
        lambda leaf: (
            known.get(leaf.name, Edges(is_nullable=False))
            if isinstance(leaf, Reference)
            else Edges()
        )
    )
    while (grown := {name: adjacency.edges(body) for name, body in rules.items()}) != {
        name: known.get(name) for name in rules
    }:
        known |= grown
    following = adjacency.following
    together = {known[root].first, *map(frozenset, following.values())}
    if sum(len(group) ** 2 for group in together) > _MAX_RIVALS:
        return False
    rivals = {pair for group in together for pair in product(group, group)}
    return all(
        automata[name].going_on(automata[rival]).isdisjoint(automata[after].lead_bytes)
        for name, rival in rivals
        for after in following.get(name, ())
    )


def _overlap(left: tuple[Range, ...], right: tuple[Range, ...]) -> bool:
    return any(a <= d and c <= b for a, b in left for c, d in right)


def _lead_bytes(ranges: tuple[Range, ...]) -> set[int]:
    """Return the first bytes of the characters in UTF-8, in which order follows code points."""
    return {
        byte
        for first, last in ranges
        for byte in range(chr(first).encode()[0], chr(last).encode()[0] + 1)
    }
