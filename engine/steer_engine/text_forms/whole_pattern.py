"""A regular expression that the whole answer must match, as an expression the mask can enforce."""

from __future__ import annotations

from dataclasses import dataclass, replace

from steer_engine.errors import SchemaError, UnsatisfiableError
from steer_engine.schema.patterns import check_pattern, syntax
from steer_engine.schema.patterns.parser import parsed
from steer_engine.schema.patterns.properties import ranges_of
from steer_engine.schema.patterns.syntax import complement
from steer_engine.text_forms.expressions import (
    EMPTY,
    NOTHING,
    Alternatives,
    Characters,
    Expression,
    Repeat,
    Sequence,
    characters,
    characters_but,
    pruned,
)


def whole_pattern(pattern: str) -> Expression:
    """Return the expression of the texts that `pattern` matches from beginning to end.

    Raises:
        SchemaError: it cannot be read, or holds what no mask can enforce exactly.
        UnsatisfiableError: no text matches it.
    """
    check_pattern(pattern)
    try:
        expression = _Place().expression(parsed(pattern))
    except _NotEnforceableError as error:
        raise SchemaError(
            f"the regular expression {_short(pattern)} cannot be enforced while decoding: {error}"
        ) from None
    expression = pruned(expression, lambda _: True)
    if expression == NOTHING:
        raise UnsatisfiableError(f"no text can match the regular expression {_short(pattern)}")
    return expression


class _NotEnforceableError(Exception):
    """Why the mask cannot enforce a part of the pattern."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Whether the text begins or ends with a part, so that an anchor there says nothing."""

    is_first: bool = True
    is_last: bool = True

    def expression(self, node: syntax.Node) -> Expression:
        """Return the expression of `node`, which stands here."""
        match node:
            case syntax.Characters():
                return _characters(node)
            case syntax.Sequence(items):
                return Sequence(tuple(self._of(i, items) for i in range(len(items))))
            case syntax.Choice(options):
                return Alternatives(tuple(map(self.expression, options)))
            case syntax.Repeat(body, least, most):
                place = self if most == 1 else _Place(is_first=False, is_last=False)
                return Repeat(place.expression(body), least, most)
            case syntax.Group(_, body) | syntax.CaseBlind(body, blind=False):
                return self.expression(body)
        return self._anchor(node)

    def _of(self, i: int, items: tuple[syntax.Node, ...]) -> Expression:
        place = replace(
            self,
            is_first=self.is_first and all(isinstance(item, syntax.Start) for item in items[:i]),
            is_last=self.is_last and all(isinstance(item, syntax.End) for item in items[i + 1 :]),
        )
        return place.expression(items[i])

    def _anchor(self, node: syntax.Node) -> Expression:
        match node:
            case syntax.Start(of_lines=False) if self.is_first:
                return EMPTY
            case syntax.End(of_lines=False) if self.is_last:
                return EMPTY
            case syntax.Look():
                reason = "it looks ahead or behind"
            case syntax.BackReference():
                reason = "it refers back to what a group has matched"
            case syntax.CaseBlind():
                reason = "it ignores case; spell out both, as [Aa]"
            case syntax.Boundary():
                reason = r"it has a word boundary (\b or \B)"
            case _:
                reason = "it has ^ or $ in its midst"
        raise _NotEnforceableError(reason)


def _characters(node: syntax.Characters) -> Characters:
    ranges = list(node.ranges)
    for name, negated in node.properties:
        ranges += complement(ranges_of(name)) if negated else ranges_of(name)
    return characters_but(tuple(ranges)) if node.negated else characters(tuple(ranges))


def _short(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 80 else pattern[:79] + "…")
