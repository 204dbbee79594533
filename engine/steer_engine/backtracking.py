"""Where to go back to when nothing can follow: what was tried in vain, and how far to jump.

Going back one token at a time never ends in a string or an open object, which have endlessly many
ways on. So after a few dead ends inside a value its first choice is taken back, then that of the
container around it, and so on outwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from steer_engine.errors import RowError
from steer_engine.mask import Mask, forbid
from steer_engine.steps import Step
from steer_engine.vocabulary import TokenId

MAX_RETURNS = 64
"""How often a row may go back before it is given up."""

_MAX_REFUSED = 12  # tokens in one value before it is begun anew
_MAX_DEAD_ENDS = 3  # in one value before its container is begun anew


class Backtracking:
    """The memory of one row's search."""

    def __init__(self) -> None:
        self._in_vain: dict[int, set[TokenId]] = {}  # by the number of tokens before them
        self._n_refused: Counter[str] = Counter()
        self._n_dead_ends: Counter[str] = Counter()
        self._n_returns = 0

    def exclude(self, mask: Mask, place: int) -> None:
        """Leave out of `mask` what was tried in vain after the first `place` tokens."""
        tried = self._in_vain.get(place)
        if tried:
            forbid(mask, np.array(sorted(tried), dtype=np.int64))

    def is_in_vain(self, token: TokenId, place: int) -> bool:
        """Tell whether `token` was tried in vain after the first `place` tokens."""
        return token in self._in_vain.get(place, ())

    def has_tried(self, place: int) -> bool:
        """Tell whether anything was tried in vain after the first `place` tokens."""
        return place in self._in_vain

    def note_refusal(self, pointer: str) -> bool:
        """Count a refused token in the value at `pointer`; tell whether to begin it anew."""
        self._n_refused[pointer] += 1
        return self._n_refused[pointer] % _MAX_REFUSED == 0

    def leave_value(self, steps: Sequence[Step], pointer: str) -> int:
        """Return how many of `steps` to undo to begin the value at `pointer` anew, or more.

        Raises:
            RowError: the search has gone on for too long, or everything was tried.
        """
        self._n_dead_ends[pointer] += 1
        while pointer and self._n_dead_ends[pointer] > _MAX_DEAD_ENDS:
            pointer = pointer.rpartition("/")[0]
            self._n_dead_ends[pointer] += 1
        first = len(steps)
        while first > 0 and _is_within(steps[first - 1].pointer, pointer):
            first -= 1
        choices = (at for at in range(first, len(steps)) if steps[at].origin != "forced")
        return self.take_back(steps, len(steps) - next(choices, first - 1))

    def take_back(self, steps: Sequence[Step], n_steps: int) -> int:
        """Return how many of `steps` to undo, at least `n_steps`; the first of them was in vain.

        Raises:
            RowError: the search has gone on for too long, or everything was tried.
        """
        self._n_returns += 1
        place = len(steps) - n_steps
        while place >= 0 and steps and steps[place].origin == "forced":
            place -= 1  # nobody chose it, so nothing else can stand there
        if place < 0 or not steps:
            raise RowError("no answer is left that the schema allows")
        if self._n_returns > MAX_RETURNS:
            raise RowError(f"the answer was taken back {MAX_RETURNS} times and still does not fit")
        self._in_vain = {at: tried for at, tried in self._in_vain.items() if at <= place}
        self._in_vain.setdefault(place, set()).add(steps[place].token)
        return len(steps) - place


def _is_within(pointer: str, container: str) -> bool:
    return pointer == container or pointer.startswith(f"{container}/")
