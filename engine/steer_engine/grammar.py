"""Schema -> Grammar -> Matcher.

A `GrammarCompiler` belongs to a vocabulary. A `Grammar` is immutable and shared by rows; a
`Matcher` is the state of one generation. Whitespace is fixed and properties come in the schema's
order, so that a model cannot run on in spaces and equal values have one spelling.

A schema is lowered: what the mask compiler enforces becomes the token mask, and what it does not
know is left to the guard, which reads along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, partial

from steer_engine.errors import DefectError, UnsatisfiableError
from steer_engine.guard import Guard
from steer_engine.guarded import GuardedGrammar, GuardedMatcher
from steer_engine.json_matcher import JsonMatcher
from steer_engine.mask import allocate_mask
from steer_engine.mask_compiler import MaskCompiler, MaskSource
from steer_engine.matcher import Matcher
from steer_engine.orthography import Orthography
from steer_engine.schema import JsonObject, JsonSchema, Schema
from steer_engine.schema.document import walk
from steer_engine.schema.lowering import Clause, Detail, Lowered, lowered, without_definition
from steer_engine.schema.lowering.lark import ANY_ORDER
from steer_engine.spellings import PrefixIndex
from steer_engine.text_forms import TextForm
from steer_engine.text_masks import text_mask
from steer_engine.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Grammar:
    """A schema or text form compiled for one vocabulary.

    `contract` says how each keyword of a schema is enforced.
    """

    schema: Schema | TextForm
    contract: tuple[Clause, ...]
    _at_start: Matcher

    def matcher(self) -> Matcher:
        """Return a matcher at the start of the grammar; costs microseconds."""
        return self._at_start.copy()


class GrammarCompiler:
    """Compiles schemas for one vocabulary, each at most once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._masks = MaskCompiler(vocabulary)
        self._prefixes = PrefixIndex(vocabulary)
        self._compiled: dict[str | TextForm, Grammar] = {}

    def compile(self, schema: Schema | TextForm) -> Grammar:
        """Return the grammar of `schema`.

        Raises:
            UnsatisfiableError: no value can satisfy it.
            SchemaError: a text form cannot be read or not be enforced exactly.
        """
        key = schema.text if isinstance(schema, Schema) else schema
        if key not in self._compiled:
            self._compiled[key] = self._build(schema)
        return self._compiled[key]

    def _build(self, schema: Schema | TextForm) -> Grammar:
        if not isinstance(schema, Schema):
            mask = text_mask(schema, self._masks, vocab_size=self._vocabulary.vocab_size)
            return Grammar(schema, (), mask)
        document = schema.document
        split, source = self._split(document)
        mask = self._matcher(source)
        probe = allocate_mask(self._vocabulary.vocab_size)
        mask.copy().fill_mask(probe)
        if not probe.any():
            raise UnsatisfiableError(
                "no value can satisfy this schema; look for keywords that contradict each other"
            )
        if split.guarded is True and not _has_open_objects(split.masked):
            return Grammar(schema, split.clauses, mask)  # the mask alone is exact
        compile_mask = partial(self._compile_mask, has_escapes=source.has_escapes)
        guarded = GuardedGrammar(
            document, Guard(split.guarded), compile_mask, self._vocabulary, self._prefixes
        )
        return Grammar(schema, split.clauses, GuardedMatcher(guarded, mask))

    @cached_property
    def _orthography(self) -> Orthography:
        return Orthography(self._vocabulary)

    def _compile_mask(self, document: JsonSchema, *, has_escapes: bool) -> JsonMatcher:
        """Return the mask of a specialised schema; `has_escapes` if that of the whole one has.

        Raises:
            UnsatisfiableError: no value can satisfy it.
        """
        _, source = self._split(document, has_escapes=has_escapes)
        return self._matcher(source)

    def _matcher(self, source: MaskSource) -> JsonMatcher:
        return JsonMatcher(source, self._orthography, self._prefixes)

    def _split(
        self, document: JsonSchema, *, has_escapes: bool = False
    ) -> tuple[Lowered, MaskSource]:
        """Lower a schema with as much detail as the mask compiler can hold, and compile its mask.

        Raises:
            UnsatisfiableError: no value can satisfy it.
        """
        for detail in sorted(Detail, reverse=True):
            split = lowered(document, detail=detail)
            source = self._masks.source(split.masked, has_escapes=has_escapes)
            while name := _empty_definition(source):
                split = without_definition(split, name)
                source = self._masks.source(split.masked, has_escapes=has_escapes)
            if source.fault is None:
                return split, source
            if "nsatisfiable" in source.fault:
                shown = " ".join(source.fault.split())[:_MAX_REASON]
                raise UnsatisfiableError(f"no value can satisfy this schema: {shown}")
        raise DefectError("a mask that says nothing was not compiled; please report the schema")


_MAX_REASON = 200  # characters
_EMPTY_DEFINITION = re.compile(r"nsatisfiable.*?while processing \S*#/\$defs/(\w+)", re.DOTALL)


def _empty_definition(source: MaskSource) -> str:
    """Return the definition of the mask that the mask compiler found to allow nothing, or "".

    It takes that for an error in a definition, and elsewhere for an alternative that cannot be.
    """
    found = _EMPTY_DEFINITION.search(source.fault or "")
    return found[1] if found else ""


def _has_open_objects(masked: JsonObject) -> bool:
    """Tell whether an object may have keys that are not listed, so that one could come twice."""
    return any(_may_be_open(schema) for _, schema in walk(masked))


def _may_be_open(schema: JsonSchema) -> bool:
    if isinstance(schema, bool):
        return schema
    if ANY_ORDER in schema or schema.get("patternProperties"):
        return True
    if schema.keys() & {"$ref", "anyOf", "const", "enum"}:
        return False  # their parts are looked at for themselves
    kinds = schema.get("type", "object")
    is_object = "object" in kinds if isinstance(kinds, str | list) else True
    return is_object and schema.get("additionalProperties", True) is not False
