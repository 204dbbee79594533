"""One SQLite file that several kernels read and write at once."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steermagic.errors import StoreBusyError, StoreError
from steermagic.paths import OFF
from steermagic.store.layout import LATER, TABLES

_APPLICATION = 0x73746D67  # tells our files from those of others
_VERSION = 1
_PATIENCE_S = 10.0  # another kernel's transaction takes milliseconds
_SYNC_PERIOD_S = 1.0
_NOT_WRITABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CLOSED_PLACE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

_HALF = re.compile("[\ud800-\udfff]")


def default_path() -> Path:
    """Return where the store is if no setting says otherwise: in the user's data folder."""
    import platformdirs

    return platformdirs.user_data_path("steermagic") / "runs.sqlite"


class _Connection(sqlite3.Connection):
    """Takes text with half of a surrogate pair, too: UTF-8 has none, so U+FFFD stands for it."""

    def execute(self, query: str, values: Any = (), /) -> sqlite3.Cursor:  # noqa: ANN401 - as there
        try:
            return super().execute(query, values)
        except UnicodeEncodeError:  # raised before anything is done
            return super().execute(query, [_whole(value) for value in values])


def _whole(value: object) -> object:
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


class Database:
    """The file at `path`, made if it is not there; without a path, a store in memory.

    Every method raises `StoreError` where the file cannot be used. Threads may share a database.
    A file that may only be read can be; no `transaction` begins there.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.is_writable = path, True
        self._file: os.stat_result | None = None  # what is opened, whatever has its path later
        self._lock = threading.RLock()  # a connection has one transaction at a time
        self._synced_at = 0.0
        with self.explained():
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not path.exists():
                    path.touch(mode=0o600)  # what somebody asked is nobody else's business
            try:
                self._open(":memory:" if path is None else path, self._prepare)
            except sqlite3.OperationalError as error:
                is_closed = primary_code(error) in _NOT_WRITABLE
                if path is None or not is_closed or not path.stat().st_size:
                    raise
                self.is_writable = False
                self._open_to_read(path)
            self._file = None if path is None else path.stat()

    def read(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows that a query finds."""
        with self._lock, self.explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(
        self, *, is_last: bool = False, may_wait: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """Write all of what is done inside, or nothing of it.

        The last one of a run waits for the disk, and one that may not wait for other programs
        raises `StoreBusyError` at once.
        """
        with self._lock, self.explained():
            if not self.is_there:
                raise self._gone()
            self._choose_durability(is_due=is_last)
            self._wait_for_others(_PATIENCE_S if may_wait else 0)
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._wait_for_others(_PATIENCE_S)

    def shrink(self) -> int:
        """Give the file system back what is no longer used; return how many bytes that were."""
        with self._lock, self.explained():
            before = self._n_bytes()
            self._connection.executescript("PRAGMA incremental_vacuum")  # `execute` frees one page
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return before - self._n_bytes()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def place(self) -> str:
        """What the store is opened by, wherever the process stands by then."""
        return OFF if self.path is None else str(self.path)

    @property
    def is_there(self) -> bool:
        """Tell whether the file is still where it was; one that was deleted can be written, too."""
        if self.path is None or self._file is None:
            return True
        try:
            return os.path.samestat(self._file, self.path.stat())
        except OSError:
            return False

    def _open_to_read(self, path: Path) -> None:
        uri = path.absolute().as_uri()
        try:
            self._open(f"{uri}?mode=ro", self._check)
        except sqlite3.OperationalError:
            log = path.with_name(f"{path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise
            # Readers, too, want to make a file beside it, unless nobody can write.
            self._open(f"{uri}?immutable=1", self._check)

    def _open(self, file: Path | str, begin: Callable[[], None]) -> None:
        self._connection = sqlite3.connect(
            file,
            timeout=_PATIENCE_S,
            isolation_level=None,  # transactions begin and end where we say
            check_same_thread=False,
            factory=_Connection,
            uri=isinstance(file, str),
        )
        self._connection.row_factory = sqlite3.Row
        try:
            begin()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA foreign_keys = OFF")
        if self._is_empty():
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only before the tables
        else:
            self._check()
        self._write_ahead()
        with self.transaction():
            if self._is_empty():  # another kernel may have been faster
                for statement in TABLES.split(";"):
                    self._connection.execute(statement)  # a script would commit
                self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
            self._connection.execute(LATER)
        self._check()

    def _check(self) -> None:
        if self._value("PRAGMA application_id") != _APPLICATION:
            raise self._foreign()
        version = self._value("PRAGMA user_version")
        if version > _VERSION:
            raise StoreError(
                f"the run store {self.path} was written by a newer steermagic (its form is"
                f" {version}, this version knows {_VERSION}); update steermagic, or give the"
                " setting `store` another path"
            )

    def _write_ahead(self) -> None:
        """Let readers and a writer work at once. Unlike a write, this does not wait its turn."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _wait_for_others(self, most_s: float) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * most_s)}")

    def _choose_durability(self, *, is_due: bool) -> None:
        # A commit outlives the process in any case. To outlive a power failure it has to wait for
        # the disk, milliseconds that a quick model does not have for each row: so once a second.
        now = time.monotonic()
        is_due = is_due or now - self._synced_at >= _SYNC_PERIOD_S
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_due else 'NORMAL'}")
        self._synced_at = now if is_due else self._synced_at

    def _is_empty(self) -> bool:
        return bool(self._value("SELECT count(*) FROM sqlite_master") == 0)

    def _n_bytes(self) -> int:
        return int(self._value("PRAGMA page_count") * self._value("PRAGMA page_size"))

    def _value(self, query: str) -> Any:  # noqa: ANN401 - what SQLite has there
        return self._connection.execute(query).fetchone()[0]

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say of what goes wrong inside that it is this store, and what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._problem(str(error), code=primary_code(error)) from error
        except OSError as error:
            is_closed = error.errno in _CLOSED_PLACE
            code = sqlite3.SQLITE_PERM if is_closed else None
            raise self._problem(error.strerror or str(error), code=code) from error

    def _problem(self, reason: str, *, code: int | None = None) -> StoreError:
        if code == sqlite3.SQLITE_NOTADB:
            return self._foreign()
        if code == sqlite3.SQLITE_CORRUPT:
            return StoreError(
                f"the run store {self.path} is damaged ({reason}); move it away, and a new one is"
                " made"
            )
        if code in _NOT_WRITABLE:
            return StoreError(
                f"the run store {self.path} cannot be written ({reason}); make it and its folder"
                " writable, or give the setting `store` another path"
            )
        if code in _BUSY:
            return StoreBusyError(
                f"the run store {self.path} is held by another program ({reason}); wait until that"
                " is done, or give the setting `store` another path"
            )
        return StoreError(
            f"the run store {self.path} cannot be used ({reason}); make room for it, or give the"
            " setting `store` another path"
        )

    def _gone(self) -> StoreError:
        return StoreError(
            f"the run store {self.path} was deleted or replaced while it was in use; the next run"
            " is stored there again"
        )

    def _foreign(self) -> StoreError:
        return StoreError(
            f"{self.path} is not a run store of steermagic; give the setting `store` another path"
        )


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's code of `error` without its finer distinctions."""
    # An error of the sqlite3 module itself has none.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
