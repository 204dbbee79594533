"""The inside of a JSON string, decoded piece by piece."""

from __future__ import annotations

import json
import re

# `\u` may be cut off after any digit, and half a surrogate pair waits for the other half.
_COMPLETE = re.compile(
    rb"""(?:
        [^\\]+
        | \\[^u]
        | \\u[^dD]...
        | \\u[dD][^89abAB]..
        | \\u[dD][89abAB]..\\u[dD][c-fC-F]..
        | \\u[dD][89abAB]..(?=[^\\]|\\[^u]|\\u[^dD]|\\u[dD][^c-fC-F])
    )*+""",
    re.VERBOSE | re.DOTALL,
)
_INSIDE = re.compile(rb'(?:[^"\\]+|\\.)*+', re.DOTALL)


def closing_quote(data: bytes, start: int) -> int:
    """Return where the string ends in whose inside `start` is, or -1 where it goes on."""
    quote = data.find(b'"', start)
    if quote < 0 or data.find(b"\\", start, quote) < 0:
        return quote
    match = _INSIDE.match(data, start)
    end = len(data) if match is None else match.end()
    return end if data[end : end + 1] == b'"' else -1


def decoded(data: bytes) -> tuple[str, bytes]:
    """Return the text that `data` spells, and the bytes at its end that wait for more."""
    if b"\\" not in data:
        return _decoded_utf8(data)
    match = _COMPLETE.match(data)
    end = 0 if match is None else match.end()
    spelled, carry = _decoded_utf8(data[:end])
    return _unescaped(spelled), carry + data[end:]


def whole(data: bytes) -> str:
    """Return the text of a string whose inside is `data`."""
    return _unescaped(data.decode("utf-8", "replace"))


def _unescaped(spelled: str) -> str:
    if "\\" not in spelled:
        return spelled
    text: str = json.loads(f'"{spelled}"', strict=False)
    return text


def _decoded_utf8(data: bytes) -> tuple[str, bytes]:
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return data.decode("utf-8", "replace"), b""
        return data[: error.start].decode(), data[error.start :]
