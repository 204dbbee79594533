"""What the store is told of a job, and a stored run as if it had just run.

Of that only what the store has is there: no table and no prompts. So there is nothing to join the
answers to, and nothing in which a copied text could be marked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, fields, replace
from typing import Any

from steer_engine import (
    Choices,
    GbnfGrammar,
    LarkGrammar,
    ModelInfo,
    Regex,
    Schema,
    TextForm,
    column_plan,
)
from steermagic.forms import found_form
from steermagic.job import Job
from steermagic.options import SteerOptions
from steermagic.runs import Row, Run
from steermagic.schemas import FoundSchema
from steermagic.store.packing import kind_of
from steermagic.store.records import Asked, CellText, StoredRun
from steermagic.tables import StoredRows

_LABELS = "labels"
"""The entry beside the options that has the mark of the table's labels."""

_FORMS: Mapping[str, Callable[[Any], TextForm]] = {
    "Choices": lambda options: Choices(tuple(options)),
    "GbnfGrammar": GbnfGrammar,
    "LarkGrammar": LarkGrammar,
    "Regex": Regex,
}


def described(info: ModelInfo, job: Job, cell: CellText | None, *, spec: str) -> Asked:
    """Return what the store is told of a run of `job`; its model was opened by `spec`."""
    options = {each.name: getattr(job.options, each.name) for each in fields(SteerOptions)}
    if job.over is not None:
        options[_LABELS] = job.over.labels_mark()
    asked = job.found.asked
    if isinstance(asked, Schema):
        form = {"schema": asked.text, "name": asked.name}
    else:
        form = {"form": type(asked).__name__, "of": astuple(asked)[0]}
    return Asked(
        model=info.name,
        spec=spec,
        fingerprint=info.fingerprint,
        cell=cell,
        options=json.dumps(options),
        form=json.dumps(form),
        kind=kind_of(None if job.options.unsteered else asked),
        n_rows=job.n_rows,
    )


def restored(run: StoredRun, rows: Iterable[Row]) -> Run:
    """Return the `run` that has `rows`.

    Raises:
        SteerError: its options or its schema are none any more in this version.
    """
    found, options = _found(json.loads(run.form)), _options(run.options)
    listed = tuple(replace(row, evidence=()) for row in rows)
    if options.over is None:
        return Run(Job(("",), found, options), run.model, listed, id=run.id)
    n_rows = run.n_rows or max((row.number + 1 for row in listed), default=0)
    taken = {column.name for column in column_plan(found.schema)}
    over = StoredRows(n_rows, name=_free_name(taken), mark=run.options.get(_LABELS))
    return Run(Job(("",) * n_rows, found, options, over=over), run.model, listed, id=run.id)


def with_steps(run: Run, rows: Iterable[Row]) -> Run:
    """Return `run` with the steps of `rows`, which are its own as the store has them."""
    steps = {row.number: row.steps for row in rows}
    return replace(
        run, rows=tuple(replace(row, steps=steps.get(row.number, ())) for row in run.rows)
    )


def _options(stored: Mapping[str, Any]) -> SteerOptions:
    known = {each.name for each in fields(SteerOptions)}
    options = SteerOptions(**{name: value for name, value in stored.items() if name in known})
    # The class of the models lives in the notebook; the records are as well had as dicts.
    return replace(options, as_="dict") if options.as_ == "model" else options


def _found(form: Mapping[str, Any]) -> FoundSchema:
    if "schema" in form:
        return FoundSchema(Schema(form["schema"], form["name"]))
    return found_form(_FORMS[form["form"]](form["of"]))


def _free_name(taken: set[str]) -> str:
    """Return the name of the rows' numbers."""
    name = "row"
    while name in taken:
        name += "_"
    return name
