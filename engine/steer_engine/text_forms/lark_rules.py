"""The skeleton of a Lark grammar: which rule needs which, so that one without an end is found.

llguidance follows a rule that only ever leads to itself as long as it is allowed to write.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Container

from steer_engine.text_forms.expressions import (
    EMPTY,
    Expression,
    Reference,
    Repeat,
    alternatives,
    sequence,
)
from steer_engine.text_forms.rules import productive, reachable

START = "start"

_DEFINITION = re.compile(r"(?m)^[ \t]*[?!]*(%?[A-Za-z_][\w-]*)(?:\[[^\]\n]*\])?(?:\.-?\d+)?[ \t]*:")
_DIRECTIVE = re.compile(r"(?m)^[ \t]*%\w+")
_BEYOND = re.compile(r"::|%if\b|%lark\b|%override\b|%extend\b")  # what this skeleton cannot tell
_TOKEN = re.compile(
    r"[()\[\]|]|(?P<repeat>[*+?]|\{[^{}]*\}|~\s*\d+(?:\s*\.\.\s*\d+)?)|->\s*\w+"
    r"|(?P<name>[A-Za-z_][\w-]*)|(?P<atom>\S)"
)
_MAY_BE_NOTHING = re.compile(r"[*?]|\{\s*[0,]|~\s*0")


def endless_rules(text: str) -> list[str]:
    """Return the rules that `START` leads to and that no finite text matches.

    `text` is a grammar in which texts, patterns and comments are blanked out.
    """
    if _BEYOND.search(text):
        return []
    rules = _rules(text)
    if START not in rules:
        return []
    kept = productive(rules)
    return [name for name in reachable(rules, START) if name not in kept]


def _rules(text: str) -> dict[str, Expression]:
    definitions = list(_DEFINITION.finditer(text))
    ends = sorted(match.start() for match in [*definitions, *_DIRECTIVE.finditer(text)])
    bodies = {}
    for match in definitions:
        end = next((end for end in ends if end > match.start()), len(text))
        bodies[match[1]] = text[match.end() : end]
    return {name: _Body(body, bodies).alternatives() for name, body in bodies.items()}


class _Body:
    """Stands at a token of a rule's body. Everything but a rule is taken to have an end."""

    def __init__(self, text: str, names: Container[str]) -> None:
        self._tokens = deque(_TOKEN.finditer(text))
        self._names = names

    def alternatives(self) -> Expression:
        """Read up to the end, or to the bracket that closes this group."""
        options = [self._sequence()]
        while self._tokens and self._tokens[0][0] == "|":
            self._tokens.popleft()
            options.append(self._sequence())
        return alternatives(options)

    def _sequence(self) -> Expression:
        items: list[Expression] = [EMPTY]
        while self._tokens and self._tokens[0][0] not in "|)]":
            token = self._tokens.popleft()
            if token["repeat"]:
                least = 0 if _MAY_BE_NOTHING.match(token[0]) else 1
                items[-1] = Repeat(items[-1], least, None)
            else:
                items.append(self._item(token))
        return sequence(items)

    def _item(self, token: re.Match[str]) -> Expression:
        if token[0] in "([":
            group = self.alternatives()
            if self._tokens and self._tokens[0][0] in ")]":
                self._tokens.popleft()
            return group if token[0] == "(" else Repeat(group, 0, 1)
        return Reference(token["name"]) if token["name"] in self._names else EMPTY
