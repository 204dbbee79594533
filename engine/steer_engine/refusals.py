"""Tokens that were refused: at which place of a text, and with which bytes they begin."""

from __future__ import annotations

from collections.abc import Sequence

from steer_engine.mask import Mask, forbid
from steer_engine.spellings import PrefixIndex


class Refusals:
    """The beginnings of tokens that a matcher has refused, by the number of tokens before them."""

    def __init__(self, index: PrefixIndex) -> None:
        self._index = index
        self._beginnings: dict[int, tuple[bytes, ...]] = {}

    def note(self, place: int, beginning: bytes) -> None:
        """Refuse what begins with `beginning` after the first `place` tokens."""
        self._beginnings[place] = (*self.at(place), beginning)

    def at(self, place: int) -> Sequence[bytes]:
        """Return what is refused after the first `place` tokens."""
        return self._beginnings.get(place, ())

    def exclude(self, mask: Mask, place: int) -> None:
        """Take out of `mask` what is refused after the first `place` tokens."""
        if self._beginnings:
            for beginning in self.at(place):
                forbid(mask, self._index.beginning_with(beginning))

    def forget_after(self, place: int) -> None:
        """Forget what was refused after more than `place` tokens."""
        self._beginnings = {at: found for at, found in self._beginnings.items() if at <= place}

    def copy(self) -> Refusals:
        """Return the same refusals, to be added to apart."""
        twin = Refusals(self._index)
        twin._beginnings = self._beginnings.copy()
        return twin
