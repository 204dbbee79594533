"""A stored run as a file: Parquet, CSV or JSON lines."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from steermagic.conversions import require
from steermagic.errors import CommandError
from steermagic.paths import user_path
from steermagic.runs import Row, Run, result_of
from steermagic.store import Store, StoredRun, restored

_NO_BREAKS = str.maketrans("\r\n", "  ")


def export_run(store: Store, stored: StoredRun, file: str) -> int:
    """Write the rows of a run to `file`, in the form its name ends in; return how many there are.

    Tables have the answers alone, beside the number of the row that each belongs to: the data that
    was asked about is not stored. JSON lines have the records as they were written, to the letter,
    each on one line.

    Raises:
        CommandError: the name ends in something else, the file cannot be written, or an unsteered
            answer is to become a table.
        MissingExtraError: Parquet needs a library that is not installed.
    """
    path = user_path(file, CommandError)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise CommandError(f"{file} must end in .parquet, .csv or .jsonl")
    run = restored(stored, store.rows(stored))
    try:
        with _replacing(path) as whole:
            return write(run, whole)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror or error}") from error


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file to write, which takes the place of `path` once it is whole."""
    is_there = path.exists()
    if is_there and not _can_be_replaced(path):
        yield path
        return
    target = Path(os.path.realpath(path))  # a link stays one
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        yield part
        if is_there:
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _can_be_replaced(path: Path) -> bool:
    """Tell whether `path` is a plain file that may be written, in a folder that may be, too."""
    folder = Path(os.path.realpath(path)).parent
    return path.is_file() and os.access(path, os.W_OK) and os.access(folder, os.W_OK)


def _write_lines(run: Run, path: Path) -> int:
    is_json = run.job.found.form is None and not run.job.options.unsteered
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{_line(row, is_json=is_json)}\n" for row in run.rows)
    return len(run.rows)


def _line(row: Row, *, is_json: bool) -> str:
    if not row.is_kept:
        error = {"row": row.number, "error": f"{type(row.error).__name__}: {row.error}"}
        return json.dumps(error)
    # In the JSON of a server line breaks may stand, but only as white space.
    record = row.text.translate(_NO_BREAKS) if is_json else json.dumps(row.text, ensure_ascii=False)
    return f'{{"row": {row.number}, "record": {record}}}'


def _write_csv(run: Run, path: Path) -> int:
    frame = _table(run, "pandas")
    frame.to_csv(path, index=run.job.over is not None)
    return len(frame)


def _write_parquet(run: Run, path: Path) -> int:
    require("pyarrow", extra="arrow")
    from pyarrow.parquet import write_table

    table = _table(run, "arrow")
    write_table(table, path)
    return len(table)


def _table(run: Run, kind: str) -> Any:  # noqa: ANN401 - `kind` says which
    if run.job.options.unsteered:
        raise CommandError("an unsteered answer has no columns; write it to a .jsonl file")
    return result_of(run, as_=kind)


_WRITERS: Mapping[str, Callable[[Run, Path], int]] = {
    ".csv": _write_csv,
    ".jsonl": _write_lines,
    ".parquet": _write_parquet,
}
