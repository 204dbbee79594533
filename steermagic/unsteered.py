"""What a model writes when nobody steers it: shown beside a steered answer, for comparison."""

from __future__ import annotations

import json
from dataclasses import dataclass

from steer_engine import RowError, Schema, validation_error


@dataclass(frozen=True, slots=True)
class UnsteeredAnswer:
    """The raw text of a model that was told the schema and not held to it.

    `problem` says why the text is no valid answer; None where it happens to be one.
    """

    text: str
    problem: str | None

    def __repr__(self) -> str:
        return f"{self.text}\n\n{self.verdict}"

    @property
    def verdict(self) -> str:
        """One line on whether the text could have become rows."""
        if self.problem is None:
            return "This text happens to be valid."
        return f"This text cannot become rows: {self.problem}."


def judge(text: str, schema: Schema) -> UnsteeredAnswer:
    """Return `text` with what keeps it from being a value of `schema`."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        message = error.msg.lower().removesuffix(" at")
        where = f"line {error.lineno}, column {error.colno}"
        return UnsteeredAnswer(text, f"it is not JSON ({message} at {where})")
    except RecursionError:
        return UnsteeredAnswer(text, "it is nested too deeply to be read")
    except ValueError:  # Python's own limit on the digits of an integer
        return UnsteeredAnswer(text, "it has a number too long to be read")
    try:
        return UnsteeredAnswer(text, validation_error(schema, value))
    except RowError as error:
        return UnsteeredAnswer(text, str(error))
