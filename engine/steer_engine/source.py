"""The text that values are copied from: where a copy may begin and end, and where one stands."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

_SEPARATOR = "\0"  # no JSON string holds it as it is, so no copy goes from one input to the next
_JOINER = "\u200d"
# Scripts that put no space between words: each of their letters is taken for a word.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # Chinese, Japanese
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


class SourceText:
    """The inputs that values are copied from, spelled as they stand in JSON strings."""

    def __init__(self, inputs: Sequence[str]) -> None:
        # A lone surrogate is no text; the model reads a question mark in its place.
        self.inputs = tuple(text.encode("utf-8", "replace").decode() for text in inputs)
        text = _SEPARATOR.join(self.inputs)
        units = [_spelled(char) for char in text]
        self.bytes = b"".join(units)
        # A value may begin and end between characters, never inside an escape or a UTF-8 sequence.
        at = np.cumsum([0, *map(len, units)]).tolist()
        self.boundaries = frozenset(at)
        self.word_boundaries = frozenset(at[i] for i in range(len(at)) if is_word_boundary(text, i))

    def edges(self, *, aligned: bool) -> frozenset[int]:
        """Return the byte offsets between which values are copied."""
        return self.word_boundaries if aligned else self.boundaries

    def advance(self, offsets: frozenset[int], data: bytes) -> frozenset[int]:
        """Return where `data` ends that begins at one of `offsets`."""
        if len(offsets) > len(self.bytes) // 8:  # all edges: searching is quicker than looking
            return frozenset(at + len(data) for at in self._occurrences(data) if at in offsets)
        size, text = len(data), self.bytes
        return frozenset(at + size for at in offsets if text.startswith(data, at))

    def find(self, copy: str, *, aligned: bool) -> tuple[int, int, int] | None:
        """Return where `copy` stands first: the number of the input, and start and end in it."""
        for number, text in enumerate(self.inputs):
            start = text.find(copy)
            while start >= 0:
                end = start + len(copy)
                if not aligned or (is_word_boundary(text, start) and is_word_boundary(text, end)):
                    return number, start, end
                start = text.find(copy, start + 1)
        return None

    def _occurrences(self, data: bytes) -> Iterator[int]:
        at = self.bytes.find(data)
        while at >= 0:
            yield at
            at = self.bytes.find(data, at + 1)


def is_word_boundary(text: str, at: int) -> bool:
    """Tell whether no word stands on both sides of offset `at`.

    A word is a run of letters, digits and the marks on them. In scripts without spaces, such as
    Chinese, Japanese and Thai, every letter is a word.
    """
    if at in (0, len(text)):
        return True
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or _JOINER in (before, after):
        return False
    if _is_unspaced(before) or _is_unspaced(after):
        return True
    # A mark belongs to the letter before it.
    is_word_before = before.isalnum() or unicodedata.category(before)[0] == "M"
    return not (is_word_before and after.isalnum())


def _is_unspaced(char: str) -> bool:
    return char > "\u0dff" and any(first <= ord(char) <= last for first, last in _UNSPACED)


def _spelled(char: str) -> bytes:
    """Return a character as it stands in a JSON string."""
    spelling = json.dumps(char, ensure_ascii=False)[1:-1]
    # The grammar has no \\u escapes: such a character ends every copy. No text holds this byte.
    return b"\xff" if spelling.startswith("\\u") else spelling.encode()
