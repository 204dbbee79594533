"""`%steer runs` and `%steer resume`: what the run store has."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace

from steermagic.accessor import find_attached
from steermagic.display import Text
from steermagic.errors import CommandError
from steermagic.exporting import export_run
from steermagic.origins import is_as_answered
from steermagic.runs import Run
from steermagic.session import Session
from steermagic.store import OFF, UNFINISHED, CellText, Store, StoredRun

_N_LISTED = 20
_MAX_LINE = 60  # characters of a cell's first line
_OLD_DAYS = 30
_PRUNE = re.compile(r"(?:--(keep|days)[ =]+(\d{1,9}))?")
_HEAD = ("id", "begun", "model", "rows", "state", "cell")


def list_runs(session: Session, rest: str, _namespace: Mapping[str, object]) -> Text:
    """Return a table of the newest runs."""
    if rest:
        raise CommandError(
            "write %steer runs, %steer runs show ID, %steer runs export ID FILE or"
            " %steer runs prune"
        )
    store = session.store()
    runs = store.runs(limit=_N_LISTED)
    if not runs:
        return Text(f"no run is stored yet in {_where(store)}")
    rows = [_HEAD, *map(_listed, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    n_older = store.count() - len(runs)
    older = [f"… and {n_older} older run{'s' * (n_older != 1)}"] if n_older else []
    return Text("\n".join([*lines, *older]))


def show_run(session: Session, rest: str, _namespace: Mapping[str, object]) -> Text:
    """Return what is known of a run, and make it the last one."""
    if not rest:
        raise CommandError("write %steer runs show ID; %steer runs lists them")
    stored = session.store().find(rest)
    run = session.recall(stored)
    lines = [
        f"{stored.id[:12]} · {stored.state} · begun {_clock(stored.started)}",
        f"{_counts(stored)} rows by {stored.model}",
        "",
        _cell(stored),
    ]
    if run.errors:
        number, error = next(iter(run.errors.items()))
        lines += ["", f"row {number}: {type(error).__name__}: {error}"]
    lines += ["", "Now %steer last is its result, and %steer view shows the tokens of --trace."]
    return Text("\n".join(lines))


def export(session: Session, rest: str, namespace: Mapping[str, object]) -> Text:
    """Write the rows of a run, or those of the run that a frame is from, to a file."""
    run_id, _, file = rest.partition(" ")
    file = file.strip().strip("\"'")
    if not file:
        raise CommandError(
            "write %steer runs export ID FILE; FILE ends in .parquet, .csv or .jsonl"
        )
    frame = namespace.get(run_id)
    run = find_attached(frame, session.find_run)
    if run is None:
        store = session.store()
        stored = _find(store, run_id, namespace)
    else:
        _check_frame(run, frame, run_id)
        store = session.store_of(run)
        stored = store.find(run.id)
    n_rows = export_run(store, stored, file)
    return Text(f"{n_rows} row{'s' * (n_rows != 1)} written to {file}")


def prune(session: Session, rest: str, _namespace: Mapping[str, object]) -> Text:
    """Take old runs out of the store."""
    match = _PRUNE.fullmatch(rest)
    if match is None:
        raise CommandError("write %steer runs prune, with --keep N runs or --days N if you like")
    which, number = match[1] or "days", int(match[2] or _OLD_DAYS)
    store = session.store()
    pruned = store.prune(keep=number) if which == "keep" else store.prune(days=number)
    runs = f"{pruned.n_runs} run{'s' * (pruned.n_runs != 1)}"
    answers = f"{pruned.n_answers} answer{'s' * (pruned.n_answers != 1)}"
    return Text(f"{runs} and {answers} taken out; {pruned.n_bytes / 1e6:.1f} MB freed")


def resume(session: Session, rest: str, _namespace: Mapping[str, object]) -> CellText:
    """Return the cell of the newest unfinished run, or of the one that is named."""
    store = session.store()
    run = store.find(rest) if rest else store.newest_unfinished()
    if run is None:
        raise CommandError(
            f"no cell was broken off in {_where(store)};"
            " %steer runs lists all runs, and a cell with --store goes on when it is run again"
        )
    if run.state not in UNFINISHED:
        raise CommandError(f"the run {run.id[:8]} is {run.state}; there is nothing to go on with")
    if run.cell is None:
        raise CommandError(
            f"the run {run.id[:8]} was begun by steermagic.steer(…); call that again to go on"
        )
    # Aliases may mean another model by now, and the store may have been moved.
    settings = {**run.cell.settings, "model": run.spec, "store": store.place}
    return replace(run.cell, settings=settings, is_resumed=True)


def _where(store: Store) -> str:
    return "memory" if store.place == OFF else f"the run store {store.place}"


def _find(store: Store, run_id: str, namespace: Mapping[str, object]) -> StoredRun:
    try:
        return store.find(run_id)
    except CommandError as error:
        if run_id not in namespace:
            raise
        raise CommandError(
            f"{run_id!r} does not know its run, only pandas frames of the last cells do; write the"
            " run's ID, %steer runs lists them"
        ) from error


def _check_frame(run: Run, frame: object, name: str) -> None:
    """Raise `CommandError` if the rows of `run` in its store are not those of its `frame`."""
    if not _has_all(run):
        raise CommandError(
            f"the run store has not all rows of {name!r}; write them by a method of the frame"
        )
    if not is_as_answered(run, frame):
        raise CommandError(
            f"{name!r} is not as its cell gave it; write it by a method of the frame, or what was"
            f" answered by %steer runs export {run.id[:12]} FILE"
        )


def _has_all(run: Run) -> bool:
    """Tell whether all rows of `run` are in its store; a list that was stopped halfway is not."""
    is_open = any(row.is_kept and not row.is_finished for row in run.rows)
    return not is_open and (run.is_stored or run.store == OFF)


def _listed(run: StoredRun) -> tuple[str, ...]:
    line = _cell(run).partition("\n")[0]
    first = line if len(line) <= _MAX_LINE else f"{line[: _MAX_LINE - 1]}…"
    return run.id[:8], _clock(run.started), run.model, _counts(run), run.state, first


def _counts(run: StoredRun) -> str:
    of = "" if run.n_rows is None else f" of {run.n_rows}"
    return f"{run.n_done}{of}" + (f", {run.n_failed} failed" if run.n_failed else "")


def _cell(run: StoredRun) -> str:
    if run.cell is None:
        return "steermagic.steer(…)"
    return f"%%steer {run.cell.line}".rstrip() + f"\n{run.cell.body}".rstrip()


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
