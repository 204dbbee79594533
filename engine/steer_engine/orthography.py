r"""How values may be spelled: what is JSON, and still no row can have it.

Numbers are read as Python reads them: as floats where they have a point or an exponent, else as
integers. One that is too large for that is not written.

`\u` stands only for control characters that have no other escape, in small letters: else a listed
property could be spelled in another way, and pass for one that is not listed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from steer_engine.vocabulary import TokenId, Vocabulary

MAX_DIGITS = 4000
"""Of an integer. Python refuses to read one of more than 4,300."""

# A token without any of this leaves a number as sound as it was.
_OF_NUMBERS = re.compile(rb"[0-9]|^[.eE][+-]?$")
_INSIDE = re.compile(rb"[-+.0-9eE]+")
_END = re.compile(rb"[-+.0-9eE]+$")
_SUSPECT = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9.]{200}")
_SHORTEST_SUSPECT = len("1e999")
_PART = re.compile(rb'(?P<string>"(?:[^"\\]++|\\.)*+)"?|(?P<number>-?[0-9][-+.0-9eE]*+)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u(?P<digits>.{0,4})|.)", re.DOTALL)
_ESCAPED = [*range(0x01, 0x08), 0x0B, *range(0x0E, 0x20), 0x7F]
_LONGEST_ESCAPE = len(r"\u0001")
_BEGINNINGS = frozenset(b"%04x" % code for code in _ESCAPED)
_BEGINNINGS |= {digits[:end] for digits in _BEGINNINGS for end in range(4)}
_SOUND = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Orthography:
    """The rules for the tokens of one vocabulary, shared by rows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        spellings = [*enumerate(vocabulary.spellings)]
        self.of_numbers = frozenset(token for token, text in spellings if _OF_NUMBERS.search(text))
        """The tokens with which a number may become too large."""
        self._inside = frozenset(token for token, text in spellings if _INSIDE.fullmatch(text))
        self._opening = frozenset(token for token, text in spellings if _END.search(text))

    def number_fault(self, tokens: Sequence[TokenId], token: TokenId) -> bytes:
        """Return the first bytes of `token` with which a number is too large; mostly none."""
        number = spelling = self._vocabulary.spellings[token]
        if tokens and tokens[-1] in self._opening:
            number = self._begun(tokens) + spelling
        if len(number) < _SHORTEST_SUSPECT or not _SUSPECT.search(number):
            return b""
        return self._fault(tokens, spelling)

    def escape_fault(self, tokens: Sequence[TokenId], token: TokenId) -> bytes:
        """Return the first bytes of `token` with which an escape is not allowed; mostly none."""
        spelling = self._vocabulary.spellings[token]
        before = self._vocabulary.spell(tokens[-_LONGEST_ESCAPE:])
        if b"\\u" not in before[-_LONGEST_ESCAPE:] + spelling:
            return b""
        return self._fault(tokens, spelling)

    def _begun(self, tokens: Sequence[TokenId]) -> bytes:
        """Return the number in which `tokens` end, or what looks like one."""
        n_inside = len([*takewhile(self._inside.__contains__, reversed(tokens))])
        match = _END.search(self._vocabulary.spell(tokens[-n_inside - 1 :]))
        return b"" if match is None else match[0]

    def _fault(self, tokens: Sequence[TokenId], spelling: bytes) -> bytes:
        text = self._vocabulary.spell(tokens)
        at = first_fault(text + spelling, len(text))
        return b"" if at is None else spelling[: at - len(text) + 1]


def first_fault(text: bytes, start: int) -> int | None:
    """Return the first byte, from `start` on, with which no value goes on; None if all may.

    `text` is the beginning of a JSON text that has no such byte before `start`.
    """
    for part in _PART.finditer(text):
        if part.end() > start:
            at = next(_faults(text, part, start), None)
            if at is not None:
                return at
    return None


def _faults(text: bytes, part: re.Match[bytes], start: int) -> Iterator[int]:
    first, end = part.span("number")
    for at in range(max(first, start), end):
        if is_too_large(text[first : at + 1]):
            yield at
    for escape in _ESCAPE.finditer(text, *part.span("string")):
        digits = escape["digits"] or b""
        for n_digits in range(1, len(digits) + 1):
            at = escape.start("digits") + n_digits - 1
            if at >= start and digits[:n_digits] not in _BEGINNINGS:
                yield at


def is_too_large(number: bytes) -> bool:
    """Tell whether `number`, or the first bytes of one, is too large for a float or an integer.

    More of it makes it no smaller, but for one of more than 308 digits before its point: a negative
    exponent could, and nobody writes that.
    """
    digits = number.lstrip(b"-")
    if digits.isdigit():
        return len(digits) > MAX_DIGITS
    sound = _SOUND.match(number)
    return sound is not None and math.isinf(float(sound[0]))
