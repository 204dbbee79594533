"""Does the cost of a token grow with what is already written?"""

from __future__ import annotations

import json
import time

import numpy as np

from acceptance.spelling import spell
from steer_engine.grammar import GrammarCompiler
from steer_engine.mask import allocate_mask, allows
from steer_engine.matcher import Matcher
from steer_engine.schema import JsonSchema, JsonValue, read_schema
from steer_engine.vocabulary import Vocabulary

_N_ITEMS = 2000
_N_ENDS = 100  # items at either end whose times are compared
_ITEMS: dict[str, tuple[JsonSchema, list[JsonValue]]] = {
    "integers": ({"type": "integer"}, [10_000 + 7 * i for i in range(_N_ITEMS)]),
    "strings": ({"type": "string"}, [f"item number {i}" for i in range(_N_ITEMS)]),
    "objects": (
        {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
            "required": ["id", "name"],
            "additionalProperties": False,
        },
        [{"id": i, "name": f"name {i % 97}"} for i in range(_N_ITEMS)],
    ),
}


def print_incremental(vocabulary: Vocabulary) -> None:
    """Print microseconds for a token along `uniqueItems` arrays; the last line as JSON."""
    compiler, figures = GrammarCompiler(vocabulary), {}
    print(f"{_N_ITEMS:,} unique items: processor time for a token, mask and accept, microseconds")
    print(f"{'items':<12}{'first ' + str(_N_ENDS):>12}{'last ' + str(_N_ENDS):>12}{'ratio':>8}")
    for name, (items, values) in _ITEMS.items():
        grammar = compiler.compile(
            read_schema({"type": "array", "uniqueItems": True, "items": items})
        )
        token_us = _token_us(vocabulary, grammar.matcher(), spell(values))
        n_ends = len(token_us) * _N_ENDS // _N_ITEMS
        first, last = np.mean(token_us[:n_ends]), np.mean(token_us[-n_ends:])
        print(f"{name:<12}{first:>12.1f}{last:>12.1f}{last / first:>8.2f}")
        figures[name] = {"first_us": round(float(first), 1), "last_us": round(float(last), 1)}
    print(json.dumps(figures))


def _token_us(vocabulary: Vocabulary, matcher: Matcher, text: str) -> list[float]:
    mask, token_us = allocate_mask(vocabulary.vocab_size), []
    for token in vocabulary.tokenize_bytes(text.encode(), parse_special=False):
        start = time.thread_time_ns()
        matcher.fill_mask(mask)
        assert allows(mask, token), vocabulary.spellings[token]
        assert matcher.accept(token), vocabulary.spellings[token]
        token_us.append((time.thread_time_ns() - start) / 1e3)
    return token_us
