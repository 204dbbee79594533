"""The shortest way from where a text stands to a valid end.

It is looked for in single bytes, through the matcher alone. What the grammar forces is followed.
Where there is a choice, what closes comes first, then short literals, then what opens something.
Where no end is in sight, inside a pattern or a number, all ways are followed at the same pace.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from steer_engine.byte_index import MAX_SPELLING, PLAIN, ByteIndex
from steer_engine.errors import DefectError
from steer_engine.hints import NO_HINTS, Hints
from steer_engine.mask import allocate_mask
from steer_engine.matcher import Matcher
from steer_engine.text_place import BACKSLASH, OF_NUMBERS, Place
from steer_engine.vocabulary import TokenId

_MAX_FOLLOWED = 1_500  # ways in one search
_MAX_MORE = 30  # ways after a completion that was too long
_MAX_S = 1.0  # seconds; guards with much to recompile are slow

# Prices of what may come next.
_DETOUR = 6  # a way that others were quicker than
_CONTENT = 8  # writing on in a string or number that may end
_ANOTHER = 3  # any choice but the best
_DEPTH = 0.5  # a bracket that is open
_ALIKE = 6  # a byte that led to the same place as another
_UNHINTED = 2  # a byte that does not go on with a hint
_STEP = 0.05  # a byte of a part that has no end in sight
_LATER_STEP = 0.002  # the same after the first ones
_DIGIT_STEP = 0.01  # a digit: a longer number is mostly enough where a short one is not
_N_EARLY = 20
_RUN = 0.25  # many bytes of it at once
_PRICES = {
    **dict.fromkeys(b"}]: ", 0),
    **dict.fromkeys(b"0n", 1),
    **dict.fromkeys(b"tf", 2),
    **dict.fromkeys(b'"1', 3),
    **dict.fromkeys(b"[", 4),
    **dict.fromkeys(b"{", 5),
    **dict.fromkeys(b"-23456789", 6),
    **dict.fromkeys(b",", _CONTENT),
}
# Of letters that are allowed at some place, one mostly does what the others do.
_PRICES_OF_CONTENT = {
    **dict.fromkeys(range(0x80), 0.5),
    **dict.fromkeys(PLAIN, 0.8),
    **dict.fromkeys(b"aA0 ", 0),
    **dict.fromkeys([BACKSLASH, *range(0x80, 0x100)], 2),
}


def follow(matcher: Matcher, tokens: Sequence[TokenId]) -> bool:
    """Move `matcher` over `tokens`; tell whether it takes them all."""
    try:
        return all(matcher.accept(token) for token in tokens)
    except DefectError:  # the mask would not have allowed it, and it was not asked
        return False


@dataclass(eq=False)
class _Region:
    """A part of the text with no end in sight: inside a pattern, a number or a name."""

    price: float  # of the way that led into it
    n_ended: int  # strings and numbers before it
    is_left: bool = False  # some way has led out of it
    seen: set[tuple[int, int]] = field(default_factory=set)  # lengths and masks


@dataclass(frozen=True, slots=True)
class _Way:
    """A way that is not followed to its end yet: `tokens`, then the `nth` best choice.

    `matcher` has read the first `n_read` tokens. In a region, `text` is what was written of it, and
    `before` the fingerprint of the mask before the last token.
    """

    price: float
    tokens: tuple[TokenId, ...]
    place: Place
    matcher: Matcher
    n_read: int = 0
    nth: int = 0
    region: _Region | None = None
    text: bytes = b""
    before: int = 0
    is_late: bool = False  # others that look like it were followed first


class _Choice(NamedTuple):
    price: float
    spelling: bytes
    token: TokenId


class _Walk:
    """A matcher that goes a way."""

    def __init__(self, way: _Way, spellings: Sequence[bytes]) -> None:
        self.matcher, self.tokens, self.place = way.matcher.copy(), [*way.tokens], way.place
        self.region, self.text = way.region, way.text
        self.is_open = follow(self.matcher, way.tokens[way.n_read :])
        self._spellings = spellings

    def accept(self, token: TokenId) -> bool:
        """Go on with `token`, if no guard refuses it."""
        is_accepted = self.matcher.accept(token)
        if is_accepted:
            self.tokens.append(token)
            self.place = self.place.after(self._spellings[token])
            self.text += self._spellings[token] if self.region else b""
        return is_accepted

    def is_at_end(self) -> bool:
        """Follow what is forced; tell whether the text is complete then."""
        forced = [] if self.matcher.is_accepting else self.matcher.fast_forward_tokens()
        all(self.accept(token) for token in forced)
        return self.matcher.is_accepting


def _alike(place: Place) -> float:
    return _ALIKE / 200 if place.in_number else _ALIKE  # the masks of digits tell little


def _step(place: Place, text: bytes) -> float:
    if place.in_number:
        return _DIGIT_STEP
    return _STEP if len(text) <= _N_EARLY else _LATER_STEP


def _cost(price: float, place: Place) -> float:
    return price + _DEPTH * max(0, place.depth)


class Search:
    """A best-first search for completions of a text."""

    def __init__(self, index: ByteIndex, *, max_tokens: int, hints: Hints = NO_HINTS) -> None:
        self._index, self._hints = index, hints
        self._max_length = 4 * max_tokens + MAX_SPELLING  # tokens; longer ways are given up
        self._mask = allocate_mask(index.vocabulary.vocab_size)
        self._ways: list[tuple[float, int, int, _Way]] = []  # cheap and short ones first
        self._numbers = count()
        self._led_to: dict[tuple[int, TokenId], int] = {}  # from a mask over a token to a mask
        self._end = 0.0  # of the thread's processor time

    def completions(self, matcher: Matcher, place: Place) -> Iterator[list[TokenId]]:
        """Yield completions of the text of `matcher`, which stays at `place`, good ones first."""
        self._add(_Way(0, (), place, matcher))
        self._end, n_left = time.thread_time() + _MAX_S, _MAX_FOLLOWED
        while self._ways and n_left and self._has_time():
            way = heapq.heappop(self._ways)[-1]
            if way.region is not None and way.region.is_left:
                self._add(replace(way, price=way.price + _DETOUR, region=None))
            elif self._is_alike(way):
                self._add(replace(way, price=way.price + _alike(way.place), is_late=True))
            else:
                n_left -= 1
                if completion := self._follow(way):
                    yield completion
                    n_left = min(n_left, _MAX_MORE)

    def _has_time(self) -> bool:
        return time.thread_time() < self._end

    def _is_alike(self, way: _Way) -> bool:
        """Tell whether `way` is expected to lead to where another way has led."""
        if way.region is None or way.is_late or not way.before:
            return False
        leads_to = self._led_to.get((way.before, way.tokens[-1]))
        return leads_to is not None and (len(way.tokens), leads_to) in way.region.seen

    def _add(self, way: _Way) -> None:
        cost = _cost(way.price, way.place)
        heapq.heappush(self._ways, (cost, len(way.tokens), next(self._numbers), way))

    def _follow(self, way: _Way) -> list[TokenId] | None:
        """Follow `way` to its end, or to where it parts or becomes dear; note the other ways."""
        walk, nth = _Walk(way, self._index.vocabulary.spellings), way.nth
        while walk.is_open and len(walk.tokens) <= self._max_length and self._has_time():
            way = self._outside(way, walk)
            n_tokens = len(walk.tokens)
            is_at_end = walk.is_at_end()
            if walk.region is not None and self._is_slow(way, walk, len(walk.tokens) - n_tokens):
                return None
            if is_at_end:
                return walk.tokens
            way = self._outside(way, walk)
            choices = self._choices(walk)
            if len(choices) > max(nth, 1) and self._is_endless(walk.place, choices):
                self._part(replace(way, nth=nth), walk, choices)
                return None
            walk.is_open = self._choose(way, walk, choices, nth)
            nth = 0
        return None

    def _outside(self, way: _Way, walk: _Walk) -> _Way:
        """Return `way`, without what was tried in its region once the walk has left that."""
        region = walk.region
        if region is None or region.n_ended == walk.place.n_ended:
            return way
        region.is_left, walk.region, walk.text = True, None, b""
        return replace(way, price=region.price)

    def _is_slow(self, way: _Way, walk: _Walk, n_forced: int) -> bool:
        """Tell whether another way is to be followed first, for this one has a long forced part."""
        on = _Way(way.price + n_forced * _STEP, tuple(walk.tokens), walk.place, walk.matcher)
        is_slow = n_forced > 0 and bool(self._ways) and _cost(on.price, on.place) > self._ways[0][0]
        if is_slow:
            n_read = len(walk.tokens)
            self._add(replace(on, n_read=n_read, region=walk.region, text=walk.text))
        return is_slow

    def _choose(self, way: _Way, walk: _Walk, choices: list[_Choice], nth: int) -> bool:
        """Go on with the `nth` choice and note the next one; tell whether to follow this way on."""
        if nth >= len(choices):
            return False
        here = replace(way, tokens=tuple(walk.tokens), place=walk.place, region=walk.region)
        if not walk.accept(choices[nth].token):
            return walk.matcher.examine() == 0  # the choices are fewer now
        if nth + 1 < len(choices):
            more = max(_ANOTHER, choices[nth + 1].price - choices[nth].price)
            self._add(replace(here, price=way.price + more, nth=nth + 1))
        if not self._ways or _cost(way.price, walk.place) <= self._ways[0][0]:
            return True
        n_read, tokens = len(walk.tokens), tuple(walk.tokens)
        self._add(_Way(way.price, tokens, walk.place, walk.matcher, n_read, region=walk.region))
        return False

    def _choices(self, walk: _Walk) -> list[_Choice]:
        """Return what may come next, the best first."""
        walk.matcher.fill_mask(self._mask)
        allowed = self._index.single_bytes(self._mask)
        if not allowed and not walk.matcher.examine():
            walk.matcher.fill_mask(self._mask)
            allowed = self._index.single_bytes(self._mask)
        choices = [_Choice(self._price(walk, byte), byte, token) for byte, token in allowed]
        if walk.place.in_string and not walk.place.is_escaped:
            runs = self._index.long_run(self._mask)  # go faster where a string has to be long
            choices += [_Choice(_CONTENT + _UNHINTED + _RUN, *run) for run in runs]
        return sorted(choices, key=lambda choice: choice.price)

    def _price(self, walk: _Walk, byte: bytes) -> float:
        place = walk.place
        if place.is_escaped:
            return 0
        if place.in_string or not place.is_json:
            content = _PRICES_OF_CONTENT[byte[0]] + _UNHINTED
            is_hinted = self._is_hinted(place.text + byte, walk.text + byte)
            return 0 if byte == b'"' else _CONTENT + (0 if is_hinted else content)
        if place.in_number and byte[0] in OF_NUMBERS:
            return _CONTENT + (byte != b"0") / 16
        if place.in_number and byte == b",":
            return 1
        return _PRICES.get(byte[0], _CONTENT)

    def _is_hinted(self, in_string: bytes, in_region: bytes) -> bool:
        return self._hints.go_on(in_string) or self._hints.go_on(in_region)

    def _is_endless(self, place: Place, choices: list[_Choice]) -> bool:
        """Tell whether no choice ends the string, number or other text that stands at `place`."""
        if not place.is_json or place.is_escaped:
            return True
        if place.in_string:
            return choices[0].spelling != b'"'
        return place.in_number and all(choice.spelling[0] in OF_NUMBERS for choice in choices)

    def _part(self, way: _Way, walk: _Walk, choices: list[_Choice]) -> None:
        """Note the `nth` choice of a region and those as good, and that there are others."""
        tokens, here, nth = tuple(walk.tokens), hash(self._mask.tobytes()), way.nth
        region = walk.region or _Region(way.price, walk.place.n_ended)
        if way.before and tokens == way.tokens:
            self._led_to[way.before, tokens[-1]] = here
        on = _Way(way.price, tokens, walk.place, walk.matcher, len(tokens), 0, region, walk.text)
        if (len(tokens), here) in region.seen and not way.is_late:
            self._add(replace(on, price=way.price + _alike(way.place), is_late=True))
            return
        region.seen.add((len(tokens), here))
        while nth < len(choices) and choices[nth].price == choices[way.nth].price:
            _, spelling, token = choices[nth]
            place, text, ahead = walk.place.after(spelling), walk.text + spelling, (*tokens, token)
            price = way.price + _step(place, text)
            child = replace(on, price=price, tokens=ahead, place=place, text=text, before=here)
            # A hint is followed although the masks on its way look like those of other ways.
            self._add(replace(child, is_late=self._is_hinted(place.text, text)))
            nth += 1
        if nth < len(choices):
            more = choices[nth].price - choices[way.nth].price
            self._add(replace(on, price=way.price + more, nth=nth, is_late=True))
