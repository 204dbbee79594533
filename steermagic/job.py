"""A cell made ready to run: schema found, prompt filled in, result known to be possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steer_engine import Request, compose
from steermagic.cell import SteerCell
from steermagic.options import SteerOptions
from steermagic.prompt import interpolate
from steermagic.results import check_result
from steermagic.schemas import FoundSchema, find_schema


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to be answered in the form of one schema."""

    prompt: str
    found: FoundSchema
    options: SteerOptions

    def __post_init__(self) -> None:
        if not self.options.unsteered:
            # Before the model works for minutes, not after.
            check_result(self.found, self.options)

    def requests(self) -> tuple[Request, ...]:
        """Return what the engine is asked for."""
        schema, options = self.found.schema, self.options
        messages = compose(self.prompt, schema, system=options.system)
        held_to = None if options.unsteered else schema
        return (Request(0, messages, held_to, options.sampling, options.max_tokens),)


def make_job(cell: SteerCell, namespace: Mapping[str, object]) -> Job:
    """Resolve the names in `cell` against the user's `namespace`.

    Raises:
        SteerError: the schema, an expression in the prompt, or an option cannot be used.
    """
    found = find_schema(cell.schema, namespace, many=cell.options.many)
    return Job(interpolate(cell.prompt, namespace), found, cell.options)
