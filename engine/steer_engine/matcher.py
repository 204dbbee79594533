"""Matchers: the state of one generation in its grammar."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from steer_engine.errors import DefectError, RowError
from steer_engine.mask import Mask, allocate_mask, allow, allows
from steer_engine.vocabulary import TokenId, Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher

    from steer_engine.mask_compiler import MaskSource


class Matcher(Protocol):
    """Where one generation stands in its grammar."""

    @property
    def is_guarded(self) -> bool:
        """Whether more is checked than the mask, so that a token it allows may lead nowhere."""
        ...

    def fill_mask(self, mask: Mask) -> None:
        """Write into `mask` which tokens may come next; an end token only where it may end.

        A mask may allow a token that `accept` then refuses, never forbid one that leads to a
        valid value.
        """
        ...

    def allows(self, token: TokenId) -> bool:
        """Tell what `fill_mask` says of one token, at a fraction of its cost.

        To be asked after `fast_forward_tokens`, which has left nothing. At a place where a token
        was refused the answer is always False: there the mask has to be looked at.
        """
        ...

    def accept(self, token: TokenId) -> bool:
        """Advance over a token that the mask allows.

        False says that the token leads to no valid value: nothing has changed but that the next
        `fill_mask` leaves it out.

        Raises:
            DefectError: the mask did not allow it.
            RowError: the schema is too complex.
        """
        ...

    def rollback(self, n_tokens: int) -> None:
        """Undo the last `n_tokens` accepted tokens."""
        ...

    def copy(self) -> Self:
        """Return a matcher at the same place that moves on its own."""
        ...

    def fast_forward_tokens(self) -> list[TokenId]:
        """Return the tokens that the grammar forces next, tokenised as the model would."""
        ...

    def forced_bytes(self) -> bytes:
        """Return the bytes that the grammar forces next, however they are split into tokens."""
        ...

    @property
    def is_accepting(self) -> bool:
        """Whether the text so far is complete."""
        ...

    @property
    def is_stopped(self) -> bool:
        """Whether nothing can follow."""
        ...

    def examine(self) -> int:
        """Look again at what is written, now that a token was refused or none is left.

        Returns how many of the last tokens lead to no valid value and have to be undone. The next
        masks may be narrower than before.
        """
        ...

    @property
    def refusal(self) -> str:
        """Why a token was last refused, in words for an error message; empty if none was."""
        ...


class GrammarMatcher:
    """A `Matcher` over an llguidance matcher: its mask alone decides."""

    is_guarded = False
    refusal = ""

    def __init__(self, source: MaskSource) -> None:
        self._source = source
        self._native = source.start()
        self._tokens: list[TokenId] = []

    def fill_mask(self, mask: Mask) -> None:
        if self._native.is_stopped():
            mask[:] = 0
            return
        self._compute(mask)
        if self._native.is_error() and self._recover():
            self._compute(mask)
        if self._native.is_error():
            # A state from which no byte can lead to the end, or a limit on the parser's work.
            mask[:] = 0
            self._restart(self._source.start())

    def allows(self, token: TokenId) -> bool:
        is_allowed = self._native.validate_tokens([token]) == 1
        if not self._native.is_error():
            return is_allowed
        if not self._recover():
            self._restart(self._source.start())
        return False

    def accept(self, token: TokenId) -> bool:
        if not self._native.consume_token(token):
            if "max is" in self._native.get_error():  # a limit on the parser's work
                raise RowError("the schema is too complex for the mask at this place; simplify it")
            raise DefectError(
                f"the grammar refused token {token}, which its mask had allowed"
                f" ({self._native.get_error()}); please report this with the schema"
            )
        self._tokens.append(token)
        return True

    def catch_up(self, tokens: list[TokenId]) -> int:
        """Accept as many of `tokens` as the grammar allows; return how many those are."""
        n_accepted = self._native.try_consume_tokens(tokens)
        self._tokens += tokens[:n_accepted]
        return n_accepted

    def examine(self) -> int:
        return 0  # the mask knows all that there is to know

    def rollback(self, n_tokens: int) -> None:
        if n_tokens and not self._native.rollback(n_tokens):
            raise DefectError(f"the grammar could not be rolled back: {self._native.get_error()}")
        del self._tokens[len(self._tokens) - n_tokens :]

    def copy(self) -> Self:
        twin = copy.copy(self)
        twin._native = self._native.deep_copy()  # noqa: SLF001 - its own
        twin._tokens = self._tokens.copy()  # noqa: SLF001
        return twin

    def _compute(self, mask: Mask) -> None:
        self._native.unsafe_compute_mask_ptr(mask.ctypes.data, mask.nbytes)

    def _recover(self) -> bool:
        """Go on with a lexer of its own if the shared one is full; tell whether it was."""
        is_full = "too many" in self._native.get_error()
        if is_full:
            self._restart(self._source.renew())
        return is_full

    def _restart(self, native: LLMatcher) -> None:
        # A matcher in error stays there: another one takes its place.
        native.try_consume_tokens(self._tokens)
        self._native = native

    def fast_forward_tokens(self) -> list[TokenId]:
        tokens = self._native.compute_ff_tokens()
        self._source.after_call()
        return tokens

    def forced_bytes(self) -> bytes:
        return self._native.compute_ff_bytes()

    @property
    def is_accepting(self) -> bool:
        return self._native.is_accepting()

    @property
    def is_stopped(self) -> bool:
        return self._native.is_stopped()


class FreeMatcher:
    """A `Matcher` that allows every text: what an unsteered model writes, for comparison."""

    is_guarded = False
    is_accepting = True
    is_stopped = False
    refusal = ""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._mask = allocate_mask(vocabulary.vocab_size)
        allowed = frozenset(range(vocabulary.vocab_size)) - vocabulary.special_ids
        allow(self._mask, allowed | vocabulary.eos_ids)

    def fill_mask(self, mask: Mask) -> None:
        np.copyto(mask, self._mask)

    def allows(self, token: TokenId) -> bool:
        return allows(self._mask, token)

    def accept(self, token: TokenId) -> bool:
        del token
        return True

    def examine(self) -> int:
        return 0

    def rollback(self, n_tokens: int) -> None:
        del n_tokens

    def copy(self) -> FreeMatcher:
        return self

    def fast_forward_tokens(self) -> list[TokenId]:
        return []

    def forced_bytes(self) -> bytes:
        return b""
