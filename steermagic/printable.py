"""Text of a model or a user, made fit to be shown: it cannot act on what stands around it."""

from __future__ import annotations

import re

NO_FORMULAS = "tex2jax_ignore mathjax_ignore"
"""The classes of HTML in which pages leave dollar signs alone; pandas writes the same."""

# Escape sequences of terminals begin with controls; overrides of the writing direction reach beyond
# their own text. Directions themselves (Hebrew, Arabic, and their marks) are left alone.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def printable(text: str, max_length: int | None = None) -> str:
    r"""Return `text` with what is no letter but an order written out, as ``\x1b`` or ``\u202e``.

    Of a text longer than `max_length` characters its beginning and its end are shown.
    """
    if max_length is not None and len(text) > max_length:
        half = max_length // 2
        text = f"{text[:half]} … {text[-half:]}"
    return _ACTING.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
