"""Which token comes next: sampled first, and checked then.

Where the sampler's token is legal anyway no mask is computed. That changes nothing: a greedy token
that is legal is the best of the legal ones, and one that is drawn, and drawn again with the mask
where it was not legal, has the same probability as if it were drawn with the mask at once.

The mask is also computed where more is asked than which token it is: what its probability is among
those that are legal, where it is not as good as certain, and what the legal ones are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steer_engine.backtracking import Backtracking
from steer_engine.mask import Mask, allocate_mask, allows, apply_mask, unpack_mask
from steer_engine.matcher import Matcher
from steer_engine.outlook import Outlook
from steer_engine.sampling import NarrowingSampler, Sampler, greedy
from steer_engine.vocabulary import TokenId

_FEW = 1 / 16  # of the tokens: to pick out more costs more than to mark the others
_CERTAIN = math.log(0.99)  # among the legal tokens such a one can only be a little more probable


@dataclass(frozen=True, slots=True)
class Pick:
    """A token that the mask allows, and its logarithmic probability among all those."""

    token: TokenId
    masked_logprob: float
    is_overruled: bool = False  # the mask forbids the model's favourite


class Picker:
    """Picks tokens that a matcher allows and a search has not found to be in vain."""

    def __init__(
        self, matcher: Matcher, sampler: Sampler, search: Backtracking, *, vocab_size: int
    ) -> None:
        self.mask: Mask = allocate_mask(vocab_size)
        """That of the last pick, if it was made `with_mask`."""
        self._matcher, self._sampler, self._search = matcher, sampler, search
        self._samples_first = not isinstance(sampler, NarrowingSampler)

    def pick(self, outlook: Outlook, place: int, *, with_mask: bool) -> Pick | None:
        """Return the token that follows the first `place` ones, not yet accepted.

        None says that there is none.
        """
        token = None if with_mask else self._unmasked(outlook, place)
        if token is not None and (logprob := outlook.logprob(token)) >= _CERTAIN:
            return Pick(token, logprob)
        self._matcher.fill_mask(self.mask)
        self._search.exclude(self.mask, place)
        if token is not None and allows(self.mask, outlook.favourite):
            share = outlook.allowed_share(self.mask)
            return Pick(token, outlook.logprob(token) - math.log(share))
        if not self.mask.any():
            return None
        return self._masked(outlook, token)

    def _masked(self, outlook: Outlook, token: TokenId | None) -> Pick:
        """Sample among the tokens that the mask allows, if there is no `token` yet."""
        is_overruled = not allows(self.mask, outlook.favourite)
        is_allowed = unpack_mask(self.mask, len(outlook.logits))
        if np.count_nonzero(is_allowed) > _FEW * len(is_allowed):
            masked = Outlook(apply_mask(outlook.logits, self.mask))
            token = self._sample(masked) if token is None else token
            return Pick(token, masked.logprob(token), is_overruled)
        tokens = np.flatnonzero(is_allowed)
        masked = Outlook(outlook.logits[tokens])
        nth = self._sample(masked) if token is None else int(np.searchsorted(tokens, token))
        return Pick(int(tokens[nth]), masked.logprob(nth), is_overruled)

    def _unmasked(self, outlook: Outlook, place: int) -> TokenId | None:
        """Return what the model itself would write; None if that is not legal, or not certain."""
        if not self._samples_first or self._search.has_tried(place):
            return None
        token = self._sample(outlook)
        return token if self._matcher.allows(token) else None

    def _sample(self, outlook: Outlook) -> TokenId:
        return outlook.favourite if self._sampler is greedy else self._sampler(outlook.logits)
