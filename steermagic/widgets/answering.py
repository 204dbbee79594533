"""What a model answers, as the tools show it: a table, the values' confidence, and what it took."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from steermagic.errors import SteerCancelled
from steermagic.job import Job
from steermagic.outcomes import check_outcome, failures
from steermagic.picture import columns_of, table_cells
from steermagic.pieces import percent
from steermagic.session import Session


@dataclass(frozen=True, slots=True)
class Answer:
    """A table of texts; `sure` has, for each of its cells, how sure the model was, if it is known.

    `n_tokens` of which `n_forced` were forced took `seconds`. `warning` says that it was cut short;
    `remarks` are what else the user should read of the run.
    """

    model: str
    columns: list[str]
    rows: list[list[str]]
    sure: list[list[str]]
    text: str
    n_tokens: int
    n_forced: int
    seconds: float
    warning: str = ""
    remarks: tuple[str, ...] = ()

    def packed(self) -> dict[str, object]:
        """Return what the page is told."""
        return {**asdict(self), "notes": [self.note, *self.remarks]}

    @property
    def note(self) -> str:
        """What it took, in words."""
        forced = round(100 * self.n_forced / self.n_tokens) if self.n_tokens else 0
        speed = f"{self.seconds:.1f} s"
        return f"{self.model} · {self.n_tokens} tokens · {forced}% forced · {speed}"


def answer(session: Session, job: Job) -> Answer:
    """Run `job`, which has one prompt.

    Raises:
        SteerError: it failed, or the user stopped it.
    """
    session.engine(job.options.model)  # loading it is no part of the time
    start = time.monotonic()
    run = session.run(job)
    seconds = time.monotonic() - start
    if run.is_cancelled:
        raise SteerCancelled("stopped")
    check_outcome(run, kept_in="")
    [row] = run.rows
    columns = columns_of(job.found)
    cells = [*table_cells(row, columns)]
    sure = {f"0{each.pointer}": percent(each.mean) for each in row.confidence}
    return Answer(
        model=run.model,
        columns=[name for name, _ in columns],
        rows=[[cell.text for cell in line] for line in cells],
        sure=[[sure.get(cell.place, "") for cell in line] for line in cells],
        text=row.text,
        n_tokens=len(run.steps),
        n_forced=sum(step.origin == "forced" for step in run.steps),
        seconds=seconds,
        warning=failures(run),
        remarks=run.notes,
    )
