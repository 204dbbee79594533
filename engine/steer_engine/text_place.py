"""Where a text stands, as far as closing it needs to know."""

from __future__ import annotations

from dataclasses import dataclass

QUOTE, BACKSLASH = ord('"'), ord("\\")
OF_NUMBERS = frozenset(b"0123456789.eE+-")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: how many brackets are open, how many strings and numbers have ended.

    `text` is what the open string has so far. Text that is no JSON is one place.
    """

    depth: int = 0
    n_ended: int = 0
    in_string: bool = False
    is_escaped: bool = False
    in_number: bool = False
    text: bytes = b""
    is_json: bool = True

    def after(self, spelling: bytes) -> Place:
        """Return the place after some bytes."""
        if not self.is_json:
            return self
        depth, n_ended, in_string = self.depth, self.n_ended, self.in_string
        is_escaped, in_number = self.is_escaped, self.in_number
        start, before = 0, self.text  # of the open string
        for at, byte in enumerate(spelling):
            if in_string:
                ends = byte == QUOTE and not is_escaped
                is_escaped = byte == BACKSLASH and not is_escaped
                in_string = not ends
                n_ended += ends
            else:
                in_string, start, before = byte == QUOTE, at + 1, b""
                n_ended += in_number and byte not in OF_NUMBERS
                in_number = byte in OF_NUMBERS
                depth += (byte in b"[{") - (byte in b"]}")
        text = before + spelling[start:] if in_string else b""
        return Place(depth, n_ended, in_string, is_escaped, in_number, text)


START = Place()
