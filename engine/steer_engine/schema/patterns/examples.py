"""A short text that a pattern matches."""

from __future__ import annotations

from steer_engine.schema.patterns.parser import parsed
from steer_engine.schema.patterns.search import compiled
from steer_engine.schema.patterns.syntax import (
    CaseBlind,
    Characters,
    Choice,
    Group,
    Node,
    PatternError,
    Repeat,
    Sequence,
)

_LIKED = "a0A-_./ "  # characters that are taken where they may stand
_MAX_LENGTH = 200  # characters
_TIMEOUT_S = 0.1


def example(pattern: str) -> str | None:
    """Return a short text that `pattern` matches; None where none is found in a simple way."""
    try:
        text = _shortest(parsed(pattern))
        return text if compiled(pattern).search(text, timeout=_TIMEOUT_S) else None
    except (PatternError, RecursionError, TimeoutError):
        return None


def _shortest(node: Node) -> str:
    """Return a shortest match; what only looks at a place is taken to agree with it."""
    if isinstance(node, Characters):
        return _character(node)
    if isinstance(node, Sequence):
        return "".join(_shortest(item) for item in node.items)[:_MAX_LENGTH]
    if isinstance(node, Choice):
        return min((_shortest(option) for option in node.options), key=len)
    if isinstance(node, Repeat):
        return _shortest(node.body) * min(node.least, _MAX_LENGTH) if node.least else ""
    return _shortest(node.body) if isinstance(node, Group | CaseBlind) else ""


def _character(node: Characters) -> str:
    allowed = (char for char in _LIKED if _is_in(ord(char), node) != node.negated)
    first = chr(node.ranges[0][0]) if node.ranges and not node.negated else "a"
    return next(allowed, first)


def _is_in(point: int, node: Characters) -> bool:
    return any(first <= point <= last for first, last in node.ranges)
