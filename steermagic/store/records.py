"""What the store holds of a run, while it goes on and after."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from steermagic.errors import StoreBusyError, StoreError
from steermagic.runs import Row
from steermagic.store.database import Database
from steermagic.store.keys import N_KEY_BYTES, Key, own_key, range_of
from steermagic.store.locks import RunLock
from steermagic.store.packing import Columns, packed, packed_failure, unpacked

State: TypeAlias = Literal[
    "running", "done", "interrupted", "stopped", "failed", "broken off", "continued"
]
"""`stopped` is by --strict, `failed` by an error, and `broken off` is all that can be said of a run
whose process is gone. `continued`: another run came to its end and has an answer to every question
that this one had one to, its own or a taken up one."""

Reuse: TypeAlias = Literal["all", "unfinished", "nothing"]
"""Whose answers a run may use: those of all runs, of unfinished ones, or none."""

UNFINISHED: Sequence[State] = ("interrupted", "stopped", "failed", "broken off")

_MAX_WAITING = 1000  # statements on answers that the store has already and this run refers to


@dataclass(frozen=True, slots=True)
class CellText:
    """A cell as it stands in the notebook, and the settings that it is read with.

    One that `is_resumed` takes up what was finished, even if its line asks for ``--fresh`` rows,
    and has the model and the store of its settings, whatever its line calls them.
    """

    line: str
    body: str
    settings: Mapping[str, object]
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is told of in the store. There is no cell where a function was called.

    `spec` is what the model was opened by. `options` and `form` are JSON; `form` says what answers
    look like, and `kind` how their records follow from their texts.
    """

    model: str
    spec: str
    fingerprint: str
    cell: CellText | None
    options: str
    form: str
    kind: str
    n_rows: int | None


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the store knows it; times are seconds since 1970.

    `n_done` rows have an answer and `n_failed` an error, of `n_rows` (None: nobody knew).
    """

    number: int
    id: str
    started: float
    ended: float | None
    state: State
    model: str
    spec: str
    cell: CellText | None
    options: Mapping[str, Any]
    form: str
    n_rows: int | None
    n_done: int
    n_failed: int


class RunRecord:
    """Takes in the rows of a run that goes on. `Store.begin` makes one.

    `problem` says why rows are not in the store that was meant: that could not be opened, or not be
    used any more. Then what comes after is lost to it, and the run itself goes on.
    """

    def __init__(
        self,
        database: Database,
        lock: RunLock,
        *,
        run: int,
        id: str,  # noqa: A002 - its name everywhere else
        kind: str,
        sources: Sequence[int],
        reuse: Reuse,
        trace: bool,
    ) -> None:
        self.id = id
        self.problem: StoreError | None = None
        self.n_taken_up = 0
        """Rows of unfinished runs that this one need not ask for again."""
        self._database, self._lock = database, lock
        self._run, self._kind, self._trace = run, kind, trace
        self._sources = json.dumps(sources)
        self._reuse = reuse if sources or reuse == "all" else "nothing"
        self._is_usable, self._is_busy = True, False
        self._waiting: list[tuple[str, Any]] = []

    def take_up(self, number: int, key: Key) -> Row | None:
        """Return the row with the answer that the store has for `key`, if this run may use it.

        Of several answers that is one of an unfinished run, the newest, the same row's. The run has
        the row from now on, with what follows committed.
        """
        if not self._is_usable or self._reuse == "nothing":
            return None
        try:
            found = self._database.read(
                _FIND, (self._sources, self._reuse == "all", *range_of(key), number)
            )
        except StoreError as error:
            self._note(error)
            return None
        if not found:
            return None
        [(is_unfinished, stored_as, *answer)] = found
        self.n_taken_up += is_unfinished
        columns: Columns = tuple(answer)
        # Another kernel may prune the answer until this is written.
        self._waiting += [
            (_PUT_ANSWER, (stored_as, *columns)),
            (_PUT_ROW, (self._run, number, stored_as, None)),
        ]
        if len(self._waiting) >= _MAX_WAITING:
            self._write()
        return unpacked(columns, number=number, trace=self._trace)

    def keep(self, row: Row, key: Key) -> None:
        """Commit a finished row; if it failed, its error.

        As long as another program holds the store, rows wait for what is written next.
        """
        if row.is_kept:
            columns = packed(row, kind=self._kind, trace=self._trace)
            stored_as = own_key(key, columns[:-1])  # steps are no part of it
            self._write(
                (_PUT_ANSWER, (stored_as, *columns)),
                (_PUT_ROW, (self._run, row.number, stored_as, None)),
            )
        else:
            failure = packed_failure(row)
            self._write((_PUT_ROW, (self._run, row.number, None, failure)))

    def end(self, state: State) -> None:
        """Commit how the run ended. One that failed before its first row leaves nothing."""
        end = (_END, {"state": state, "now": time.time(), "run": self._run})
        if state == "done":
            values = {"by": self._run, "sources": self._sources, "n_bytes": N_KEY_BYTES}
            self._write(end, (_CONTINUE, values), is_last=True)
        elif state == "failed":
            self._write(end, (_FORGET, (self._run,)), is_last=True)
        else:
            self._write(end, is_last=True)
        self._lock.release()

    @property
    def store(self) -> str:
        """The place of the store."""
        return self._database.place

    def _write(self, *statements: tuple[str, Any], is_last: bool = False) -> None:
        if not self._is_usable:
            return
        self._waiting += statements
        try:
            with self._database.transaction(
                is_last=is_last, may_wait=is_last or not self._is_busy
            ) as connection:
                for statement, values in self._waiting:
                    connection.execute(statement, values)
        except StoreError as error:
            self._note(error)
            if is_last:
                self.problem = error
        else:
            self._is_busy = False
            self._waiting.clear()

    def _note(self, error: StoreError) -> None:
        self._is_busy = isinstance(error, StoreBusyError)
        if not self._is_busy:
            self.problem, self._is_usable = error, False
            self._waiting.clear()


# A question has few answers, however many rows have them.
_FIND = """
WITH found AS (
    SELECT *,
        (SELECT max(run) FROM run_rows WHERE run_rows.key = answers.key
            AND run IN (SELECT value FROM json_each(?))) AS source,
        (SELECT max(run) FROM run_rows WHERE run_rows.key = answers.key AND ?) AS newest
    FROM answers WHERE key >= ? AND key < ?
)
SELECT source IS NOT NULL AS is_unfinished, key, kind, text, thoughts, details, steps FROM found
WHERE coalesce(source, newest) IS NOT NULL
ORDER BY is_unfinished DESC, coalesce(source, newest) DESC, EXISTS (
    SELECT 1 FROM run_rows
    WHERE run = coalesce(source, newest) AND number = ? AND run_rows.key = found.key
) DESC, key DESC LIMIT 1
"""
_PUT_ANSWER = """
INSERT INTO answers (key, kind, text, thoughts, details, steps) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET steps = excluded.steps
WHERE steps IS NULL AND excluded.steps IS NOT NULL
"""
_PUT_ROW = """
INSERT INTO run_rows (run, number, key, failure) VALUES (?, ?, ?, ?)
ON CONFLICT (run, number) DO UPDATE SET key = excluded.key, failure = excluded.failure
"""
_END = """
UPDATE runs SET state = :state, ended = :now, n_rows = CASE
    WHEN n_rows IS NULL AND :state = 'done'
    THEN (SELECT count(*) FROM run_rows WHERE run = :run) ELSE n_rows END
WHERE number = :run
"""
_FORGET = """
DELETE FROM runs WHERE number = ? AND NOT EXISTS (SELECT 1 FROM run_rows WHERE run = runs.number)
"""
# A run is continued if its successor answers all that it had answered, and it had some or is the
# same cell.
_CONTINUE = """
UPDATE runs SET state = 'continued' WHERE number IN (SELECT value FROM json_each(:sources))
AND NOT EXISTS (
    SELECT 1 FROM run_rows WHERE run = runs.number AND key IS NOT NULL
    AND substr(key, 1, :n_bytes) NOT IN (
        SELECT substr(key, 1, :n_bytes) FROM run_rows WHERE run = :by AND key IS NOT NULL
    )
)
AND (
    EXISTS (SELECT 1 FROM run_rows WHERE run = runs.number AND key IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM runs AS later WHERE later.number = :by
        AND later.line = runs.line AND later.body = runs.body
    )
)
"""
