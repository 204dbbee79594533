"""A schema that is being said more plainly, for a value of which a beginning is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from steer_engine.guard.compiler import Compiler
from steer_engine.guard.values import Container
from steer_engine.guard.verdict import Verdict
from steer_engine.pointers import pointer_to
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue


@dataclass(frozen=True, slots=True)
class At:
    """A schema of the document applied to an open container, `depth` containers deep.

    `is_exact`: the new schema has to say the same of everything that can follow; `is_reduced`: and
    nothing of what is decided to hold, as below `not`. `is_outer`: no other schema applies this one
    to the value. `is_annotated`: one of these asks which members it evaluates.
    """

    pointer: str
    value: Container
    value_pointer: str
    depth: int = 0
    is_exact: bool = False
    is_reduced: bool = False
    is_outer: bool = True
    is_annotated: bool = False

    def beside(self, *steps: str | int) -> At:
        """Return the schema below this one that applies to the same value."""
        return self.moved(pointer_to(self.pointer, *steps))

    def moved(self, pointer: str) -> At:
        """Return the schema at `pointer`, applied to the same value by this one."""
        return replace(self, pointer=pointer, is_outer=False)

    def exactly(self) -> At:
        """Return the same, to be said exactly."""
        return replace(self, is_exact=True)

    def negated(self) -> At:
        """Return the same below `not`, where what is evaluated does not count."""
        return replace(self, is_exact=True, is_reduced=True, is_annotated=False)

    def inside(self, pointer: str, member: Container) -> At:
        """Return the schema at `pointer`, applied to the open member."""
        return At(
            pointer,
            member,
            pointer_to(self.value_pointer, self.value.step),
            self.depth + 1,
            is_exact=self.is_exact,
        )


class Specialising(Protocol):
    """What the parts of one specialisation share."""

    compiler: Compiler

    def schema(self, at: At) -> JsonSchema:
        """Return the schema said plainly; the very same one where nothing is decided."""
        ...

    def verdict(self, at: At, *, is_closed: bool = False) -> Verdict:
        """Return the verdict of the schema on the value, as it is or as if it ended here."""
        ...

    def is_closing(self, at: At) -> bool:
        """Whether the end of the value has been refused because something is missing."""
        ...


class Draft:
    """What a schema says, changed keyword by keyword; `schema` itself stays as it is."""

    def __init__(self, schema: JsonObject) -> None:
        self.schema = schema
        self._changed: JsonObject = {}
        self._dropped: set[str] = set()
        self._parts: list[JsonValue] = []

    @property
    def is_changed(self) -> bool:
        """Whether it says anything differently."""
        return bool(self._changed or self._dropped or self._parts)

    def get(self, keyword: str) -> JsonValue:
        """Return the value of `keyword` as it is now; None where it is not there."""
        if keyword in self._dropped:
            return None
        return self._changed.get(keyword, self.schema.get(keyword))

    def put(self, keyword: str, value: JsonValue) -> None:
        """Give `keyword` another value."""
        self._dropped.discard(keyword)
        self._changed[keyword] = value

    def drop(self, *keywords: str) -> None:
        """Leave out keywords."""
        self._dropped.update(keyword for keyword in keywords if keyword in self.schema)

    def add(self, *parts: JsonSchema) -> None:
        """Let the value satisfy `parts` as well."""
        for part in parts:
            required = part.get("required") if isinstance(part, dict) and len(part) == 1 else None
            if isinstance(required, list):
                self.require([str(name) for name in required])
            elif part is not True and part != {}:
                self._parts.append(part)

    def require(self, names: list[str]) -> None:
        """Let the properties `names` be required as well."""
        required = self.get("required")
        before = required if isinstance(required, list) else []
        new = [name for name in dict.fromkeys(names) if name not in before]
        if new:
            self.put("required", [*before, *new])

    def result(self) -> JsonSchema:
        """Return the schema; the very same one where nothing is changed."""
        if not self.is_changed:
            return self.schema
        result = {
            keyword: self._changed.get(keyword, value)
            for keyword, value in self.schema.items()
            if keyword not in self._dropped
        }
        result |= {
            keyword: value for keyword, value in self._changed.items() if keyword not in self.schema
        }
        if self._parts:
            every = result.get("allOf")
            result["allOf"] = [*(every if isinstance(every, list) else []), *self._parts]
        return result
