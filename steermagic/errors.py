"""The front end's errors, and how a cell shows one: one or two lines, no traceback, failed.

::

    SteerError                  (steer_engine)
    ├── CellSyntaxError         the cell's parts cannot be told apart, or one is missing
    ├── OptionError             an option or a setting is unknown or has a wrong value
    ├── CommandError            %steer was asked for something it does not know
    ├── InterpolationError      a {{ expression }} in the prompt failed
    ├── FrameError              records cannot be shown in the form that was asked for
    ├── MissingExtraError       a library is not installed; names the extra that brings it
    ├── StoreError              the run store cannot be opened, read or written
    │   └── StoreBusyError      another program holds it
    └── SteerCancelled          the user stopped the run

    CellError                   any of these, as a notebook shows it
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from steer_engine import SteerError
from steermagic.printable import printable


class CellSyntaxError(SteerError):
    """The parts of a cell cannot be told apart, or one of them is missing."""


class OptionError(SteerError):
    """An option or a setting is unknown or has a value that it cannot have."""


class CommandError(SteerError):
    """`%steer` was asked for something that it does not know or does not have."""


class InterpolationError(SteerError):
    """A `{{ expression }}` in a prompt cannot be read or evaluated.

    `undefined` is the name that is not there, if that is what is wrong.
    """

    def __init__(self, message: str, *, undefined: str | None = None) -> None:
        super().__init__(message)
        self.undefined = undefined


class FrameError(SteerError):
    """Records cannot be shown in the form that was asked for."""


class MissingExtraError(SteerError):
    """An optional library is not installed."""

    def __init__(self, library: str, *, extra: str) -> None:
        super().__init__(f'{library} is not installed; run: pip install "steermagic[{extra}]"')


class StoreError(SteerError):
    """The run store cannot be opened, read or written."""


class StoreBusyError(StoreError):
    """Another program holds the run store; a moment later it may be free."""


class SteerCancelled(SteerError):  # noqa: N818 - it names what happened, as CancelledError does
    """The user stopped the run. An error, so that "Run All" stops as well."""


class CellError(Exception):
    """A `SteerError` as a cell shows it: its message and notes, and still a failed cell."""

    def _render_traceback_(self) -> list[str]:
        cause = self.__cause__
        notes = getattr(cause, "__notes__", ())
        return [printable(line) for line in (f"{type(cause).__name__}: {self}", *notes)]


@contextmanager
def without_traceback() -> Iterator[None]:
    """Turn a `SteerError` into a `CellError`. A defect of our own keeps its traceback."""
    try:
        yield
    except SteerError as error:
        # Its name is the cause's: programs read it from the kernel's reply.
        kind = type(type(error).__name__, (CellError,), {})
        raise kind(str(error)) from error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of `known`, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
