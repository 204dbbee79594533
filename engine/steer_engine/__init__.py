"""Schema-steered decoding: a schema and a prompt in, valid JSON out, from a local model.

Read in this order: `vocabulary` -> `mask` -> `schema` -> `grammar` -> `sampling` -> `backends` ->
`decoding` -> `prompting` -> `records` -> `models` -> `engine`; `cursor`, `verbatim` and `errors`
are looked up on the way.
"""

from steer_engine.backends import ModelInfo
from steer_engine.decoding import Step
from steer_engine.engine import (
    MAX_TOKENS,
    Engine,
    Event,
    Finished,
    Request,
    RowDone,
    RowFailed,
    Started,
    Steps,
    open_engine,
)
from steer_engine.errors import (
    BackendError,
    BudgetError,
    DefectError,
    ModelError,
    PromptError,
    PromptTooLongError,
    RowError,
    SamplingError,
    SchemaError,
    SchemaSyntaxError,
    SteerError,
    UnenforceableError,
    UnsatisfiableError,
)
from steer_engine.models import EMBEDDED, embedded_card
from steer_engine.prompting import SCHEMA_PLACE, Message, compose
from steer_engine.records import finished_items
from steer_engine.sampling import Sampling
from steer_engine.schema import (
    Column,
    ColumnKind,
    JsonValue,
    Schema,
    column_plan,
    read_schema,
    rows_of,
    validation_error,
    write_json,
    write_notation,
    write_pydantic,
)

__all__ = [
    "EMBEDDED",
    "MAX_TOKENS",
    "SCHEMA_PLACE",
    "BackendError",
    "BudgetError",
    "Column",
    "ColumnKind",
    "DefectError",
    "Engine",
    "Event",
    "Finished",
    "JsonValue",
    "Message",
    "ModelError",
    "ModelInfo",
    "PromptError",
    "PromptTooLongError",
    "Request",
    "RowDone",
    "RowError",
    "RowFailed",
    "Sampling",
    "SamplingError",
    "Schema",
    "SchemaError",
    "SchemaSyntaxError",
    "Started",
    "SteerError",
    "Step",
    "Steps",
    "UnenforceableError",
    "UnsatisfiableError",
    "column_plan",
    "compose",
    "embedded_card",
    "finished_items",
    "open_engine",
    "read_schema",
    "rows_of",
    "validation_error",
    "write_json",
    "write_notation",
    "write_pydantic",
]
