"""What a cell's value is: a table, or the records as Python objects, JSON or models."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, is_typeddict

from steer_engine import JsonValue
from steermagic.errors import FrameError
from steermagic.forms import ANSWER
from steermagic.frames import to_frame
from steermagic.joining import check_columns, join
from steermagic.options import TABLES, SteerOptions
from steermagic.schemas import FoundSchema
from steermagic.tables import TableRows

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


def check_result(
    found: FoundSchema, options: SteerOptions, *, over: TableRows | None = None
) -> None:
    """Find out, before any work, whether the result that `options` ask for can be made.

    Raises:
        FrameError: the schema has not what `--rows` or `--as model` need, or `over` has a column
            of one name with it.
        MissingExtraError: a library is not installed.
    """
    if options.as_ in TABLES:
        to_frame([], found.schema, as_=options.as_, rows=options.rows)
        if over is not None:
            check_columns(over, found.schema, as_=options.as_, rows=options.rows)
    elif options.as_ == "model" and not isinstance(found.source, type):
        raise FrameError(
            "--as model needs a schema that is a class: a Pydantic model, dataclass or TypedDict"
        )


def make_result(
    records: Sequence[JsonValue],
    found: FoundSchema,
    options: SteerOptions,
    *,
    over: TableRows | None = None,
) -> object:
    """Return `records` in the form that `options` ask for; None stands for a row that failed.

    Without `over` there is one record, and it is the value. With it there is one for each of its
    rows: a table is joined to it, any other value is a list. Where a class has validators of its
    own, and they refuse the record of a row, the row has None, and a warning tells why.

    Raises:
        FrameError: they refuse the one record.
    """
    if options.as_ in TABLES and found.form is not None:
        records = [None if text is None else {ANSWER: text} for text in records]
    if options.as_ in TABLES and over is not None:
        return join(over, records, found.schema, as_=options.as_, rows=options.rows)
    if options.as_ in TABLES:
        return to_frame(records, found.schema, as_=options.as_, rows=options.rows)
    values: list[object] = list(records)
    if options.as_ == "model":
        values = _as_models(records, found, is_table=over is not None)
    value = values[0] if over is None else values
    return json.dumps(value, ensure_ascii=False) if options.as_ == "json" else value


def _as_models(records: Sequence[JsonValue], found: FoundSchema, *, is_table: bool) -> list[object]:
    from pydantic import TypeAdapter, ValidationError

    if is_typeddict(found.source):
        return [*records]  # a dict of the right form is one
    read = _reader(TypeAdapter(found.source), is_list=found.is_list)  # type: ignore[arg-type] # by `check_result`
    models: list[object] = []
    refused = []
    for number, record in enumerate(records):
        try:
            models.append(None if record is None else read(record))
        except ValidationError as error:
            models.append(None)
            refused.append((number, error))
    if refused and not is_table:
        raise FrameError(_refusal(refused[0][1], "the answer"))
    if refused:
        number, first = refused[0]
        which = f"{len(refused)} of {len(records)} answers, which are None here; row {number}"
        warnings.warn(_refusal(first, which), stacklevel=2)
    return models


def _reader(adapter: TypeAdapter[object], *, is_list: bool) -> Callable[[JsonValue], object]:
    """Return what makes a model, or a list of them, of a record."""

    def read(record: JsonValue) -> object:
        # Read as JSON, in which a strict model too takes a text for a date.
        return adapter.validate_json(json.dumps(record))

    if not is_list:
        return read
    return lambda record: [*map(read, record)] if isinstance(record, list) else read(record)


def _refusal(error: ValidationError, what: str) -> str:
    # A validator that is Python code is not in the schema.
    problem = error.errors()[0]
    place = "".join(f"/{step}" for step in problem["loc"]) or "the root"
    return (
        f"{error.title} refuses {what} at {place}: {problem['msg']};"
        " --as dict --cache shows what was answered, or say in the prompt what is wanted"
    )
