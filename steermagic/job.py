"""A cell made ready to run: schema found, prompt filled in, result known to be possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steer_engine import Request, compose
from steermagic.cell import SteerCell
from steermagic.options import SteerOptions
from steermagic.over import prompts_over, read_table
from steermagic.prompt import evaluate, interpolate, read_template
from steermagic.results import check_result
from steermagic.schemas import FoundSchema, find_schema

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Job:
    """Prompts to be answered in the form of one schema; with `over`, one for each of its rows."""

    prompts: tuple[str, ...]
    found: FoundSchema
    options: SteerOptions
    over: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if not self.options.unsteered:
            # Before the model works for minutes, not after.
            check_result(self.found, self.options, over=self.over)

    def requests(self) -> tuple[Request, ...]:
        """Return what the engine is asked for."""
        schema, options = self.found.schema, self.options
        held_to = None if options.unsteered else schema
        return tuple(
            Request(
                number,
                compose(prompt, schema, system=options.system),
                held_to,
                options.sampling,
                options.max_tokens,
            )
            for number, prompt in enumerate(self.prompts)
        )


def make_job(cell: SteerCell, namespace: Mapping[str, object]) -> Job:
    """Resolve the names in `cell` against the user's `namespace`.

    Raises:
        SteerError: the schema, an expression in the prompt, or an option cannot be used.
    """
    found = find_schema(cell.schema, namespace, many=cell.options.many)
    if cell.options.over is None:
        return Job((interpolate(cell.prompt, namespace),), found, cell.options)
    table = read_table(evaluate(cell.options.over, namespace))
    prompts = prompts_over(table, read_template(cell.prompt), namespace)
    return Job(prompts, found, cell.options, over=table)
