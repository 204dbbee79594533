"""Whether a run still goes on: while it does, its process holds a lock.

The system lets go of the lock however the process ends, also by kill -9.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Self

from steermagic.store.database import primary_code

_PATIENCE_S = 0.05  # for somebody who only looks


class RunLock:
    """Held by the run of that id in the store at `path`; a store in memory needs none."""

    def __init__(self, path: Path | None, run_id: str) -> None:
        self._file = None if path is None else _lock_file(path, run_id)
        self._connection = None if self._file is None else _try_lock(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let go of it, and leave nothing behind."""
        if self._connection is not None and self._file is not None:
            self._connection.close()
            self._file.unlink(missing_ok=True)
            self._connection = None


def is_going_on(path: Path | None, run_id: str) -> bool:
    """Tell whether the process of a run that has no end in the store still works on it."""
    if path is None:
        return True  # nothing outlives the process
    file = _lock_file(path, run_id)
    if not file.exists():
        return False
    connection = _try_lock(file)
    if connection is None:
        return True
    connection.close()
    file.unlink(missing_ok=True)
    return False


def _lock_file(path: Path, run_id: str) -> Path:
    return path.with_name(f"{path.name}-{run_id[:12]}.lock")


def _try_lock(file: Path) -> sqlite3.Connection | None:
    """Return a connection that holds the lock, or None where somebody else does."""
    # SQLite's locks are the same on all systems, and its file stays empty.
    connection = sqlite3.connect(
        file, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        if primary_code(error) == sqlite3.SQLITE_BUSY:
            return None
        raise
    return connection
