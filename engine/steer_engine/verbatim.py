"""Strings that must be copied from the prompt: the mask allows only spans of the source text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from steer_engine.cursor import JsonCursor
from steer_engine.errors import DefectError
from steer_engine.grammar import Matcher
from steer_engine.mask import Mask, pack_mask, unpack_mask
from steer_engine.schema.places import Path
from steer_engine.vocabulary import TokenId, Vocabulary

_QUOTE = b'"'
_MAX_SPELLING = 32  # bytes; longer tokens are left out, and what they spell takes several


class SpellingIndex:
    """The tokens of a vocabulary by their bytes; built once and shared by rows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.max_length = 0
        self._by_spelling: dict[bytes, list[TokenId]] = {}
        for token, spelling in enumerate(vocabulary.spellings):
            is_text = 0 < len(spelling) <= _MAX_SPELLING and token not in vocabulary.special_ids
            if is_text and _QUOTE not in spelling:
                self._by_spelling.setdefault(spelling, []).append(token)
                self.max_length = max(self.max_length, len(spelling))

    @cached_property
    def quoting(self) -> NDArray[np.bool_]:
        """Which tokens hold a quotation mark, shape ``(vocab_size,)``."""
        return np.array([_QUOTE in spelling for spelling in self.vocabulary.spellings])

    def tokens_along(self, text: bytes) -> Iterator[TokenId]:
        """Yield the tokens that are a beginning of `text`."""
        for length in range(1, len(text) + 1):
            yield from self._by_spelling.get(text[:length], ())


def _spelled(char: str) -> bytes:
    """Return a character as it stands in a JSON string."""
    spelling = json.dumps(char, ensure_ascii=False)[1:-1]
    # The grammar has no \\u escapes: such a character ends every span. No text holds this byte.
    return b"\xff" if spelling.startswith("\\u") else spelling.encode("utf-8", "replace")


class SourceText:
    """A text that values are copied from, spelled as it stands in JSON strings."""

    def __init__(self, text: str) -> None:
        units = [_spelled(char) for char in text]
        self.bytes = b"".join(units)
        # A value may begin and end between characters, never inside an escape or a UTF-8 sequence.
        ends = np.cumsum([0, *map(len, units)])
        self.boundaries = frozenset(ends.tolist())

    @cached_property
    def _after_first(self) -> dict[int, frozenset[int]]:
        after: dict[int, set[int]] = {}
        for at in self.boundaries:
            if at < len(self.bytes):
                after.setdefault(self.bytes[at], set()).add(at + 1)
        return {byte: frozenset(offsets) for byte, offsets in after.items()}

    def advance(self, offsets: frozenset[int], byte: int) -> frozenset[int]:
        """Return the offsets that follow those of `offsets` where `byte` stands."""
        if offsets is self.boundaries:
            return self._after_first.get(byte, frozenset())
        data = self.bytes
        return frozenset(at + 1 for at in offsets if at < len(data) and data[at] == byte)


@dataclass(frozen=True, slots=True)
class _State:
    """Where the text stands, and the source offsets that the open string may have reached.

    `reached` is None outside of strings that must be copied.
    """

    cursor: JsonCursor
    reached: frozenset[int] | None = None


class VerbatimMatcher:
    """A `Matcher` that also holds the strings at `places` to spans of a source text."""

    def __init__(
        self, inner: Matcher, source: SourceText, places: frozenset[Path], index: SpellingIndex
    ) -> None:
        self._inner, self._source, self._places, self._index = inner, source, places, index
        self._states = [_State(JsonCursor())]  # before the first token and after each one

    def fill_mask(self, mask: Mask) -> None:
        self._inner.fill_mask(mask)
        state = self._states[-1]
        allowed = unpack_mask(mask, self._index.vocabulary.vocab_size)
        if state.reached is None:
            kept = allowed & ~self._index.quoting
        else:
            kept = np.zeros_like(allowed)
            kept[list(self._continuations(state.reached))] = True
            kept &= allowed
        # A token with a quotation mark may close one string and open the next: walk over each.
        for token in np.flatnonzero(allowed & self._index.quoting):
            kept[token] = self._after(state, int(token)) is not None
        mask[:] = pack_mask(kept)

    def accept(self, token: TokenId) -> None:
        self._inner.accept(token)
        state = self._after(self._states[-1], token)
        if state is None:
            raise DefectError(f"token {token} left the source text; please report this")
        self._states.append(state)

    def rollback(self, n_tokens: int) -> None:
        self._inner.rollback(n_tokens)
        del self._states[len(self._states) - n_tokens :]

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
    def is_accepting(self) -> bool:
        return self._inner.is_accepting

    @property
    def is_stopped(self) -> bool:
        return self._inner.is_stopped

    def _continuations(self, reached: frozenset[int]) -> Iterator[TokenId]:
        if reached is self._source.boundaries:
            yield from self._beginnings
        else:
            yield from self._along(reached)

    @cached_property
    def _beginnings(self) -> list[TokenId]:
        return list(self._along(self._source.boundaries))

    def _along(self, reached: frozenset[int]) -> Iterator[TokenId]:
        rests = {self._source.bytes[at : at + self._index.max_length] for at in reached}
        for rest in rests:
            yield from self._index.tokens_along(rest)

    def _after(self, state: _State, token: TokenId) -> _State | None:
        """Return the state after `token`, or None if that leaves the source."""
        cursor, reached = state.cursor.copy(), state.reached
        for byte in self._index.vocabulary.spellings[token]:
            was_inside = cursor.in_string
            cursor.feed(bytes([byte]))
            if cursor.in_string and not was_inside:
                reached = self._source.boundaries if self._is_held(cursor) else None
            elif reached is not None and was_inside and not cursor.in_string:
                if reached.isdisjoint(self._source.boundaries):
                    return None
                reached = None
            elif reached is not None:
                reached = self._source.advance(reached, byte)
                if not reached:
                    return None
        return _State(cursor, reached)

    def _is_held(self, cursor: JsonCursor) -> bool:
        path = tuple(None if isinstance(step, int) else step for step in cursor.path)
        return path in self._places
