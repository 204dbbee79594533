"""A stored run as a file: Parquet, CSV or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from steermagic.conversions import require
from steermagic.errors import CommandError
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
    path = Path(file).expanduser()
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise CommandError(f"{file} must end in .parquet, .csv or .jsonl")
    run = restored(stored, store.rows(stored))
    try:
        return write(run, path)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror or error}") from error


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
