r"""Regular expressions as JSON Schema means them: ECMA-262 with the unicode flag, found anywhere.

Read in this order: `syntax` -> `parser` -> `search` -> `widening`; `properties` has the names of
`\p{...}`.
"""

from __future__ import annotations

from steer_engine.errors import RowError, SchemaError
from steer_engine.schema.patterns.parser import parsed
from steer_engine.schema.patterns.search import compiled
from steer_engine.schema.patterns.syntax import PatternError
from steer_engine.schema.patterns.widening import widened

__all__ = ["check_pattern", "masked_pattern", "matches"]

_TIMEOUT_S = 1.0


def check_pattern(pattern: str) -> None:
    """Raise `SchemaError` where `pattern` is no regular expression of ECMA-262.

    Any punctuation may be escaped, and a brace or bracket that closes nothing stands for itself.
    """
    try:
        parsed(pattern)
    except PatternError as error:
        raise _unreadable(pattern, error) from error


def matches(pattern: str, text: str) -> bool:
    """Return whether `pattern` matches somewhere in `text`.

    Raises:
        SchemaError: the pattern cannot be read.
        RowError: the search backtracks for more than a second.
    """
    try:
        return compiled(pattern).search(text, timeout=_TIMEOUT_S) is not None
    except PatternError as error:
        raise _unreadable(pattern, error) from error
    except TimeoutError as error:
        raise RowError(
            f"the pattern {_short(pattern)} takes too long on a text of {len(text)} characters; "
            "write it without nested repeats"
        ) from error


def masked_pattern(pattern: str) -> tuple[str, bool]:
    """Return `pattern` as the mask compiler reads it, and whether that matches the same texts.

    It matches every text that `pattern` matches and that the mask can write, and may match more.
    Empty where nothing can be said. Raises `SchemaError` where the pattern cannot be read.
    """
    try:
        return widened(pattern)
    except PatternError as error:
        raise _unreadable(pattern, error) from error


def _unreadable(pattern: str, error: PatternError) -> SchemaError:
    return SchemaError(f"{_short(pattern)} is no regular expression of ECMA-262: {error}")


def _short(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 80 else pattern[:79] + "…")
