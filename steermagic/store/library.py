"""All runs of a store: begin one, list them, find one, take old ones out."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from steermagic.errors import CommandError, StoreError
from steermagic.judgements import Judgement, Key
from steermagic.paths import OFF, is_off, user_path
from steermagic.runs import Row
from steermagic.store.database import Database, default_path
from steermagic.store.locks import RunLock, is_going_on
from steermagic.store.packing import unpacked, unpacked_failure
from steermagic.store.records import UNFINISHED, Asked, CellText, Reuse, RunRecord, StoredRun
from steermagic.store.reviews import store_judgement, stored_judgements

_UNFINISHED = json.dumps(UNFINISHED)
_PAGE = 1000  # rows that are read at a time


def place_of(place: str | None) -> str:
    """Return how a store is known: by its real path, or `OFF`; the user's own one for None.

    Raises:
        StoreError: `place` cannot be a path.
    """
    if place is not None and is_off(place):
        return OFF
    path = default_path() if place is None else user_path(place, StoreError)
    # Locks lie beside it: by whatever link kernels come, they have to find one another's.
    return os.path.realpath(path)


def open_store(place: str | None) -> Store:
    """Return the store at the path `place`, by default in the user's data folder; see `OFF`.

    Raises:
        StoreError: it cannot be opened.
    """
    where = place_of(place)
    return Store(None if where == OFF else Path(where))


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken out of a store; answers that other runs have, too, stay."""

    n_runs: int
    n_answers: int
    n_bytes: int


class Store:
    """The runs and answers in the file at `path`; without a path, those of this session.

    Every method raises `StoreError` where the file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        # `Path.is_dir` raises where the way there is closed.
        if path is not None and os.path.isdir(path):  # noqa: PTH112 - see above
            raise StoreError(f"the run store {path} is a folder; name a file in it")
        self._database = Database(path)

    @property
    def place(self) -> str:
        """What `open_store` opens it by."""
        return self._database.place

    @property
    def is_there(self) -> bool:
        """Tell whether the file has not been deleted."""
        return self._database.is_there

    def begin(self, run_id: str, asked: Asked, *, reuse: Reuse, trace: bool) -> RunRecord:
        """Enter a run; with a `trace`, the steps of its rows are kept, too."""
        with self._database.explained():
            lock = RunLock(self._database.path, run_id)
        try:
            with self._database.transaction() as connection:
                self._settle(connection)
                unfinished = connection.execute(_SOURCES, (_UNFINISHED,))
                sources = [number for (number,) in unfinished]
                run = self._enter(connection, run_id, asked)
        except BaseException:
            lock.release()
            raise
        return RunRecord(
            self._database,
            lock,
            run=run,
            id=run_id,
            kind=asked.kind,
            sources=sources,
            reuse=reuse,
            trace=trace,
        )

    def runs(self, *, limit: int = -1) -> list[StoredRun]:
        """Return the newest `limit` runs, or all, the newest first."""
        return self._summaries("true", (), limit=limit)

    def ids(self, *, limit: int, is_unfinished: bool = False) -> list[str]:
        """Return the ids of the newest `limit` runs, or of those that can be gone on with."""
        self._settle_all()
        condition, values = (_IS_UNFINISHED, (_UNFINISHED,)) if is_unfinished else ("true", ())
        query = f"{_IDS} WHERE {condition} ORDER BY number DESC LIMIT {limit}"
        return [run_id for (run_id,) in self._database.read(query, values)]

    def count(self) -> int:
        """Return how many runs there are."""
        [(n_runs,)] = self._database.read("SELECT count(*) FROM runs")
        return int(n_runs)

    def find(self, start: str) -> StoredRun:
        """Return the run whose id begins with `start`.

        Raises:
            CommandError: there is none, or there are several.
        """
        found = self._summaries("substr(id, 1, length(?1)) = ?1", (start,))
        if len(found) == 1:
            return found[0]
        if not found:
            raise CommandError(f"there is no run {start!r}; %steer runs lists them")
        listed = ", ".join(run.id[:12] for run in found[:3])
        raise CommandError(f"{len(found)} runs begin with {start!r} ({listed}); write more of it")

    def newest_unfinished(self) -> StoredRun | None:
        """Return the newest run of a cell that was broken off, if there is one."""
        found = self._summaries(_IS_UNFINISHED, (_UNFINISHED,), limit=1)
        return found[0] if found else None

    def rows(self, run: StoredRun, *, max_steps: int = 0) -> Iterator[Row]:
        """Yield the rows of `run` in order, the first with `max_steps` steps if they were kept."""
        number, n_steps = -1, 0
        while page := self._database.read(_ROWS, (run.number, number, _PAGE)):
            for number, failure, kind, text, thoughts, details, steps in page:
                if failure is not None:
                    yield unpacked_failure(failure, number=number)
                    continue
                answer = (kind, text, thoughts, details, steps)
                row = unpacked(answer, number=number, trace=n_steps < max_steps)
                n_steps += len(row.steps)
                yield row

    def prune(self, *, keep: int | None = None, days: float = 0) -> Pruned:
        """Take out all runs but the newest `keep`, or those that began over `days` ago.

        A run that still goes on stays, and so does what it has in common with others.
        """
        with self._database.transaction() as connection:
            self._settle(connection)
            if keep is None:
                pruned = connection.execute(_PRUNE_OLD, (time.time() - 86400 * days,))
            else:
                pruned = connection.execute(_PRUNE_ALL_BUT, (keep,))
            n_runs = pruned.rowcount
            connection.execute(_PRUNE_ROWS)
            connection.execute(_PRUNE_REVIEWS)
            n_answers = connection.execute(_PRUNE_ANSWERS).rowcount
        return Pruned(n_runs, n_answers, self._database.shrink())

    def judgements(self, run_id: str) -> dict[Key, Judgement]:
        """Return what somebody has judged of the run with that id."""
        return stored_judgements(self._database, run_id)

    def judge(self, run_id: str, key: Key, judgement: Judgement | None) -> None:
        """Keep what somebody has judged of a row of that run; None takes it back."""
        store_judgement(self._database, run_id, key, judgement)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _summaries(
        self, condition: str, values: tuple[str, ...], *, limit: int = -1
    ) -> list[StoredRun]:
        self._settle_all()
        found = self._database.read(
            f"{_SUMMARY} WHERE {condition} ORDER BY number DESC LIMIT {limit}", values
        )
        return [_stored(row) for row in found]

    def _enter(self, connection: sqlite3.Connection, run_id: str, asked: Asked) -> int:
        cell = asked.cell
        cursor = connection.execute(
            "INSERT INTO runs (id, started, state, model, spec, fingerprint, line, body, settings,"
            " options, form, n_rows) VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run_id,
                time.time(),
                asked.model,
                asked.spec,
                asked.fingerprint,
                None if cell is None else cell.line,
                None if cell is None else cell.body,
                json.dumps({} if cell is None else dict(cell.settings)),
                asked.options,
                asked.form,
                asked.n_rows,
            ),
        )
        return int(cursor.lastrowid or 0)

    def _settle_all(self) -> None:
        if self._database.is_writable:
            with self._database.transaction() as connection:
                self._settle(connection)

    def _settle(self, connection: sqlite3.Connection) -> None:
        """Mark the runs whose processes are gone."""
        for number, run_id in connection.execute(
            "SELECT number, id FROM runs WHERE state = 'running'"
        ).fetchall():
            if not is_going_on(self._database.path, run_id):
                connection.execute(
                    "UPDATE runs SET state = 'broken off' WHERE number = ?", (number,)
                )


def _stored(row: sqlite3.Row) -> StoredRun:
    has_cell = row["line"] is not None
    return StoredRun(
        number=row["number"],
        id=row["id"],
        started=row["started"],
        ended=row["ended"],
        state=row["state"],
        model=row["model"],
        spec=row["spec"],
        cell=CellText(row["line"], row["body"], json.loads(row["settings"])) if has_cell else None,
        options=json.loads(row["options"]),
        form=row["form"],
        n_rows=row["n_rows"],
        n_done=row["n_done"],
        n_failed=row["n_failed"],
    )


_IS_UNFINISHED = "line IS NOT NULL AND state IN (SELECT value FROM json_each(?))"
_SOURCES = "SELECT number FROM runs WHERE state IN (SELECT value FROM json_each(?))"
_IDS = "SELECT id FROM runs"
_SUMMARY = """
SELECT *,
    (SELECT count(key) FROM run_rows WHERE run = runs.number) AS n_done,
    (SELECT count(failure) FROM run_rows WHERE run = runs.number) AS n_failed
FROM runs
"""
_ROWS = """
SELECT number, failure, kind, text, thoughts, details, steps
FROM run_rows LEFT JOIN answers USING (key)
WHERE run = ? AND number > ? AND (failure IS NOT NULL OR answers.key IS NOT NULL)
ORDER BY number LIMIT ?
"""
_PRUNE_OLD = "DELETE FROM runs WHERE state != 'running' AND started < ?"
_PRUNE_ALL_BUT = """
DELETE FROM runs WHERE state != 'running'
AND number NOT IN (SELECT number FROM runs ORDER BY number DESC LIMIT ?)
"""
_PRUNE_ROWS = "DELETE FROM run_rows WHERE run NOT IN (SELECT number FROM runs)"
_PRUNE_REVIEWS = "DELETE FROM reviews WHERE run NOT IN (SELECT id FROM runs)"
_PRUNE_ANSWERS = """
DELETE FROM answers
WHERE NOT EXISTS (SELECT 1 FROM run_rows WHERE run_rows.key = answers.key)
"""
