"""A cell made ready to run: schema found, prompt read, result known to be possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, cast

from steer_engine import Request, Schema, SteerError, compose
from steermagic.cell import SteerCell
from steermagic.errors import FrameError, InterpolationError
from steermagic.forms import find_answer
from steermagic.options import SteerOptions
from steermagic.over import ROW, OverPrompts
from steermagic.prompt import FilledPrompt, evaluate, interpolate, read_template
from steermagic.results import check_result
from steermagic.schemas import FoundSchema
from steermagic.tables import TableRows, read_table

if TYPE_CHECKING:
    import pandas as pd

_Inputs: TypeAlias = tuple[tuple[str, str], ...]
_STEADY = re.compile(rf"""\w+|{ROW}\[("[^"]*"|'[^']*'|\d+)\]""")  # a name, or row["my col"]


@dataclass(frozen=True, slots=True)
class Job:
    """Prompts to be answered in the form of one schema; with `over`, one for each of its rows."""

    prompts: Sequence[str]
    """Those of `over` are filled in whenever they are asked for, see `OverPrompts`."""

    found: FoundSchema
    options: SteerOptions
    over: TableRows | None = None
    row_errors: dict[int, SteerError] = field(default_factory=dict, init=False, compare=False)
    """Why rows cannot be asked about, by their number; found out while requests are pulled."""

    _copied: dict[int, _Inputs] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Inputs of rows whose answers copy from them, where an expression may not give them again."""

    def __post_init__(self) -> None:
        if not self.options.unsteered:
            # Before the model works for minutes, not after.
            check_result(self.found, self.options, over=self.over)

    @property
    def n_rows(self) -> int | None:
        """How many prompts there are; None if an iterator gives them."""
        return len(self.prompts) if self.over is None else self.over.n_rows

    @property
    def reading_error(self) -> FrameError | None:
        """Why the iterator of `over` ended before its time; its rows until then are asked about."""
        return None if self.over is None else self.over.error

    def table(self) -> pd.DataFrame | None:
        """Return the rows of `over`, of an iterator those that have been read."""
        return None if self.over is None else cast("pd.DataFrame", self.over.table())

    def inputs(self, number: int) -> _Inputs:
        """Return the texts that verbatim strings of a row are copied from, each with its name.

        They are the values in the prompt's braces, or without any the whole prompt. A row that
        could not be asked about has none, nor has one whose prompt cannot be filled in again.

        Raises:
            InterpolationError: it cannot be filled in again, though its answer may copy from it.
        """
        if number in self.row_errors:
            return ()
        if number in self._copied:
            return self._copied[number]
        try:
            prompt = self.prompts[number]
        except InterpolationError:
            if self._copies:
                raise
            return ()
        if isinstance(prompt, FilledPrompt) and prompt.inputs:
            return prompt.inputs
        [*_, message] = compose(prompt, self.found.asked)
        return (("prompt", message.content),)

    def requests(self) -> Iterator[Request]:
        """Yield what the engine is asked for. A prompt that cannot be filled in is passed over."""
        self.row_errors.clear()
        for number in self._numbers():
            try:
                prompt = self.prompts[number]
            except InterpolationError as error:
                self.row_errors[number] = error
            else:
                yield self._request(number, prompt)

    @property
    def _copies(self) -> bool:
        """Tell whether answers may have texts that are copied from the prompt."""
        return isinstance(self.found.asked, Schema) and '"verbatim"' in self.found.asked.text

    def _numbers(self) -> Iterable[int]:
        return range(len(self.prompts)) if self.over is None else self.over.numbers()

    def _request(self, number: int, prompt: str) -> Request:
        asked, options = self.found.asked, self.options
        inputs = prompt.inputs if isinstance(prompt, FilledPrompt) else ()
        # What columns and variables give again need not be there twice.
        if self._copies and not all(_STEADY.fullmatch(name) for name, _ in inputs):
            self._copied[number] = inputs
        return Request(
            number,
            compose(prompt, asked, system=options.system),
            None if options.unsteered else asked,
            options.sampling,
            options.max_tokens,
            tuple(text for _, text in inputs) or None,
            n_thoughts=options.think,
        )


def make_job(cell: SteerCell, namespace: Mapping[str, object]) -> Job:
    """Resolve the names in `cell` against the user's `namespace`.

    Raises:
        SteerError: the schema, an expression in the prompt, or an option cannot be used.
    """
    found = find_answer(cell.schema, cell.options, namespace)
    if cell.options.over is None:
        return Job((interpolate(cell.prompt, namespace),), found, cell.options)
    data = evaluate(cell.options.over, namespace)
    return job_over(data, cell.prompt, found, cell.options, namespace=namespace)


def job_over(
    data: object,
    prompt: str,
    found: FoundSchema,
    options: SteerOptions,
    *,
    namespace: Mapping[str, object],
) -> Job:
    """Return the job that asks `prompt` for each row of `data`; of an iterator one row is read.

    Raises:
        SteerError: `data` is no table, the prompt cannot be asked of it, or its columns and those
            of the answer cannot stand side by side.
    """
    template = read_template(prompt)  # ahead of the data: what an iterator has given is gone
    rows = read_table(data)
    prompts = OverPrompts(rows, template, namespace)
    prompts.check()
    return Job(prompts, found, options, over=rows)
