"""A cell made ready to run: schema found, prompt filled in, result known to be possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steer_engine import Request, compose
from steermagic.cell import SteerCell
from steermagic.forms import find_answer
from steermagic.options import SteerOptions
from steermagic.over import prompts_over, read_table
from steermagic.prompt import FilledPrompt, evaluate, interpolate, read_template
from steermagic.results import check_result
from steermagic.schemas import FoundSchema

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

    def inputs(self, number: int) -> tuple[tuple[str, str], ...]:
        """Return the texts that verbatim strings of a row are copied from, each with its name.

        They are the values in the prompt's braces, or without any the whole prompt.
        """
        prompt = self.prompts[number]
        if isinstance(prompt, FilledPrompt) and prompt.inputs:
            return prompt.inputs
        [*_, message] = compose(prompt, self.found.asked)
        return (("prompt", message.content),)

    def requests(self) -> tuple[Request, ...]:
        """Return what the engine is asked for."""
        asked, options = self.found.asked, self.options
        held_to = None if options.unsteered else asked
        return tuple(
            Request(
                number,
                compose(prompt, asked, system=options.system),
                held_to,
                options.sampling,
                options.max_tokens,
                _inputs(prompt),
                n_thoughts=options.think,
            )
            for number, prompt in enumerate(self.prompts)
        )


def _inputs(prompt: str) -> tuple[str, ...] | None:
    inputs = prompt.inputs if isinstance(prompt, FilledPrompt) else ()
    return tuple(text for _, text in inputs) or None


def make_job(cell: SteerCell, namespace: Mapping[str, object]) -> Job:
    """Resolve the names in `cell` against the user's `namespace`.

    Raises:
        SteerError: the schema, an expression in the prompt, or an option cannot be used.
    """
    found = find_answer(cell.schema, cell.options, namespace)
    if cell.options.over is None:
        return Job((interpolate(cell.prompt, namespace),), found, cell.options)
    table = read_table(evaluate(cell.options.over, namespace))
    prompts = prompts_over(table, read_template(cell.prompt), namespace)
    return Job(prompts, found, cell.options, over=table)
