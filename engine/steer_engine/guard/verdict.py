"""What can be said of a value of which only a beginning is written."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final


class Verdict(Enum):
    """The three answers to "is this value valid?"."""

    VALID = "valid whatever follows"
    INVALID = "invalid whatever follows"
    OPEN = "not decided yet"


# Names of their own: looking up a member of an Enum costs more than all the rest of an evaluation.
VALID: Final = Verdict.VALID
INVALID: Final = Verdict.INVALID
OPEN: Final = Verdict.OPEN


def negated(verdict: Verdict) -> Verdict:
    """Return the verdict on "this value is not valid"."""
    if verdict is OPEN:
        return OPEN
    return INVALID if verdict is VALID else VALID


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on "all of them hold"; asks no further than the first INVALID."""
    result = VALID
    for verdict in verdicts:
        if verdict is INVALID:
            return INVALID
        if verdict is OPEN:
            result = OPEN
    return result


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on "one of them holds"; asks no further than the first VALID."""
    result = INVALID
    for verdict in verdicts:
        if verdict is VALID:
            return VALID
        if verdict is OPEN:
            result = OPEN
    return result
