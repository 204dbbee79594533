"""What a cell's value is: a table, or the records as Python objects, JSON or models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, is_typeddict

from steer_engine import JsonValue, column_plan
from steermagic.errors import FrameError
from steermagic.forms import ANSWER
from steermagic.frames import to_frame
from steermagic.options import TABLES, SteerOptions
from steermagic.over import check_columns, join
from steermagic.schemas import FoundSchema

if TYPE_CHECKING:
    import pandas as pd


def check_result(
    found: FoundSchema, options: SteerOptions, *, over: pd.DataFrame | None = None
) -> None:
    """Find out, before any work, whether the result that `options` ask for can be made.

    Raises:
        FrameError: the schema has not what `--rows` or `--as model` need, or a column of `over`.
        MissingExtraError: a library is not installed.
    """
    if options.as_ in TABLES:
        to_frame([], found.schema, as_=options.as_, rows=options.rows)
        if over is not None:
            check_columns(over, [column.name for column in column_plan(found.schema)])
    elif options.as_ == "model" and not isinstance(found.source, type):
        raise FrameError(
            "--as model needs a schema that is a class: a Pydantic model, dataclass or TypedDict"
        )


def make_result(
    records: Sequence[JsonValue],
    found: FoundSchema,
    options: SteerOptions,
    *,
    over: pd.DataFrame | None = None,
) -> object:
    """Return `records` in the form that `options` ask for; None stands for a row that failed.

    Without `over` there is one record, and it is the value. With it there is one for each of its
    rows: a table is joined to it, any other value is a list.

    Raises:
        FrameError: a class has validators of its own, and one of them refuses a record.
    """
    if options.as_ in TABLES and found.form is not None:
        records = [None if text is None else {ANSWER: text} for text in records]
    if options.as_ in TABLES and over is not None:
        return join(over, records, lambda items: to_frame(items, found.schema))
    if options.as_ in TABLES:
        return to_frame(records, found.schema, as_=options.as_, rows=options.rows)
    values: list[object] = list(records)
    if options.as_ == "model":
        values = [None if record is None else _as_model(record, found) for record in records]
    value = values[0] if over is None else values
    return json.dumps(value, ensure_ascii=False) if options.as_ == "json" else value


def _as_model(record: JsonValue, found: FoundSchema) -> object:
    from pydantic import TypeAdapter, ValidationError

    if is_typeddict(found.source):
        return record  # a dict of the right form is one
    adapter = TypeAdapter[object](found.source)  # type: ignore[arg-type] # by `check_result`
    try:
        if found.is_list and isinstance(record, list):
            return [adapter.validate_python(item) for item in record]
        return adapter.validate_python(record)
    except ValidationError as error:
        # A validator that is Python code is not in the schema.
        problem = error.errors()[0]
        place = "".join(f"/{step}" for step in problem["loc"])
        raise FrameError(
            f"{error.title} refuses the answer at {place or 'the root'}: {problem['msg']};"
            " ask for --as dict, or say in the prompt what is wanted"
        ) from error
