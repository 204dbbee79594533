"""The schema of what is still to be written.

Once a part of the schema is decided, it can be said plainly: the way an `if` has gone, the one
branch that is left, what a property needs beside it. Said so, it becomes part of the mask.
"""

from __future__ import annotations

from dataclasses import replace

from steer_engine.guard.anchoring import anchored
from steer_engine.guard.compiler import Compiler
from steer_engine.guard.decisions import DECISIONS
from steer_engine.guard.draft import At, Draft
from steer_engine.guard.members import say_member, say_needs, say_unlike
from steer_engine.guard.obligations import ask_for_items, ask_for_properties
from steer_engine.guard.ordering import put_in_order
from steer_engine.guard.remainders import say_unevaluated
from steer_engine.guard.states import BUILDERS
from steer_engine.guard.values import Container, PartialValue
from steer_engine.guard.verdict import VALID, Verdict
from steer_engine.schema.document import DEFINITIONS, JsonSchema, definitions_of

_MAX_DEPTH = 60  # open containers; what is further inside stays as the document says it
_MAX_SCHEMAS = 3_000  # said plainly; a chain of references can lead to any number of them
_FAMILIES = {
    "contains": ("contains", "minContains", "maxContains"),
    "if": ("if", "then", "else"),
    "items": ("items", "prefixItems"),
    "properties": ("properties", "patternProperties", "additionalProperties"),
}
_STEPS = (
    *DECISIONS,
    say_needs,
    say_member,
    ask_for_items,
    say_unlike,
    ask_for_properties,
    say_unevaluated,
    put_in_order,
)


def specialised(
    document: JsonSchema, value: PartialValue, *, closing: str | None = None
) -> JsonSchema:
    """Return what `document` says of the rest of `value`: a `Specialiser` that is used once."""
    return Specialiser(document).specialised(value, closing=closing)


class Specialiser:
    """Says what is left of a document; compiled once, used for many values.

    Raises:
        SchemaError: a `$ref` of `document` leads nowhere, or back to itself.
    """

    def __init__(self, document: JsonSchema) -> None:
        self._document = document
        self._anchored = anchored(document)
        self._compiler = Compiler(self._anchored, BUILDERS, exponents=True)
        self._compiler.subschema("")

    def specialised(self, value: PartialValue, *, closing: str | None = None) -> JsonSchema:
        """Return a document that every valid completion of `value` satisfies.

        It is the very same document where nothing is decided. Optional properties whose turn in the
        schema's order is past may be forbidden. `closing` is the pointer of an open container whose
        end has just been refused, for want of something: the result asks for that now, and so
        forbids other ways to go on.
        """
        if not isinstance(value, Container) or value.is_done:
            return self._document
        result = _Pass(self._compiler, closing).schema(At("", value, ""))
        if result is self._anchored:
            return self._document
        definitions = definitions_of(self._anchored)
        if isinstance(result, bool) or not definitions:
            return result
        return {
            **{keyword: says for keyword, says in result.items() if keyword not in DEFINITIONS},
            **definitions,
        }


class _Pass:
    """One specialisation."""

    def __init__(self, compiler: Compiler, closing: str | None) -> None:
        self.compiler = compiler
        self._closing = closing
        self._n_left = _MAX_SCHEMAS

    def verdict(self, at: At, *, is_closed: bool = False) -> Verdict:
        """Return the verdict of the schema on the value, as it is or as if it ended here."""
        value = at.value.ended() if is_closed else at.value
        return self.compiler.subschema(at.pointer).verdict(value)

    def is_closing(self, at: At) -> bool:
        """Whether the end of the value has been refused because something is missing."""
        return self._closing == at.value_pointer and not at.is_exact

    def schema(self, at: At) -> JsonSchema:
        """Return the schema said plainly; the very same one where nothing is decided."""
        here = self.compiler.resolved(at.pointer)
        pointer, schema = self.compiler.followed(at.pointer)
        self._n_left -= 1
        if isinstance(schema, bool) or at.depth > _MAX_DEPTH or self._n_left < 0:
            return here
        asks = any(keyword.startswith("unevaluated") for keyword in schema)
        at = replace(at, pointer=pointer, is_annotated=at.is_annotated or asks)
        draft = Draft(schema)
        if at.is_reduced and not at.is_annotated:
            self._drop_settled(at, draft)
        for step in _STEPS:
            step(self, at, draft)
        result = draft.result()
        return here if result is schema else result

    def _drop_settled(self, at: At, draft: Draft) -> None:
        for check in self.compiler.subschema(at.pointer).checks[at.value.kind]:
            if check.pointer == at.pointer and check.verdict(at.value) is VALID:
                draft.drop(*_FAMILIES.get(check.name, (check.name,)))
