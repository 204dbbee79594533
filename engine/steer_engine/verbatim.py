"""Strings that must be copied from the prompt: the mask allows only spans of the source text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steer_engine.cursor import JsonCursor
from steer_engine.errors import DefectError
from steer_engine.mask import Mask, pack_mask, unpack_mask
from steer_engine.matcher import Matcher
from steer_engine.schema.places import VerbatimPlaces
from steer_engine.source import SourceText
from steer_engine.vocabulary import TokenId, Vocabulary

_QUOTE = b'"'
_MAX_SPELLING = 64  # bytes; longer tokens are left out, and what they spell takes several

_Flags = NDArray[np.bool_]  # one for each token, shape (vocab_size,)


class SpellingIndex:
    """The tokens of a vocabulary by their bytes; built once and shared by rows.

    A quotation mark in a token may end a copy or begin one, so that such tokens are also found by
    what stands before the mark, and where there is only one, by what stands after it.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.whole: dict[bytes, list[TokenId]] = {}
        self.before_quote: dict[bytes, list[tuple[TokenId, bytes]]] = {}  # with what stands after
        self.after_quote: dict[bytes, list[TokenId]] = {}
        self._prefixes: set[bytes] = set()
        one_quote, several_quotes = dict[TokenId, bytes](), list[TokenId]()
        for token, spelling in enumerate(vocabulary.spellings):
            if token in vocabulary.special_ids:
                continue
            n_quotes = spelling.count(_QUOTE)
            if 0 < len(spelling) <= _MAX_SPELLING:
                self._add(token, spelling)
                if n_quotes == 1:
                    one_quote[token] = spelling.partition(_QUOTE)[0]
            if n_quotes > 1 or (n_quotes == 1 and len(spelling) > _MAX_SPELLING):
                several_quotes.append(token)
        self.several_quotes = np.array(several_quotes, dtype=np.int64)
        self.one_quote = np.array([*one_quote], dtype=np.int64)
        self.heads = sorted(set(one_quote.values()))
        """What stands before the mark in the tokens `one_quote`; `head_numbers` tells which."""
        numbers = {head: number for number, head in enumerate(self.heads)}
        self.head_numbers = np.array([numbers[head] for head in one_quote.values()], dtype=np.int64)

    def _add(self, token: TokenId, spelling: bytes) -> None:
        self.whole.setdefault(spelling, []).append(token)
        self._note_prefixes(spelling)
        at = spelling.find(_QUOTE)
        while at >= 0:
            self.before_quote.setdefault(spelling[:at], []).append((token, spelling[at + 1 :]))
            at = spelling.find(_QUOTE, at + 1)
        if spelling.count(_QUOTE) == 1:
            tail = spelling.partition(_QUOTE)[2]
            self.after_quote.setdefault(tail, []).append(token)
            self._note_prefixes(tail)

    def _note_prefixes(self, text: bytes) -> None:
        self._prefixes.update(text[:length] for length in range(1, len(text) + 1))

    def beginnings(
        self, text: bytes, offsets: Iterable[int]
    ) -> Iterator[tuple[bytes, Sequence[int]]]:
        """Yield what tokens can spell of `text` from any of `offsets` on, and where that ends."""
        groups: list[tuple[bytes, Sequence[int]]] = [(b"", [*offsets])]
        while groups:
            beginning, ends = groups.pop()
            yield beginning, ends
            following: dict[bytes, list[int]] = {}
            for end in ends:
                following.setdefault(text[end : end + 1], []).append(end + 1)
            following.pop(b"", None)  # the end of the text
            longer = ((beginning + byte, after) for byte, after in following.items())
            groups += [group for group in longer if group[0] in self._prefixes]


@dataclass(frozen=True, slots=True)
class _Copy:
    """A string that is being copied: the source offsets that it may have reached.

    It begins and ends at `edges`. `is_begun` is false before its first byte.
    """

    edges: frozenset[int]
    reached: frozenset[int]
    is_begun: bool = False


@dataclass(frozen=True, slots=True)
class _Ways:
    """The tokens that go on with a copy."""

    tokens: NDArray[np.int64]
    reopening: tuple[TokenId, ...]  # those that end the copy and have another mark behind it
    after_quote: NDArray[np.int64]  # those with one mark, where that begins the copy


@dataclass(frozen=True, slots=True)
class _State:
    """Where the text stands; `copied` is None outside of strings that must be copied."""

    cursor: JsonCursor
    copied: _Copy | None = None


class VerbatimMatcher:
    """A `Matcher` that also holds the strings at `places` to spans of a source text."""

    def __init__(
        self, inner: Matcher, source: SourceText, places: VerbatimPlaces, index: SpellingIndex
    ) -> None:
        self._inner, self._source, self._places, self._index = inner, source, places, index
        self._states = [_State(JsonCursor())]  # before the first token and after each one
        self._beginnings: dict[frozenset[int], _Ways] = {}

    def fill_mask(self, mask: Mask) -> None:
        self._inner.fill_mask(mask)
        state = self._states[-1]
        allowed = unpack_mask(mask, self._index.vocabulary.vocab_size)
        if state.copied is None:
            self._leave_out(allowed, state)
        else:
            allowed &= self._going_on(state, state.copied, allowed)
        mask[:] = pack_mask(allowed)

    def allows(self, token: TokenId) -> bool:
        if not self._inner.allows(token):
            return False
        state, spelling = self._states[-1], self._index.vocabulary.spellings[token]
        is_too_long = state.copied is not None and len(spelling) > _MAX_SPELLING
        return not is_too_long and self._after(state, token) is not None

    def accept(self, token: TokenId) -> bool:
        if not self._inner.accept(token):
            return False
        state = self._after(self._states[-1], token)
        if state is None:
            self._inner.rollback(1)
            raise DefectError(f"token {token} left the source text; please report this")
        self._states.append(state)
        return True

    def examine(self) -> int:
        return self._inner.examine()

    def rollback(self, n_tokens: int) -> None:
        self._inner.rollback(n_tokens)
        del self._states[len(self._states) - n_tokens :]

    def copy(self) -> VerbatimMatcher:
        twin = VerbatimMatcher(self._inner.copy(), self._source, self._places, self._index)
        twin._states, twin._beginnings = self._states.copy(), self._beginnings
        return twin

    def fast_forward_tokens(self) -> list[TokenId]:
        tokens, state = self._inner.fast_forward_tokens(), self._states[-1]
        for i, token in enumerate(tokens):
            after = self._after(state, token)
            if after is None:
                return tokens[:i]
            state = after
        return tokens

    def forced_bytes(self) -> bytes:
        return self._inner.forced_bytes()

    @property
    def is_guarded(self) -> bool:
        return self._inner.is_guarded

    @property
    def is_accepting(self) -> bool:
        return self._inner.is_accepting

    @property
    def is_stopped(self) -> bool:
        return self._inner.is_stopped

    @property
    def refusal(self) -> str:
        return self._inner.refusal

    def _going_on(self, state: _State, copied: _Copy, allowed: _Flags) -> _Flags:
        """Return which tokens go on with the copy, or end it and go on behind it."""
        ways = self._ways(copied)
        kept = np.zeros_like(allowed)
        kept[ways.tokens] = True
        for token in ways.reopening:
            if allowed[token] and not kept[token]:
                kept[token] = self._after(state, token) is not None
        return kept

    def _leave_out(self, allowed: _Flags, state: _State) -> None:
        """Take out of `allowed` what begins a copy with what is not in the source."""
        index = self._index
        for token in index.several_quotes[allowed[index.several_quotes]]:
            allowed[token] = self._after(state, int(token)) is not None
        if state.cursor.in_string or state.cursor.in_key:
            return  # a single mark ends this string
        is_left = allowed[index.one_quote]
        for number in np.unique(index.head_numbers[is_left]):
            copied = self._opened(state, index.heads[number] + _QUOTE)
            if copied is not None:
                opening = index.one_quote[is_left & (index.head_numbers == number)]
                allowed[opening] = np.isin(opening, self._ways(copied).after_quote)

    def _opened(self, state: _State, spelling: bytes) -> _Copy | None:
        """Return the copy that `spelling`, which ends with a quotation mark, begins."""
        cursor = state.cursor.copy()
        cursor.feed(spelling)
        return self._copy_at(cursor) if cursor.in_string else None

    def _copy_at(self, cursor: JsonCursor) -> _Copy | None:
        mark = self._places.at(cursor.path)
        if mark is None:
            return None
        edges = self._source.edges(aligned=mark.aligned)
        return _Copy(edges, edges)

    def _ways(self, copied: _Copy) -> _Ways:
        if copied.is_begun:
            return self._ways_along(copied)
        if copied.edges not in self._beginnings:
            self._beginnings[copied.edges] = self._ways_along(copied)
        return self._beginnings[copied.edges]

    def _ways_along(self, copied: _Copy) -> _Ways:
        index, text = self._index, self._source.bytes
        tokens, after_quote = set[TokenId](), set[TokenId]()
        closing = set[tuple[TokenId, bytes]]()
        for beginning, ends in index.beginnings(text, copied.reached):
            tokens.update(index.whole.get(beginning, ()))
            quoting = index.before_quote.get(beginning)
            if quoting and not copied.edges.isdisjoint(ends):
                closing.update(quoting)
            if not copied.is_begun:
                after_quote.update(index.after_quote.get(beginning, ()))
        # Behind a copy the grammar knows best, but where a mark may begin another one.
        tokens.update(token for token, rest in closing if _QUOTE not in rest)
        reopening = {token for token, rest in closing if _QUOTE in rest}
        return _Ways(_array(tokens), tuple(reopening), _array(after_quote))

    def _after(self, state: _State, token: TokenId) -> _State | None:
        """Return the state after `token`, or None if that leaves the source or JSON."""
        cursor, copied = state.cursor.copy(), state.copied
        for byte in self._index.vocabulary.spellings[token]:
            was_inside = cursor.in_string
            try:
                cursor.feed(bytes([byte]))
            except ValueError:  # a key that is no text
                return None
            if copied is None:
                begins = cursor.in_string and not was_inside
                copied = self._copy_at(cursor) if begins else None
            elif cursor.in_string:
                reached = self._source.advance(copied.reached, bytes([byte]))
                copied = _Copy(copied.edges, reached, is_begun=True)
                if not reached:
                    return None
            elif copied.reached.isdisjoint(copied.edges):
                return None
            else:
                copied = None
        return _State(cursor, copied)


def _array(tokens: set[TokenId]) -> NDArray[np.int64]:
    return np.fromiter(tokens, dtype=np.int64, count=len(tokens))
