"""Mask and guard against brute force: every prefix of every valid text, over a tiny vocabulary.

A schema of this kind has finitely many values, all of them known. So at each prefix it is known
which texts can still be written: the tokens that are allowed must lead to each of them, and how
many tokens are allowed that lead to none tells how far ahead the grammar sees. That a text can be
written is enough: where its bytes are forced, so is the model's own way of splitting them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from acceptance.puzzles import Puzzle, puzzles
from acceptance.spelling import in_schema_order, spell
from steer_engine.grammar import Grammar, GrammarCompiler
from steer_engine.mask import allocate_mask, unpack_mask
from steer_engine.matcher import Matcher
from steer_engine.schema import read_schema, validation_error
from steer_engine.schema.lowering import lowered
from steer_engine.vocabulary import TokenId, Vocabulary

_SPELLINGS = (
    *(bytes([byte]) for byte in b'{}[]":, 0123456789ab'),
    *(b'": ', b'", "', b", ", b'{"', b'["', b'"a', b'"}', b"10", b"ab", b"true"),
)
_EOS = len(_SPELLINGS)


def tiny_vocabulary() -> Vocabulary:
    """Return a vocabulary of some thirty tokens, of which some begin like others."""
    return Vocabulary(
        (*_SPELLINGS, b"<end>"),
        eos_ids=frozenset({_EOS}),
        special_ids=frozenset({_EOS}),
        eos_id=_EOS,
        tokenize_bytes=_tokenize,
    )


def _tokenize(text: bytes, *, parse_special: bool) -> list[TokenId]:
    del parse_special
    tokens: list[TokenId] = []
    while text:
        fitting = [token for token in range(_EOS) if text.startswith(_SPELLINGS[token])]
        longest = max(fitting, key=lambda token: len(_SPELLINGS[token]), default=None)
        # llguidance tries the tokenizer on words of its own, which this one cannot spell.
        tokens += [] if longest is None else [longest]
        text = text[1 if longest is None else len(_SPELLINGS[longest]) :]
    return tokens


@dataclass(slots=True)
class Exploration:
    """What was seen at the prefixes of all valid texts."""

    n_prefixes: int = 0
    n_allowed: int = 0
    vain: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Prefix and token that is allowed although no valid value begins so."""
    lost: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Prefix and valid text that begins with it, to which no allowed token leads."""


def explore(grammar: Grammar, vocabulary: Vocabulary, texts: Iterable[bytes]) -> Exploration:
    """Look at every prefix of `texts`, which are all that `grammar` should allow."""
    explorer = _Explorer(vocabulary, frozenset(texts))
    explorer.visit(grammar.matcher(), b"")
    return explorer.found


class _Explorer:
    def __init__(self, vocabulary: Vocabulary, texts: frozenset[bytes]) -> None:
        self.found = Exploration()
        self._vocabulary, self._texts = vocabulary, texts
        self._live = {text[:end] for text in texts for end in range(len(text) + 1)}
        self._seen: set[bytes] = set()

    def visit(self, matcher: Matcher, prefix: bytes) -> None:
        """Look at what may follow `prefix`, where `matcher` stands, and at what follows that."""
        if prefix in self._seen:
            return
        self._seen.add(prefix)
        self.found.n_prefixes += 1
        reached = self._continue(matcher, prefix)
        texts = (text for text in self._texts if text.startswith(prefix))
        self.found.lost += [(prefix, text) for text in texts if not text.startswith(reached)]

    def _continue(self, matcher: Matcher, prefix: bytes) -> tuple[bytes, ...]:
        """Try every token after `prefix`; return the prefixes to which allowed ones lead."""
        reached: list[bytes] = []
        mask = allocate_mask(self._vocabulary.vocab_size)
        matcher.fill_mask(mask)
        allowed = unpack_mask(mask, self._vocabulary.vocab_size)
        for token, spelling in enumerate(self._vocabulary.spellings):
            text, is_live = prefix + spelling, prefix + spelling in self._live
            if token in self._vocabulary.eos_ids:
                is_accepted = bool(allowed[token]) or (matcher.is_stopped and matcher.is_accepting)
                text, is_live = prefix, prefix in self._texts
            elif is_accepted := bool(allowed[token]) and matcher.accept(token):
                if is_live:
                    self.visit(matcher, text)
                matcher.rollback(1)
            self.found.n_allowed += is_accepted
            if is_accepted and is_live:
                reached.append(text)
            elif is_accepted:
                self.found.vain.append((prefix, spelling))
        return tuple(reached)


def valid_texts(puzzle: Puzzle) -> list[bytes]:
    """Return the spelling of every valid value of a puzzle, in the schema's order."""
    schema = read_schema(puzzle.schema)
    return [
        spell(in_schema_order(schema.document, value)).encode()
        for value in puzzle.values
        if validation_error(schema, value) is None
    ]


def is_masked(puzzle: Puzzle) -> bool:
    """Tell whether the contract says that the mask alone enforces the puzzle's schema."""
    clauses = lowered(read_schema(puzzle.schema).document).clauses
    return all(clause.treatment == "masked" for clause in clauses)


def print_prefixes() -> None:
    """Print by keyword how many of the allowed tokens lead to no valid value; last line JSON."""
    vocabulary = tiny_vocabulary()
    compiler, figures = GrammarCompiler(vocabulary), {}
    print(f"{'keyword':<26}{'contract':<10}{'prefixes':>9}{'lost!':>11}{'allowed':>9}", end="")
    print(f"{'in vain':>9}{'share':>8}")
    for puzzle in puzzles():
        grammar = compiler.compile(read_schema(puzzle.schema))
        found = explore(grammar, vocabulary, valid_texts(puzzle))
        treatment = "masked" if is_masked(puzzle) else "guarded"
        share = len(found.vain) / found.n_allowed
        print(f"{puzzle.keyword:<26}{treatment:<10}{found.n_prefixes:>9}", end="")
        print(f"{len(found.lost):>11}{found.n_allowed:>9}{len(found.vain):>9}{share:>8.2%}")
        figures[puzzle.keyword] = {
            "contract": treatment,
            "lost": len(found.lost),
            "in_vain": round(share, 4),
        }
    print(json.dumps(figures))
