"""A matcher of JSON: llguidance's, without the texts that `orthography` leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from steer_engine.mask import Mask
from steer_engine.matcher import GrammarMatcher
from steer_engine.orthography import Orthography
from steer_engine.refusals import Refusals
from steer_engine.spellings import PrefixIndex
from steer_engine.vocabulary import TokenId

if TYPE_CHECKING:
    from steer_engine.mask_compiler import MaskSource


class JsonMatcher(GrammarMatcher):
    """A `GrammarMatcher` that refuses the tokens with which no value can be read."""

    def __init__(self, source: MaskSource, rules: Orthography, index: PrefixIndex) -> None:
        super().__init__(source)
        self._rules = rules
        self._refusals = Refusals(index)

    def fill_mask(self, mask: Mask) -> None:
        super().fill_mask(mask)
        self._refusals.exclude(mask, len(self._tokens))

    def allows(self, token: TokenId) -> bool:
        return not self._refusals.at(len(self._tokens)) and super().allows(token)

    def accept(self, token: TokenId) -> bool:
        rules = self._rules
        if token in rules.of_numbers and (fault := rules.number_fault(self._tokens, token)):
            return self._refuse(fault, "the number is too large")
        if self._source.has_escapes and (fault := rules.escape_fault(self._tokens, token)):
            return self._refuse(fault, "the character is not spelled so")
        return super().accept(token)

    def rollback(self, n_tokens: int) -> None:
        super().rollback(n_tokens)
        self._refusals.forget_after(len(self._tokens))

    def copy(self) -> Self:
        twin = super().copy()
        twin._refusals = self._refusals.copy()  # noqa: SLF001 - its own
        return twin

    def fast_forward_tokens(self) -> list[TokenId]:
        return [] if self._refusals.at(len(self._tokens)) else super().fast_forward_tokens()

    def _refuse(self, beginning: bytes, reason: str) -> bool:
        self._refusals.note(len(self._tokens), beginning)
        self.refusal = reason
        return False
