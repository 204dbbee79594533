"""What the model reads before it answers: the same words that the engine writes."""

import json

from embedded_training.schemas import JsonSchema
from steer_engine import prompting
from steer_engine.schema import Schema


def instruction(schema: JsonSchema) -> str:
    """Return the system message that asks for an answer of this form."""
    # The schemas of the corpus are right by construction, so none of them is checked again.
    return prompting.instruction(Schema(json.dumps(schema, ensure_ascii=False)))
