"""What the store holds of a run, while it goes on and after."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from steermagic.errors import StoreError
from steermagic.runs import Row
from steermagic.store.database import Database
from steermagic.store.keys import Key
from steermagic.store.locks import RunLock
from steermagic.store.packing import Columns, packed, packed_failure, unpacked

State: TypeAlias = Literal[
    "running", "done", "interrupted", "stopped", "failed", "broken off", "continued"
]
"""`stopped` is by --strict, `failed` by an error, and `broken off` is all that can be said of a run
whose process is gone. `continued`: another run has all its rows and came to an end."""

Reuse: TypeAlias = Literal["all", "unfinished", "nothing"]
"""Whose answers a run may use: those of all runs, of unfinished ones, or none."""

UNFINISHED: Sequence[State] = ("interrupted", "stopped", "failed", "broken off")

_MAX_WAITING = 500  # answers that the store has already and this run refers to


@dataclass(frozen=True, slots=True)
class CellText:
    """A cell as it stands in the notebook, and the settings that it is read with.

    One that `is_resumed` takes up what was finished, even if its line asks for ``--fresh`` rows.
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
        self._sources = frozenset(sources)
        self._reuse = reuse
        self._is_usable = True
        self._waiting: list[tuple[int, Key, Columns]] = []

    def take_up(self, number: int, key: Key) -> Row | None:
        """Return the row with the answer that the store has for `key`, if this run may use it.

        The run has that row from now on, with what follows committed.
        """
        if not (self._is_usable and self._may_find):
            return None
        try:
            is_unfinished = self._is_of_a_source(key)
            if self._reuse == "unfinished" and not is_unfinished:
                return None
            found = self._database.read(
                "SELECT kind, text, thoughts, details, steps FROM answers WHERE key = ?", (key,)
            )
        except StoreError as error:
            self._give_up(error)
            return None
        if not found:
            return None
        self.n_taken_up += is_unfinished
        columns: Columns = tuple(found[0])
        self._waiting.append((number, key, columns))
        if len(self._waiting) >= _MAX_WAITING:
            self._write()
        return unpacked(columns, number=number, trace=self._trace)

    def keep(self, row: Row, key: Key) -> None:
        """Commit a finished row; if it failed, its error."""
        if row.is_kept:
            columns = packed(row, kind=self._kind, trace=self._trace)
            self._write(
                (_PUT_ANSWER, (key, *columns)), (_PUT_ROW, (self._run, row.number, key, None))
            )
        else:
            failure = packed_failure(row)
            self._write((_PUT_ROW, (self._run, row.number, None, failure)))

    def end(self, state: State) -> None:
        """Commit how the run ended. One that failed before its first row leaves nothing."""
        end = (_END, {"state": state, "now": time.time(), "run": self._run})
        if state == "done":
            self._write(end, *((_CONTINUE, {"by": self._run, "run": run}) for run in self._sources))
        elif state == "failed":
            self._write(end, (_FORGET, (self._run,)))
        else:
            self._write(end)
        self._lock.release()

    @property
    def store(self) -> str:
        """The place of the store."""
        return self._database.place

    @property
    def _may_find(self) -> bool:
        return self._reuse == "all" or (self._reuse == "unfinished" and bool(self._sources))

    def _is_of_a_source(self, key: Key) -> bool:
        runs = self._database.read("SELECT run FROM run_rows WHERE key = ?", (key,))
        return any(run in self._sources for (run,) in runs)

    def _write(self, *statements: tuple[str, Any]) -> None:
        if not self._is_usable:
            return
        try:
            with self._database.transaction() as connection:
                for number, key, columns in self._waiting:
                    # Another kernel may have pruned the answer since it was read.
                    connection.execute(_PUT_BACK, (key, *columns))
                    connection.execute(_PUT_ROW, (self._run, number, key, None))
                for statement, values in statements:
                    connection.execute(statement, values)
        except StoreError as error:
            self._give_up(error)
        self._waiting.clear()

    def _give_up(self, error: StoreError) -> None:
        self.problem, self._is_usable = error, False


_PUT_ANSWER = """
INSERT INTO answers (key, kind, text, thoughts, details, steps) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    text = excluded.text,
    thoughts = excluded.thoughts,
    details = excluded.details,
    steps = CASE
        WHEN excluded.steps IS NULL AND text = excluded.text AND thoughts = excluded.thoughts
        THEN steps
        ELSE excluded.steps
    END
"""
_PUT_BACK = """
INSERT OR IGNORE INTO answers (key, kind, text, thoughts, details, steps) VALUES (?, ?, ?, ?, ?, ?)
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
# A run is continued if its successor has all its answers, and it had some or is the same cell.
_CONTINUE = """
UPDATE runs SET state = 'continued' WHERE number = :run
AND NOT EXISTS (
    SELECT 1 FROM run_rows AS old WHERE old.run = :run AND old.key IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM run_rows AS new WHERE new.run = :by AND new.key = old.key)
)
AND (
    EXISTS (SELECT 1 FROM run_rows WHERE run = :run AND key IS NOT NULL)
    OR EXISTS (
        SELECT 1 FROM runs AS later WHERE later.number = :by
        AND later.line = runs.line AND later.body = runs.body
    )
)
"""
