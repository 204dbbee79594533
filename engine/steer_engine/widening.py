"""Masks for schemas that the mask compiler refuses: without the keywords that it cannot take."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from steer_engine.errors import UnsatisfiableError
from steer_engine.mask_compiler import MaskCompiler
from steer_engine.schema import JsonObject, JsonSchema
from steer_engine.schema.document import DEFINITIONS, children, definitions_of
from steer_engine.schema.references import schema_at

if TYPE_CHECKING:
    from llguidance import LLMatcher

ANY_KEYWORD = ""
"""Stands for all keywords of a schema, where no single one is to blame."""

_MAX_WIDENED = 32  # keywords; then every JSON value is let through
_MAX_REASON = 200  # characters


def compile_widened(masks: MaskCompiler, masked: JsonObject) -> tuple[LLMatcher, frozenset[str]]:
    """Compile a mask; return it and the keywords that had to be left out of it.

    Raises:
        UnsatisfiableError: no value can satisfy it.
    """
    given_over: frozenset[str] = frozenset()
    for _ in range(_MAX_WIDENED):
        native = masks.compile_json(masked)
        if not native.is_error():
            return native, given_over
        reason = native.get_error()
        if "nsatisfiable" in reason:
            shown = " ".join(reason.split())[:_MAX_REASON]
            raise UnsatisfiableError(f"no value can satisfy this schema: {shown}")
        pointer, keyword = _blame(masks, masked, "", definitions_of(masked))
        masked = _without(masked, pointer, keyword)
        given_over |= {keyword}
    return masks.compile_json({}), frozenset({ANY_KEYWORD})


def _blame(
    masks: MaskCompiler, node: JsonSchema, pointer: str, definitions: JsonObject
) -> tuple[str, str]:
    """Return the innermost place that does not compile, and the keyword that is to blame."""

    def is_refused(schema: JsonObject) -> bool:
        return masks.compile_json({**definitions, **schema}).is_error()

    if isinstance(node, bool):
        return pointer, ANY_KEYWORD
    for where, child in children(node, pointer):
        if isinstance(child, dict) and is_refused(child):
            return _blame(masks, child, where, definitions)
    for keyword in node:
        if not is_refused({key: value for key, value in node.items() if key != keyword}):
            return pointer, keyword
    return pointer, ANY_KEYWORD


def _without(document: JsonObject, pointer: str, keyword: str) -> JsonObject:
    """Return a copy of `document` without a keyword of the schema at `pointer`."""
    copied: JsonObject = copy.deepcopy(document)
    schema = schema_at(copied, pointer)
    if isinstance(schema, dict):
        for each in [keyword] if keyword else schema.keys() - set(DEFINITIONS):
            del schema[each]
    return copied
