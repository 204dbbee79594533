"""What becomes of a schema: how each keyword is enforced, and how a value begins and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steer_engine.byte_index import ByteIndex
from steer_engine.closing import shortest_answer
from steer_engine.errors import SchemaError, UnenforceableError
from steer_engine.grammar import Grammar, GrammarCompiler
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.schema import Schema
from steer_engine.schema.lowering import Clause, lowered
from steer_engine.schema.places import verbatim_places
from steer_engine.text_forms import TextForm

_N_SHOWN = 8  # tokens that a value can begin with


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a schema or text form is enforced with one vocabulary.

    `shortest` is a shortest valid text that was found, with its length in tokens; None if it has
    verbatim strings, which depend on the prompt, or if no short one was found. `first_tokens` are
    some of the `n_first_tokens` with which a value can begin. A schema that is refused has neither.
    """

    clauses: tuple[Clause, ...]
    shortest: str | None = None
    n_shortest_tokens: int | None = None
    first_tokens: tuple[bytes, ...] = ()
    n_first_tokens: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether no cell can use the schema."""
        return any(clause.treatment == "refused" for clause in self.clauses)


def explain(schema: Schema | TextForm, compiler: GrammarCompiler, index: ByteIndex) -> Explanation:
    """Return how `schema` is enforced. A schema that is refused is explained, not raised."""
    try:
        grammar = compiler.compile(schema)
        copied = _copied(schema) if isinstance(schema, Schema) else ()
    except SchemaError as error:
        return Explanation((*_lowered(schema), _refusal(error)))
    first = _first_tokens(grammar, index)
    shown = tuple(index.vocabulary.spellings[token] for token in first[:_N_SHOWN])
    clauses = (*_clauses(grammar), *copied)
    if copied:
        return Explanation(clauses, first_tokens=shown, n_first_tokens=len(first))
    tokens = shortest_answer(grammar.matcher(), index, schema)
    shortest = None if tokens is None else index.vocabulary.spell(tokens).decode("utf-8", "replace")
    n_tokens = None if tokens is None else len(tokens)
    return Explanation(clauses, shortest, n_tokens, shown, len(first))


def _clauses(grammar: Grammar) -> tuple[Clause, ...]:
    if isinstance(grammar.schema, Schema):
        return grammar.contract
    return (Clause("", type(grammar.schema).__name__, "masked"),)


def _lowered(schema: Schema | TextForm) -> tuple[Clause, ...]:
    try:
        return lowered(schema.document).clauses if isinstance(schema, Schema) else ()
    except SchemaError:
        return ()


def _refusal(error: SchemaError) -> Clause:
    if isinstance(error, UnenforceableError):
        return Clause(error.pointer, error.keyword, "refused", str(error))
    return Clause("", "", "refused", str(error))


def _copied(schema: Schema) -> tuple[Clause, ...]:
    spans = "only spans of the prompt's input"
    parts = f"{spans}, which may begin and end inside a word"
    return tuple(
        Clause(pointer, "x-steer", "masked", spans if mark.aligned else parts)
        for pointer, mark in verbatim_places(schema).marks
    )


def _first_tokens(grammar: Grammar, index: ByteIndex) -> list[int]:
    vocab_size = index.vocabulary.vocab_size
    mask = allocate_mask(vocab_size)
    grammar.matcher().fill_mask(mask)
    tokens: list[int] = np.flatnonzero(unpack_mask(mask, vocab_size)).tolist()
    return [token for token in tokens if token not in index.vocabulary.eos_ids]
