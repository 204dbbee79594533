"""How a run came out, in words: what failed, what was cut short, what is kept in spite of it."""

from __future__ import annotations

from steer_engine import SteerError, TruncatedError
from steermagic.errors import FrameError, SteerCancelled
from steermagic.runs import Row, Run


def check_outcome(run: Run, *, kept_in: str) -> None:
    """Raise what stands in the way of calling `run` a success.

    Raises:
        SteerCancelled: the user stopped it; the message says what is kept, and where.
        FrameError: an iterator could not be read to its end; likewise.
        SteerError: every row failed, or with ``--strict`` one; the first row's error, with what it
            had written.
    """
    if run.is_cancelled:
        if run.n_kept == 0:
            raise SteerCancelled("stopped before a row was finished; nothing is kept")
        raise SteerCancelled(f"stopped; {_kept(run)}: {kept_in}")
    if run.job.reading_error is not None:
        raise FrameError(f"{run.job.reading_error}; {_kept(run)}: {kept_in}")
    if run.job.options.strict or not run.records:
        for row in run.rows:
            if row.error is not None and not row.is_kept:
                _add_notes(row.error, row, run, kept_in=kept_in)
                raise row.error


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


def _add_notes(error: SteerError, row: Row, run: Run, *, kept_in: str) -> None:
    if row.text:
        error.add_note(f"It had written: {_shortened(row.text)} (%steer last shows all)")
    if run.n_kept and kept_in:
        error.add_note(f"--strict stopped the run; {_kept(run)}: {kept_in}")


def _kept(run: Run) -> str:
    return f"{run.n_kept} finished {'row is' if run.n_kept == 1 else 'rows are'} kept"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:38]} … {line[-38:]}"
