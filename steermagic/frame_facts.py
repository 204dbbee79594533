"""What is known of a frame's columns and cells: what they were to be, and how they came about."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from steer_engine import (
    Column,
    ColumnKind,
    JsonValue,
    column_plan,
    inlined,
    read_schema,
    write_notation,
)
from steermagic.confidences import confidence_frame, rows_of_frame
from steermagic.frames import items_of
from steermagic.origins import UNKNOWN, origin_of
from steermagic.runs import Run, found_evidence
from steermagic.subschemas import field

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the schema says of a column: `type` is compact notation."""

    name: str
    kind: ColumnKind
    type: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class CellFacts:
    """How the value of a cell came about; it may have been changed since.

    `written` is the value in the run's own frame. `confidence` is NaN where nothing is known of it,
    `source` says where the value was copied from, and `failure` why the row has no values.
    """

    written: object
    confidence: float = math.nan
    source: str = ""
    failure: str = ""


def column_facts(run: Run) -> dict[str, ColumnFacts]:
    """Return what is known of the columns that the run gave its frame, by name."""
    schema = run.row_schema
    root = inlined(schema.document)
    return {
        column.name: _column_facts(column, field(root, column.path))
        for column in column_plan(schema)
    }


def cell_facts(run: Run, frame: pd.DataFrame, *, n_rows: int) -> list[dict[str, CellFacts]]:
    """Return what is known of the run's values in the first rows of `frame`, by column.

    `frame` is that of the run, or made from it: its rows are found by their label. Nothing is known
    of those whose label is new, or stands for another row, or cannot be told from others.
    """
    origin = origin_of(run, frame)
    probs = confidence_frame(run, "mean")
    means = probs.to_numpy()
    n_inputs = len(origin.table.columns) - len(probs.columns)
    values = origin.table.iloc[:, n_inputs:]
    sources = _sources(run)
    errors = run.errors
    failures = [str(errors.get(n, "")) if is_empty else "" for n, is_empty in _origins(run)]

    def facts(place: int) -> dict[str, CellFacts]:
        return {
            name: CellFacts(
                values.iloc[place, nth],
                float(means[place, nth]),
                sources.get((place, name), ""),
                failures[place],
            )
            for nth, name in enumerate(probs.columns)
        }

    is_clear = len({*origin.labels.tolist()}) == len(origin.labels)
    is_known = (origin.frame_labels != UNKNOWN) & ~origin.is_moved & is_clear
    places = np.where(is_known, origin.frame_labels, UNKNOWN)[:n_rows].tolist()
    return [{} if place == UNKNOWN else facts(place) for place in places]


def _column_facts(column: Column, node: JsonValue) -> ColumnFacts:
    node = node if isinstance(node, dict) else {}
    description = node.get("description")
    return ColumnFacts(
        column.name,
        column.kind,
        _notation({key: value for key, value in node.items() if key != "description"})
        or column.kind.value,
        description if isinstance(description, str) else "",
    )


def _notation(node: dict[str, JsonValue]) -> str:
    """Return a schema in compact notation, or nothing where that cannot say it."""
    if '"$ref":' in json.dumps(node):
        return ""  # it goes round in a circle, which has no notation
    row = {
        "type": "object",
        "properties": {"x": node},
        "required": ["x"],
        "additionalProperties": False,
    }
    written = write_notation(read_schema(row)) or ""
    return " ".join(written.removeprefix("x: ").split())


def _origins(run: Run) -> Iterator[tuple[int, bool]]:
    """Yield, for each row of the run's frame, the number of its prompt and if it has no values."""
    rows = rows_of_frame(run)
    kept = (row.number for row in run.rows if row.is_kept)
    for number, row in zip(kept if run.job.over is None else count(), rows, strict=False):
        items = [None] if row is None else items_of(row.record, rows=run.job.options.rows)
        yield from [(number, row is None)] * len(items)


def _sources(run: Run) -> dict[tuple[int, str], str]:
    """Return where verbatim values were copied from, by row and column of the run's frame."""
    if run.job.options.rows is not None:
        return {}  # evidence counts records, of which the frame has parts
    sources = dict[tuple[int, str], str]()
    for row, column, _, start, end, source in found_evidence(run):
        sources.setdefault((row, column), f"{source}, characters {start} to {end}")
    return sources
