"""Mask and guard together: what the mask cannot know is checked while the value is being written.

The mask comes from a grammar that allows every valid value and perhaps more. The guard reads along
and refuses a token as soon as no valid value begins like that. After a refusal the schema is
specialised to what is written and compiled anew, so that what was decided there, or is still
missing, is known to the mask from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from steer_engine.errors import SchemaError, UnenforceableError, UnsatisfiableError
from steer_engine.guard import Guard, Specialiser, Violation
from steer_engine.json_matcher import JsonMatcher
from steer_engine.mask import Mask, forbid
from steer_engine.refusals import Refusals
from steer_engine.schema.document import JsonSchema, dump, place
from steer_engine.spellings import PrefixIndex
from steer_engine.vocabulary import TokenId, Vocabulary

CompileMask = Callable[[JsonSchema], JsonMatcher]
"""Compiles a schema for the mask alone; raises `SchemaError` as `lowered` does."""


@dataclass(frozen=True)
class GuardedGrammar:
    """What all rows of one schema share."""

    document: JsonSchema
    guard: Guard
    compile_mask: CompileMask
    vocabulary: Vocabulary
    index: PrefixIndex

    @cached_property
    def text(self) -> str:
        """The document as text."""
        return dump(self.document)

    @cached_property
    def specialiser(self) -> Specialiser:
        """What says the document anew for a value that is partly written."""
        return Specialiser(self.document)

    @cached_property
    def eos_tokens(self) -> NDArray[np.int64]:
        """The end tokens, shape ``(n,)``."""
        return np.array(sorted(self.vocabulary.eos_ids), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Layer:
    """A mask's grammar and the number of tokens from which on it is in force.

    Its matcher has read all tokens up to the start of the next layer.
    """

    start: int
    text: str
    matcher: JsonMatcher


class GuardedMatcher:
    """A `Matcher` whose mask over-approximates and whose guard decides."""

    is_guarded = True

    def __init__(self, grammar: GuardedGrammar, mask: JsonMatcher) -> None:
        self._grammar = grammar
        self._layers = [_Layer(0, grammar.text, mask)]
        self._states = [grammar.guard.start()]  # before the first token and after each one
        self._tokens: list[TokenId] = []
        self._refusals = Refusals(grammar.index)
        self._violation: Violation | None = None
        self._next: _Layer | None = None  # for when tokens have been undone

    def fill_mask(self, mask: Mask) -> None:
        self._mask.fill_mask(mask)
        self._refusals.exclude(mask, len(self._tokens))
        if self._mask.is_accepting and not self._may_end():
            forbid(mask, self._grammar.eos_tokens)

    def allows(self, token: TokenId) -> bool:
        if self._refusals.at(len(self._tokens)) or not self._mask.allows(token):
            return False
        return token not in self._grammar.vocabulary.eos_ids or self._may_end()

    def accept(self, token: TokenId) -> bool:
        spelling = self._grammar.vocabulary.spellings[token]
        state = self._states[-1].advance(spelling)
        if isinstance(state, Violation):
            self._violation = state
            self._refusals.note(len(self._tokens), spelling[: state.n_bytes])
            return False
        if not self._mask.accept(token):
            self._violation = None
            return False
        self._tokens.append(token)
        self._states.append(state)
        return True

    def rollback(self, n_tokens: int) -> None:
        n_kept = n_read = len(self._tokens)
        n_kept -= n_tokens
        while self._layers[-1].start > n_kept:
            n_read = self._layers.pop().start
        self._mask.rollback(n_read - n_kept)
        del self._tokens[n_kept:], self._states[n_kept + 1 :]
        self._refusals.forget_after(n_kept)
        proposed, self._next = self._next, None
        self._continue_with(proposed)

    def copy(self) -> GuardedMatcher:
        twin = GuardedMatcher(self._grammar, self._mask)
        twin._layers = [_Layer(each.start, each.text, each.matcher.copy()) for each in self._layers]
        twin._states, twin._tokens = self._states.copy(), self._tokens.copy()
        twin._refusals = self._refusals.copy()
        twin._violation = self._violation
        return twin

    def examine(self) -> int:
        n_tokens = len(self._tokens)
        if self._closing_refused:
            # Something is missing: ask for it now, if that can still be done.
            asking = self._specialised(n_tokens, closing=self._states[-1].pointer)
            if asking is not None and asking is not self._layers[0]:
                self._continue_with(asking)
                return 0
        best = self._specialised(n_tokens)
        # A beginning of a doomed text may be doomed already, and what follows it is then too.
        sound, doomed = (n_tokens, n_tokens + 1) if best else (0, n_tokens)
        while doomed - sound > 1:
            middle = (sound + doomed) // 2
            layer = self._specialised(middle)
            best = layer or best
            sound, doomed = (sound, middle) if layer is None else (middle, doomed)
        self._next = best
        self._continue_with(best)
        return n_tokens - sound

    def fast_forward_tokens(self) -> list[TokenId]:
        return [] if self._refusals.at(len(self._tokens)) else self._mask.fast_forward_tokens()

    def forced_bytes(self) -> bytes:
        return self._mask.forced_bytes()

    @property
    def is_accepting(self) -> bool:
        return self._mask.is_accepting and self._may_end()

    @property
    def is_stopped(self) -> bool:
        return self._mask.is_stopped and self._may_end()

    @property
    def refusal(self) -> str:
        fault = self._violation
        if fault is None:
            return self._mask.refusal
        value = place(fault.value_pointer)
        return f"`{fault.keyword}` {place(fault.schema_pointer)} is not met by the value {value}"

    @property
    def _mask(self) -> JsonMatcher:
        return self._layers[-1].matcher

    def _may_end(self) -> bool:
        fault = self._states[-1].finish()
        self._violation = fault or self._violation
        return fault is None

    def _specialised(self, n_tokens: int, *, closing: str | None = None) -> _Layer | None:
        """Return the grammar of the schema specialised to the first tokens.

        It is the grammar of the whole schema where nothing is decided yet, or the value nests too
        deeply to say it, and None where no valid value begins with these tokens.
        """
        grammar, value = self._grammar, self._states[n_tokens].value
        try:
            residual = grammar.specialiser.specialised(value, closing=closing)
            if residual is grammar.document:
                return self._layers[0]
            mask = grammar.compile_mask(residual)
        except (UnsatisfiableError, UnenforceableError):
            return None  # nothing can be written
        except (RecursionError, SchemaError):  # too deep: the guard goes on without it
            return self._layers[0]
        if mask.catch_up(self._tokens[:n_tokens]) < n_tokens:
            return None
        return _Layer(n_tokens, dump(residual), mask)

    def _continue_with(self, layer: _Layer | None) -> None:
        """Put a grammar in force if it was specialised to just what is written."""
        if layer is None or layer.start != len(self._tokens):
            return
        if layer.text != self._layers[-1].text and layer is not self._layers[0]:
            self._layers.append(layer)

    @property
    def _closing_refused(self) -> bool:
        """Whether the end of an open object or list was refused here, for something is missing."""
        refused = self._refusals.at(len(self._tokens))
        return any(beginning in (b"}", b"]") for beginning in refused)
