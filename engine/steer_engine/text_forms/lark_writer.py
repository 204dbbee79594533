"""Rules as a grammar in llguidance's dialect of Lark, exactly.

Its lexer takes the longest text it can, which the author of the rules may not have meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from steer_engine.errors import UnsatisfiableError
from steer_engine.text_forms.expressions import (
    Characters,
    Expression,
    Reference,
    Repeat,
    Sequence,
    children,
    count,
    replaced,
    sequence,
    spelled,
)
from steer_engine.text_forms.lexing import lexes_exactly
from steer_engine.text_forms.rules import Rules, productive, reachable, recursive, unrolled

_MAX_TERMINAL = 20_000  # nodes; a larger one is left to the parser, character by character


def written_expression(expression: Expression) -> str:
    """Return the grammar of the texts of an expression that refers to nothing."""
    return f"start: /(?:{spelled(expression)})/\n"


def written_rules(rules: Rules, root: str) -> str:
    """Return the grammar of the texts that `root` matches: a lexer's where that is exact.

    Where it is not, each character is a terminal of its own, which is slower.

    Raises:
        UnsatisfiableError: there is none.
    """
    rules = productive(rules)
    if root not in rules:
        raise UnsatisfiableError(f"no finite text matches the rule {root}")
    rules = reachable(unrolled(rules), root)
    deep = recursive(rules)
    sizes = _sizes(rules, deep)
    if all(size <= _MAX_TERMINAL for size in sizes.values()):
        flat: dict[str, Expression] = {}
        for name in sizes:
            flat[name] = _inlined(rules[name], flat)
        if root in flat:
            return written_expression(flat[root])
        for split in (_in_runs, _in_parts):
            terminals: dict[str, Expression] = {}
            outer = {name: split(rules[name], flat, terminals) for name in sorted(deep)}
            if lexes_exactly(outer, terminals, root):
                return _written({**outer, **terminals}, terminals, root)
    return _written(rules, {}, root)


def _sizes(rules: Rules, deep: frozenset[str]) -> dict[str, int]:
    """Return how many nodes each rule that is not recursive has once all others stand in it.

    Rules come after those that they use.
    """
    sizes: dict[str, int] = {}

    def size(expression: Expression) -> int:
        if isinstance(expression, Reference):
            return measure(expression.name)
        return 1 + sum(map(size, children(expression)))

    def measure(name: str) -> int:
        if name not in sizes:
            sizes[name] = size(rules[name])
        return sizes[name]

    for name in rules:
        if name not in deep:
            measure(name)
    return sizes


def _inlined(expression: Expression, flat: Mapping[str, Expression]) -> Expression:
    if isinstance(expression, Reference):
        return flat[expression.name]
    return replaced(expression, lambda child: _inlined(child, flat))


def _in_parts(
    expression: Expression, flat: Mapping[str, Expression], terminals: dict[str, Expression]
) -> Expression:
    """Return `expression` with its parts that are not recursive put into `terminals`."""
    if _is_flat(expression, flat):
        return _named(_inlined(expression, flat), terminals)
    return replaced(expression, lambda child: _in_parts(child, flat, terminals))


def _in_runs(
    expression: Expression, flat: Mapping[str, Expression], terminals: dict[str, Expression]
) -> Expression:
    """Return the same with terminals as large as they can be, which spares the parser work."""
    if _is_flat(expression, flat):
        return _named(_inlined(expression, flat), terminals)
    if not isinstance(expression, Sequence):
        return replaced(expression, lambda child: _in_runs(child, flat, terminals))
    items: list[Expression] = []
    for is_flat, run in groupby(expression.items, lambda item: _is_flat(item, flat)):
        parts = list(run)
        parts = [sequence(parts)] if is_flat else parts
        items += [_in_runs(part, flat, terminals) for part in parts]
    return sequence(items)


def _is_flat(expression: Expression, flat: Mapping[str, Expression]) -> bool:
    if isinstance(expression, Reference):
        return expression.name in flat
    return all(_is_flat(child, flat) for child in children(expression))


def _named(terminal: Expression, terminals: dict[str, Expression]) -> Expression:
    if terminal == Sequence(()):
        return terminal
    for name, known in terminals.items():
        if known == terminal:
            return Reference(name)
    name = f"terminal {len(terminals)}"  # no name of a rule has a space
    terminals[name] = terminal
    return Reference(name)


def _written(rules: Rules, terminals: Mapping[str, Expression], root: str) -> str:
    """Return `rules` as Lark; where a rule is no terminal, each of its characters is one."""
    names = {name: f"{'T' if name in terminals else 'r'}{i}" for i, name in enumerate(rules)}
    names[root] = "start"
    lines = []
    for name, body in rules.items():
        text = f"/{spelled(body)}/" if name in terminals else _spelled_rule(body, names)
        lines.append(f"{names[name]}: {text}\n")
    return "".join(lines)


def _spelled_rule(expression: Expression, names: Mapping[str, str]) -> str:
    match expression:
        case Characters():
            return f"/{spelled(expression)}/"
        case Reference(name):
            return names[name]
        case Repeat(body, least, most):
            return f"({_spelled_rule(body, names)}){count(least, most)}"
        case Sequence(()):
            return '""'
    joint = " " if isinstance(expression, Sequence) else " | "
    return f"({joint.join(_spelled_rule(child, names) for child in children(expression))})"
