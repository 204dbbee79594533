"""Schema-steered decoding: a schema and a prompt in, valid JSON out, from a local model.

Read in this order: `vocabulary` -> `mask` -> `schema` -> `grammar` -> `sampling` -> `backends` ->
`decoding` -> `prompting` -> `records` -> `models` -> `engine`; `cursor`, `verbatim` and `errors`
are looked up on the way.
"""

from steer_engine.any_engine import AnyEngine
from steer_engine.backends import ModelInfo
from steer_engine.catalogue import ModelFacts
from steer_engine.catalogue import Progress as DownloadProgress
from steer_engine.confidence import Confidence
from steer_engine.engine import Engine, open_engine
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
    ServerError,
    ServerLostError,
    SteerError,
    TruncatedError,
    UnenforceableError,
    UnsatisfiableError,
)
from steer_engine.events import (
    MAX_TOKENS,
    Event,
    Finished,
    Noted,
    Request,
    RowDone,
    RowFailed,
    Started,
    Steps,
    StepsUndone,
)
from steer_engine.evidence import Evidence
from steer_engine.explaining import Explanation
from steer_engine.isolation import open_isolated
from steer_engine.models import (
    EMBEDDED,
    ListedModel,
    bring_here,
    embedded_card,
    find_model,
    list_models,
    model_names,
    notice,
    plan_model,
)
from steer_engine.plan import Plan, Room
from steer_engine.pointers import pointer_to, steps_of
from steer_engine.prompting import SCHEMA_PLACE, Message, compose
from steer_engine.records import finished_items
from steer_engine.remote import text_error
from steer_engine.sampling import Sampling
from steer_engine.schema import (
    TYPE_WORDS,
    Column,
    ColumnKind,
    JsonValue,
    Schema,
    column_plan,
    doubts,
    in_any_order,
    inlined,
    read_schema,
    resolved,
    row_of,
    rows_of,
    type_name,
    validation_error,
    write_json,
    write_notation,
    write_pydantic,
)
from steer_engine.schema.lowering import Clause
from steer_engine.steps import Step
from steer_engine.text_forms import (
    Choices,
    GbnfGrammar,
    LarkGrammar,
    Regex,
    TextForm,
    read_grammar,
)

__all__ = [
    "EMBEDDED",
    "MAX_TOKENS",
    "SCHEMA_PLACE",
    "TYPE_WORDS",
    "AnyEngine",
    "BackendError",
    "BudgetError",
    "Choices",
    "Clause",
    "Column",
    "ColumnKind",
    "Confidence",
    "DefectError",
    "DownloadProgress",
    "Engine",
    "Event",
    "Evidence",
    "Explanation",
    "Finished",
    "GbnfGrammar",
    "JsonValue",
    "LarkGrammar",
    "ListedModel",
    "Message",
    "ModelError",
    "ModelFacts",
    "ModelInfo",
    "Noted",
    "Plan",
    "PromptError",
    "PromptTooLongError",
    "Regex",
    "Request",
    "Room",
    "RowDone",
    "RowError",
    "RowFailed",
    "Sampling",
    "SamplingError",
    "Schema",
    "SchemaError",
    "SchemaSyntaxError",
    "ServerError",
    "ServerLostError",
    "Started",
    "SteerError",
    "Step",
    "Steps",
    "StepsUndone",
    "TextForm",
    "TruncatedError",
    "UnenforceableError",
    "UnsatisfiableError",
    "bring_here",
    "column_plan",
    "compose",
    "doubts",
    "embedded_card",
    "find_model",
    "finished_items",
    "in_any_order",
    "inlined",
    "list_models",
    "model_names",
    "notice",
    "open_engine",
    "open_isolated",
    "plan_model",
    "pointer_to",
    "read_grammar",
    "read_schema",
    "resolved",
    "row_of",
    "rows_of",
    "steps_of",
    "text_error",
    "type_name",
    "validation_error",
    "write_json",
    "write_notation",
    "write_pydantic",
]
