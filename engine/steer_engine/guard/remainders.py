"""`unevaluatedProperties` and `unevaluatedItems`, once it is decided which branches count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from steer_engine.guard.compiler import in_place
from steer_engine.guard.draft import At, Draft, Specialising
from steer_engine.guard.members import has_key
from steer_engine.guard.verdict import INVALID, OPEN, VALID, Verdict
from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue


@dataclass(slots=True)
class Evaluated:
    """What the schemas that count look at: properties, patterns, the first items, or everything."""

    names: dict[str, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)
    n_first: int = 0
    is_everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.names or self.patterns or self.n_first or self.is_everything)

    def add(self, other: Evaluated) -> None:
        """Take in what another schema looks at."""
        self.names |= other.names
        self.patterns |= other.patterns
        self.n_first = max(self.n_first, other.n_first)
        self.is_everything = self.is_everything or other.is_everything


def say_unevaluated(work: Specialising, at: At, draft: Draft) -> None:
    """Say `unevaluated...` without looking at branches, where all of those are decided."""
    is_object = at.value.kind == "object"
    keyword = "unevaluatedProperties" if is_object else "unevaluatedItems"
    rest = draft.get(keyword)
    if not isinstance(rest, bool | dict) or not any(_branches(work, at)):
        return
    evaluated = _evaluated(work, at, keyword, {})
    if evaluated is None:
        return
    draft.drop(keyword)
    if evaluated.is_everything:
        return
    if not is_object:
        first: list[JsonValue] = [True] * evaluated.n_first
        draft.add({"prefixItems": first, "items": rest})
        return
    part: JsonObject = {"additionalProperties": rest}
    if evaluated.patterns:
        part = {"patternProperties": dict.fromkeys(evaluated.patterns, True), **part}
    draft.add({"properties": dict.fromkeys(evaluated.names, True), **part})


def _evaluated(
    work: Specialising, at: At, keyword: str, known: dict[str, Evaluated | None]
) -> Evaluated | None:
    """Return what the schema looks at; None where that is not decided."""
    if at.pointer not in known:
        schema = work.compiler.resolved(at.pointer)
        is_below = bool(known)  # the first one asked is the one that wants to know
        known[at.pointer] = None
        own = Evaluated() if isinstance(schema, bool) else _own(schema, keyword, is_below=is_below)
        if own is not None:
            own = _with_branches(work, at, keyword, known, own)
        known[at.pointer] = own
    return known[at.pointer]


def _with_branches(
    work: Specialising,
    at: At,
    keyword: str,
    known: dict[str, Evaluated | None],
    own: Evaluated,
) -> Evaluated | None:
    for branch, counts in _branches(work, at):
        if counts is INVALID or own.is_everything:
            continue
        below = _evaluated(work, branch, keyword, known)
        if below is None or (counts is OPEN and below):
            return None
        if counts is VALID:
            own.add(below)
    return own


def _own(schema: JsonObject, keyword: str, *, is_below: bool) -> Evaluated | None:
    if is_below and keyword in schema:
        return Evaluated(is_everything=True)
    if keyword == "unevaluatedItems":
        if "contains" in schema and "items" not in schema:
            return None  # it looks at the items that match
        first = schema.get("prefixItems")
        n_first = len(first) if isinstance(first, list) else 0
        return Evaluated(n_first=n_first, is_everything="items" in schema)
    return Evaluated(
        names=_keys(schema.get("properties")),
        patterns=_keys(schema.get("patternProperties")),
        is_everything="additionalProperties" in schema,
    )


def _branches(work: Specialising, at: At) -> Iterator[tuple[At, Verdict]]:
    """Yield the schemas for the same value, each with whether what it looks at counts."""
    schema = work.compiler.resolved(at.pointer)
    if not isinstance(schema, dict):
        return
    for pointer in in_place(schema, at.pointer):
        yield at.moved(pointer), VALID
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        for index in range(len(branches) if isinstance(branches, list) else 0):
            yield at.beside(keyword, index), work.verdict(at.beside(keyword, index))
    if "if" in schema:
        yield from _ways(work, at, schema)
    dependent = schema.get("dependentSchemas")
    for key in dependent if isinstance(dependent, dict) else ():
        is_there = has_key(at.value, key)
        yield at.beside("dependentSchemas", key), VALID if is_there else OPEN


def _ways(work: Specialising, at: At, schema: JsonObject) -> Iterator[tuple[At, Verdict]]:
    condition = work.verdict(at.beside("if"))
    yield at.beside("if"), condition
    if "then" in schema:
        yield at.beside("then"), condition
    if "else" in schema:
        opposite = {VALID: INVALID, INVALID: VALID, OPEN: OPEN}[condition]
        yield at.beside("else"), opposite


def _keys(value: JsonValue | JsonSchema) -> dict[str, None]:
    return dict.fromkeys(value) if isinstance(value, dict) else {}
