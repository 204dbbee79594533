"""Counts which values of an answer are exactly right: the one definition that all figures use.

A value is a text, a number, true, false or null, or a list that is not one of objects. It is right
if it is there, is of the right type and is equal: texts letter by letter, numbers as numbers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from embedded_training.schemas import JsonSchema

LENGTH = "length"
"""The kind under which lengths of lists are counted; they are no values themselves."""

MISSING = object()
"""Stands for a value that was not given; unlike null it equals nothing."""


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

    @property
    def n_right(self) -> int:
        """How many values were right."""
        return self.right.total() - self.right[LENGTH]

    @property
    def n_asked(self) -> int:
        """How many values there were."""
        return self.asked.total() - self.asked[LENGTH]

    def shares(self) -> dict[str, str]:
        """Return right/asked for all values together and for each kind."""
        kinds = {kind: f"{self.right[kind]}/{self.asked[kind]}" for kind in sorted(self.asked)}
        return {"all": f"{self.n_right}/{self.n_asked}", **kinds}


def score_answer(score: Score, expected: object, given: object, schema: JsonSchema) -> None:
    """Count each value of `expected`, and the length of each of its lists.

    `given` is `MISSING` where there is no answer. The values of a row or an object that was not
    given are wrong, each of them; what was given beyond what is expected is not looked at.
    """
    for kind, wanted, found in _Pairs(schema).of(expected, given, schema):
        score.count(kind, is_right=is_same(wanted, found))


def is_same(wanted: object, found: object) -> bool:
    """Tell whether two JSON values are equal: 1 is 1.0, and neither is true."""
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(is_same, wanted, found))
    if _is_number(wanted) and _is_number(found):
        return wanted == found
    return type(wanted) is type(found) and wanted == found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: object, parts: list[JsonSchema]) -> str:
    """Return what kind of value this is: its JSON type, its format, `enum` or `null`.

    `parts` are the schemas that describe it, as alternatives or together.
    """
    if value is None:
        return "null"
    if any(value in part.get("enum", ()) or value == part.get("const", MISSING) for part in parts):
        return "enum"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return next((str(part["format"]) for part in parts if "format" in part), "string")
    may_be_decimal = any("number" in part.get("type", ()) for part in parts)
    return "number" if may_be_decimal or isinstance(value, float) else "integer"


class _Pairs:
    """Pairs what is expected with what was given; `document` is what references point into."""

    def __init__(self, document: JsonSchema) -> None:
        self._document = document

    def of(
        self, expected: object, given: object, schema: JsonSchema
    ) -> Iterator[tuple[str, object, object]]:
        """Yield each value's kind, the value that is expected and the one that was given."""
        parts = list(self._parts(schema))
        if isinstance(expected, dict):
            found = given if isinstance(given, dict) else {}
            for name, value in expected.items():
                place = _first(part.get("properties", {}).get(name) for part in parts)
                yield from self.of(value, found.get(name, MISSING), place)
        elif isinstance(expected, list):
            yield from self._of_list(expected, given, parts)
        else:
            yield kind_of(expected, parts), expected, given

    def _of_list(
        self, expected: list[Any], given: object, parts: list[JsonSchema]
    ) -> Iterator[tuple[str, object, object]]:
        rows = given if isinstance(given, list) else []
        yield LENGTH, len(expected), len(rows) if rows is given else MISSING
        if not expected or not all(isinstance(row, dict) for row in expected):
            yield "list", expected, given
            return
        place = _first(part.get("items") for part in parts)
        for index, row in enumerate(expected):
            yield from self.of(row, rows[index] if index < len(rows) else MISSING, place)

    def _parts(self, schema: JsonSchema) -> Iterator[JsonSchema]:
        """Yield the schema, what it refers to, and its alternatives."""
        yield schema
        if "$ref" in schema:
            yield from self._parts(_at(self._document, schema["$ref"]))
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in filter(_says_something, schema.get(keyword, ())):
                yield from self._parts(part)


def _says_something(schema: object) -> bool:
    return isinstance(schema, dict)  # true and false are schemas too


def _first(places: Iterator[Any]) -> JsonSchema:
    """Return the first schema that says something; an empty one if there is none."""
    return next(filter(_says_something, places), {})


def _at(document: JsonSchema, reference: str) -> JsonSchema:
    """Return what a reference such as ``#/$defs/Row`` points at."""
    place: Any = document
    for step in unquote(reference.removeprefix("#")).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if isinstance(place, list) else place[name]
    return place if _says_something(place) else {}
