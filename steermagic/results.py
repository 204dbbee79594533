"""What a cell's value is: a table, or the records as Python objects, JSON or models."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import is_typeddict

from steer_engine import JsonValue
from steermagic.errors import FrameError
from steermagic.forms import ANSWER
from steermagic.frames import to_frame
from steermagic.joining import check_columns, join
from steermagic.options import TABLES, SteerOptions
from steermagic.schemas import FoundSchema
from steermagic.tables import TableRows


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
    rows: a table is joined to it, any other value is a list.

    Raises:
        FrameError: a class has validators of its own, and one of them refuses a record.
    """
    if options.as_ in TABLES and found.form is not None:
        records = [None if text is None else {ANSWER: text} for text in records]
    if options.as_ in TABLES and over is not None:
        return join(over, records, found.schema, as_=options.as_, rows=options.rows)
    if options.as_ in TABLES:
        return to_frame(records, found.schema, as_=options.as_, rows=options.rows)
    values: list[object] = list(records)
    if options.as_ == "model":
        values = _as_models(records, found)
    value = values[0] if over is None else values
    return json.dumps(value, ensure_ascii=False) if options.as_ == "json" else value


def _as_models(records: Sequence[JsonValue], found: FoundSchema) -> list[object]:
    from pydantic import TypeAdapter

    if is_typeddict(found.source):
        return [*records]  # a dict of the right form is one
    adapter = TypeAdapter[object](found.source)  # type: ignore[arg-type] # by `check_result`
    read = _list_reader(adapter.validate_python) if found.is_list else adapter.validate_python
    return [None if record is None else _as_model(record, read) for record in records]


def _list_reader(read: Callable[[JsonValue], object]) -> Callable[[JsonValue], object]:
    return lambda record: [*map(read, record)] if isinstance(record, list) else read(record)


def _as_model(record: JsonValue, read: Callable[[JsonValue], object]) -> object:
    from pydantic import ValidationError

    try:
        return read(record)
    except ValidationError as error:
        # A validator that is Python code is not in the schema.
        problem = error.errors()[0]
        place = "".join(f"/{step}" for step in problem["loc"])
        raise FrameError(
            f"{error.title} refuses the answer at {place or 'the root'}: {problem['msg']};"
            " ask for --as dict, or say in the prompt what is wanted"
        ) from error
