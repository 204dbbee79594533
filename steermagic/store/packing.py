"""A row as the store keeps it: text, JSON, and the steps compressed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from steer_engine import (
    BackendError,
    BudgetError,
    Confidence,
    DefectError,
    Evidence,
    JsonValue,
    PromptError,
    PromptTooLongError,
    RowError,
    Schema,
    SteerError,
    Step,
    TextForm,
    TruncatedError,
)
from steermagic.errors import InterpolationError
from steermagic.runs import Row

Columns: TypeAlias = tuple[str, str, str, str, bytes | None]
"""Of an answer: kind, text, thoughts, details, steps."""

_FAILURES: Mapping[str, type[SteerError]] = {
    kind.__name__: kind
    for kind in (
        BackendError,
        BudgetError,
        DefectError,
        InterpolationError,
        PromptError,
        PromptTooLongError,
        RowError,
    )
}
_ORIGINS: Sequence[Literal["forced", "chosen", "narrowed", "closed"]] = (
    "forced",
    "chosen",
    "narrowed",
    "closed",
)
_LEVEL = 9  # of compression: a row's steps take a millisecond, and are kept for good


def kind_of(asked: Schema | TextForm | None) -> str:
    """Return how the record follows from the text: it is read, it is the text, or there is none."""
    if asked is None:
        return "free"
    return "json" if isinstance(asked, Schema) else "text"


def packed(row: Row, *, kind: str, trace: bool) -> Columns:
    """Return the columns of an answer that is kept; its steps only for a `trace`."""
    details = {
        "evidence": [(e.pointer, e.source, e.start, e.end) for e in row.evidence],
        "confidence": [(c.pointer, c.mean, c.least, c.alternatives) for c in row.confidence],
        "cut": None if row.error is None else str(row.error),
    }
    steps = packed_steps(row.steps) if trace and row.steps else None
    return kind, row.text, row.thoughts, json.dumps(details), steps


def unpacked(columns: Columns, *, number: int, trace: bool) -> Row:
    """Return the row of that `number` with this answer; its steps only for a `trace`."""
    kind, text, thoughts, packed_details, steps = columns
    details = json.loads(packed_details)
    return Row(
        number,
        _record(kind, text),
        text,
        unpacked_steps(steps) if trace and steps else (),
        is_kept=True,
        is_finished=True,
        error=None if details["cut"] is None else TruncatedError(details["cut"]),
        thoughts=thoughts,
        evidence=tuple(Evidence(*each) for each in details["evidence"]),
        confidence=tuple(_confidence(*each) for each in details["confidence"]),
    )


def packed_failure(row: Row) -> str:
    """Return what is kept of a row that failed, as JSON."""
    failure = {
        "kind": type(row.error).__name__,
        "message": str(row.error),
        "text": row.text,
        "thoughts": row.thoughts,
    }
    return json.dumps(failure)


def unpacked_failure(text: str, *, number: int) -> Row:
    """Return the row of that `number` that failed in this way."""
    failure = json.loads(text)
    error = _FAILURES.get(failure["kind"], SteerError)(failure["message"])
    return Row(
        number,
        None,
        failure["text"],
        (),
        is_kept=False,
        is_finished=True,
        error=error,
        thoughts=failure["thoughts"],
    )


def packed_steps(steps: Sequence[Step]) -> bytes:
    """Return the steps in some bytes a token: column by column, which zlib likes."""
    columns = (
        [step.token for step in steps],
        [step.spelling.decode("latin-1") for step in steps],
        [_ORIGINS.index(step.origin) for step in steps],
        [step.pointer for step in steps],
        [_rounded(step.logprob) for step in steps],
        [_rounded(step.masked_logprob) for step in steps],
        [None if step.wanted is None else step.wanted.decode("latin-1") for step in steps],
        [_rounded(step.wanted_logprob) for step in steps],
        [int(step.is_thought) for step in steps],
    )
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode(), _LEVEL)


def unpacked_steps(packed: bytes) -> tuple[Step, ...]:
    """Return the steps; their log-probabilities are rounded to three digits after the point."""
    columns: list[list[Any]] = json.loads(zlib.decompress(packed))
    return tuple(map(_step, zip(*columns, strict=True)))


def _step(values: Sequence[Any]) -> Step:
    token, spelling, origin, pointer, logprob, masked, wanted, wanted_logprob, is_thought = values
    return Step(
        token,
        spelling.encode("latin-1"),
        _ORIGINS[origin],
        pointer,
        logprob,
        masked,
        None if wanted is None else wanted.encode("latin-1"),
        wanted_logprob,
        is_thought=bool(is_thought),
    )


def _rounded(logprob: float | None) -> float | None:
    return None if logprob is None else round(logprob, 3)


def _record(kind: str, text: str) -> JsonValue:
    # What was accepted once reads the same again: the engine reads with the same parser.
    record: JsonValue = json.loads(text) if kind == "json" else text
    return None if kind == "free" else record


def _confidence(
    pointer: str, mean: float, least: float, alternatives: Iterable[Sequence[Any]]
) -> Confidence:
    return Confidence(pointer, mean, least, tuple((value, share) for value, share in alternatives))
