"""Looks for a pattern in a text, by the `regex` package.

What ECMA-262 means otherwise than `regex` is spelled out: ASCII digits and words, its white space,
`$` at the very end, a back reference that is empty until its group has matched.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from steer_engine.schema.patterns.parser import parsed
from steer_engine.schema.patterns.syntax import (
    BackReference,
    Boundary,
    CaseBlind,
    Characters,
    Choice,
    End,
    Group,
    Look,
    Node,
    PatternError,
    Repeat,
    Sequence,
    Start,
)

if TYPE_CHECKING:
    from regex import Pattern

_WORD = "[0-9A-Z_a-z]"
_EDGE = rf"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_INSIDE = rf"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))"
_LINE_END = r"[\n\r\u2028\u2029]"


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern[str]:
    """Return `pattern` for `regex`; raises `PatternError`."""
    import regex

    text = _Speller().spelled(parsed(pattern))
    try:
        return regex.compile(text)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise PatternError(f"it is too large: {error}") from error


class _Speller:
    """Knows which groups have matched where it stands, in the order of matching."""

    def __init__(self) -> None:
        self._matched = frozenset[int]()
        self._backwards = False  # a look behind is matched from its end

    def spelled(self, node: Node) -> str:
        """Return `node` in the syntax of `regex`; call it on the parts in the order they match."""
        match node:
            case Characters():
                return _spelled_class(node)
            case Start() | End() | Boundary():
                return _spelled_place(node)
            case Sequence(items):
                return self._in_order(items)
            case Choice(options):
                return self._one_of(options)
            case Look():
                return self._look(node)
            case BackReference(numbers):
                known = [number for number in numbers if number in self._matched]
                return "".join(rf"(?:(?({number})\{number}|))" for number in known)
        return self._around(node)

    def _around(self, node: Group | Repeat | CaseBlind) -> str:
        inner = self.spelled(node.body)
        if isinstance(node, Group):
            self._matched |= {node.number}
            return f"({inner})"
        if isinstance(node, CaseBlind):
            return f"(?{'i' if node.blind else '-i'}:{inner})"
        most = "" if node.most is None else node.most
        return f"(?:{inner}){{{node.least},{most}}}{'?' * node.lazy}"

    def _in_order(self, items: tuple[Node, ...]) -> str:
        step = -1 if self._backwards else 1
        return "".join([self.spelled(item) for item in items[::step]][::step])

    def _one_of(self, options: tuple[Node, ...]) -> str:
        before, after = self._matched, self._matched
        spelled = []
        for option in options:
            self._matched = before
            spelled.append(self.spelled(option))
            after |= self._matched
        self._matched = after
        return f"(?:{'|'.join(spelled)})"

    def _look(self, look: Look) -> str:
        backwards, self._backwards = self._backwards, look.behind
        matched = self._matched
        inner = self.spelled(look.body)
        self._backwards = backwards
        if look.negated:
            self._matched = matched
        return f"(?{'<' * look.behind}{'!' if look.negated else '='}{inner})"


def _spelled_place(node: Start | End | Boundary) -> str:
    if isinstance(node, Boundary):
        return _INSIDE if node.negated else _EDGE
    if isinstance(node, Start):
        return rf"(?:\A|(?<={_LINE_END}))" if node.of_lines else r"\A"
    return rf"(?:\Z|(?={_LINE_END}))" if node.of_lines else r"\Z"


def _spelled_class(node: Characters) -> str:
    if not node.ranges and not node.properties:
        return "(?s:.)" if node.negated else "(?!)"
    ranges = "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in node.ranges)
    properties = "".join(
        rf"\{'P' if negated else 'p'}{{{name}}}" for name, negated in node.properties
    )
    return f"[{'^' * node.negated}{ranges}{properties}]"
