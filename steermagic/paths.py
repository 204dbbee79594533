"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path

from steer_engine import SteerError

OFF = "off"
"""In place of the store's path: nothing is written to the disk."""


def is_off(written: str) -> bool:
    """Tell whether what is written in place of a path means `OFF`, and no file of that name."""
    return written.lower() in {OFF, "none", "false"}


def user_path(written: str | Path, error: type[SteerError]) -> Path:
    """Return the path that was written, with a home folder in place of ``~``.

    Raises:
        error: it cannot be a path: nobody has that name, or it has a null byte.
    """
    if "\0" in str(written):
        raise error(f"{str(written)!r} cannot be a path: it has a null byte")
    try:
        return Path(written).expanduser()
    except RuntimeError as problem:  # nobody is called so
        raise error(f"{str(written)!r} cannot be a path: {problem}") from problem
