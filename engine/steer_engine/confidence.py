"""How sure the model was of each value: what it gave the tokens that it chose for it."""

from __future__ import annotations

from dataclasses import dataclass

from steer_engine.schema import JsonValue


@dataclass(frozen=True, slots=True)
class Confidence:
    """How probable the model found what it wrote for one scalar value.

    `pointer` is the value's JSON Pointer in the record. `mean` is the geometric mean, and `least`
    the smallest, of the model's probabilities of the tokens that it chose for the value; 1.0 where
    it chose none, for the schema forced them all. `alternatives` are, for a value out of a fixed
    set, all members of it, each with its exact probability, the most probable first.
    """

    pointer: str
    mean: float
    least: float
    alternatives: tuple[tuple[JsonValue, float], ...] = ()
