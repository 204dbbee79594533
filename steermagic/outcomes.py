"""How a run came out, in words: what failed, what was cut short, what is kept in spite of it."""

from __future__ import annotations

from steer_engine import TruncatedError
from steermagic.errors import FrameError, SteerCancelled
from steermagic.runs import Run


def check_outcome(run: Run, *, kept_in: str, is_cell: bool = False) -> None:
    """Raise what stands in the way of calling `run` a success.

    Errors tell what `kept_in` says of the rows that are kept, and those of a cell name commands.

    Raises:
        SteerCancelled: the user stopped it; the message says what is kept.
        FrameError: an iterator could not be read to its end; likewise.
        SteerError: it could not go on; or every row failed, or with ``--strict`` one: the first
            row's error, with what it had written.
    """
    kept = _kept(run, kept_in) if run.records else ""
    if run.is_cancelled:
        if not kept:
            raise SteerCancelled("stopped before a row was finished; nothing is kept")
        raise SteerCancelled(f"stopped; {kept}")
    if run.error is not None:
        if kept:
            again = "; run the cell again to go on there" if is_cell and run.is_stored else ""
            run.error.add_note(f"{kept}{again}")
        raise run.error
    if run.job.reading_error is not None:
        raise FrameError(f"{run.job.reading_error}{kept and '; '}{kept}")
    if run.job.options.strict or not run.records:
        _check_rows(run, kept if kept_in else "", is_cell=is_cell)


def failures(run: Run) -> str:
    """Return a line on the rows of `run` that failed, and one on those that were cut short."""
    cut = [error for error in run.errors.values() if isinstance(error, TruncatedError)]
    failed = [error for error in run.errors.values() if not isinstance(error, TruncatedError)]
    n_rows = len(run.job.prompts)
    lines = []
    if failed:
        share = f"{len(failed)} of {n_rows} rows failed"
        lines.append(f"{share} and have no values, the first with: {failed[0]}")
    if cut:
        lines.append(
            f"{len(cut)} of {n_rows} answers {'was' if len(cut) == 1 else 'were'} cut"
            f" short: {cut[0]}"
            if n_rows > 1
            else str(cut[0])
        )
    return "\n".join(lines)


def _check_rows(run: Run, kept: str, *, is_cell: bool) -> None:
    for row in run.rows:
        if row.error is None or row.is_kept:
            continue
        if row.text:
            more = " (%steer last shows all)" if is_cell else ""
            row.error.add_note(f"It had written: {_shortened(row.text)}{more}")
        if kept:
            row.error.add_note(f"--strict stopped the run; {kept}")
        raise row.error


def _kept(run: Run, kept_in: str) -> str:
    kept = f"{run.n_kept} finished {'row is' if run.n_kept == 1 else 'rows are'} kept"
    n_parts = sum(row.is_kept and not row.is_finished for row in run.rows)
    if run.job.over is not None and n_parts:  # lists that were stopped halfway
        kept += f", {n_parts} more in part"
    return f"{kept}: {kept_in}" if kept_in else kept


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:38]} … {line[-38:]}"
