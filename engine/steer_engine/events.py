"""What goes into the engine and what comes out: plain values that can be pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from steer_engine.confidence import Confidence
from steer_engine.decoding import FinishReason
from steer_engine.errors import BackendError, DefectError, PromptError, RowError
from steer_engine.evidence import Evidence, find_evidence
from steer_engine.prompting import Message, exact, instruction
from steer_engine.sampling import Sampling
from steer_engine.schema import JsonValue, Schema
from steer_engine.schema.places import verbatim_places
from steer_engine.source import SourceText
from steer_engine.steps import Step
from steer_engine.text_forms import TextForm

MAX_TOKENS = 1024
"""Default budget of one answer, in tokens."""

GREEDY = Sampling()


@dataclass(frozen=True, slots=True)
class Request:
    """One row's work. `schema` None asks for unsteered text, a text form for text of that form.

    The model may write `n_thoughts` tokens of free text before it answers. `inputs` are the texts
    that verbatim strings are copied from. None takes the user's messages.
    """

    row: int
    messages: tuple[Message, ...]
    schema: Schema | TextForm | None
    sampling: Sampling = GREEDY
    max_tokens: int = MAX_TOKENS
    inputs: tuple[str, ...] | None = None
    n_thoughts: int = 0

    def __post_init__(self) -> None:
        if self.inputs is not None:  # other processes know nothing of the classes of the user
            object.__setattr__(self, "inputs", tuple(exact(text) for text in self.inputs))


def source_of(request: Request) -> SourceText:
    """Return what the verbatim strings of an answer are copied from."""
    if request.inputs is not None or request.schema is None:
        return SourceText(request.inputs or ())
    # What the user sent, not what the schema says of itself.
    told = instruction(request.schema)
    sent = (message.content for message in request.messages if message.role == "user")
    return SourceText([content.replace(told, "\0" * len(told)) for content in sent])


def evidence_of(request: Request, record: JsonValue) -> tuple[Evidence, ...]:
    """Return where the verbatim strings of `record` stand in the request's inputs."""
    schema = request.schema
    if not isinstance(schema, Schema) or (places := verbatim_places(schema)).is_empty:
        return ()
    return find_evidence(record, places, source_of(request))


@dataclass(frozen=True, slots=True)
class Started:
    """The run has begun: every schema compiled, no model call made yet."""

    n_rows: int | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that the user should know of the run: one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Tokens that a row has gained."""

    row: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepsUndone:
    """The last `n_steps` tokens of a row were taken back: they led to no valid value."""

    row: int
    n_steps: int


@dataclass(frozen=True, slots=True)
class RowDone:
    """A row is finished. `record` is valid under its schema (None for an unsteered row).

    `thoughts` is what the model wrote before its answer, which is `text`. `evidence` says where its
    verbatim strings stand in the request's inputs. `confidence` says how sure the model was of each
    value.
    """

    row: int
    record: JsonValue
    text: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    seconds: float
    evidence: tuple[Evidence, ...] = ()
    thoughts: str = ""
    confidence: tuple[Confidence, ...] = ()


@dataclass(frozen=True, slots=True)
class RowFailed:
    """A row could not be finished. `text` is what it had written."""

    row: int
    error: RowError | PromptError | BackendError | DefectError
    text: str
    thoughts: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over; `n_tokens` counts written tokens, `seconds` is wall time."""

    n_done: int
    n_failed: int
    n_tokens: int
    seconds: float


Event: TypeAlias = Started | Noted | Steps | StepsUndone | RowDone | RowFailed | Finished
