"""Counts which values of an answer are exactly right."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from embedded_training.schemas import JsonSchema


@dataclass(slots=True)
class Score:
    """How many values of each kind were exactly right."""

    right: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    def count(self, kind: str, *, is_right: bool) -> None:
        """Count one value."""
        self.asked[kind] += 1
        self.right[kind] += is_right

    def __add__(self, other: "Score") -> "Score":
        return Score(self.right + other.right, self.asked + other.asked)

    def shares(self) -> dict[str, str]:
        """Return right/asked for all values together and for each kind."""
        total = f"{sum(self.right.values())}/{sum(self.asked.values())}"
        kinds = {kind: f"{self.right[kind]}/{self.asked[kind]}" for kind in sorted(self.asked)}
        return {"all": total, **kinds}


MISSING = object()
"""Stands for a value that was not given; unlike null it equals nothing."""


def kind_of(value: object, schema: JsonSchema) -> str:
    """Return what kind of value this is: its JSON type, its format, `enum` or `null`."""
    if value is None:
        return "null"
    if "enum" in schema:
        return "enum"
    types = schema["type"]
    name: str = types[0] if isinstance(types, list) else types
    return str(schema.get("format", name)) if name == "string" else name


def score_answer(score: Score, expected: object, given: object, schema: JsonSchema) -> None:
    """Count each value of `expected`; a list also has its length counted.

    A value in a row that was not given is wrong; the items of a list of texts count as one value.
    """
    for kind, wanted, found in _pairs(expected, given, schema):
        score.count(kind, is_right=type(wanted) is type(found) and wanted == found)


def _pairs(
    expected: object, given: object, schema: JsonSchema
) -> Iterator[tuple[str, object, object]]:
    if isinstance(expected, dict):
        found = given if isinstance(given, dict) else {}
        for name, value in expected.items():
            yield from _pairs(value, found.get(name, MISSING), schema["properties"][name])
    elif isinstance(expected, list) and schema["items"].get("type") == "object":
        rows = given if isinstance(given, list) else []
        yield "length", len(expected), len(rows)
        for index, row in enumerate(expected):
            yield from _pairs(row, rows[index] if index < len(rows) else MISSING, schema["items"])
    elif isinstance(expected, list):
        yield "list", expected, given
    elif isinstance(expected, int | float) and not isinstance(expected, bool):
        yield kind_of(expected, schema), float(expected), _as_float(given)
    else:
        yield kind_of(expected, schema), expected, given


def _as_float(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value
