"""Lowering: a schema, split between what the mask compiler enforces and what the guard must.

Read in this order: `contract` (what comes out) -> `graph` -> `facts` (what is said of one place)
-> `choices` -> `masking` -> `residue`. `analysis`, `alternatives` and `negation` say what the
branching keywords come to; `contradictions`, `exclusive` and `deciding` tell what cannot be;
`numbers`, `strings` with `formats`, `arrays`, `objects` with `properties`, `counting` and `crowds`,
and `literals` with `excluding` write the mask's keywords; `productive` takes away what never ends,
and `lark` writes what llguidance reads in no JSON Schema: keys in any order, long numbers.
"""

from dataclasses import replace

from steer_engine.errors import SchemaError, UnenforceableError, UnsatisfiableError
from steer_engine.schema.document import JsonObject, JsonSchema, place
from steer_engine.schema.lowering.analysis import Analysis
from steer_engine.schema.lowering.contract import UNWRITABLE, Clause, Lowered, Treatment, contract
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.exclusive import are_exclusive
from steer_engine.schema.lowering.graph import SchemaGraph
from steer_engine.schema.lowering.inexact import Inexact
from steer_engine.schema.lowering.lark import is_for_lark, written_in_lark
from steer_engine.schema.lowering.literals import spelled
from steer_engine.schema.lowering.masking import Mask
from steer_engine.schema.lowering.productive import pruned
from steer_engine.schema.lowering.reading import schemas_by_name
from steer_engine.schema.lowering.residue import residue

__all__ = [
    "Clause",
    "Detail",
    "Lowered",
    "Treatment",
    "is_for_lark",
    "lowered",
    "spelled",
    "without_definition",
    "written_in_lark",
]


def lowered(
    document: JsonSchema, *, any_order: bool = False, detail: Detail = Detail.FULL
) -> Lowered:
    """Return `document` split between the mask and the guard.

    `document` is 2020-12, and each `$ref` in it is a pointer into it. `detail` is lowered for a
    mask that the mask compiler turned out not to hold. With `any_order`, as with
    ``"x-steer": {"order": "any"}`` at the root, objects may be written in any order; with that mark
    elsewhere, this object may. `is_for_lark` tells whether the mask is for `written_in_lark`.

    Raises:
        UnsatisfiableError: no value satisfies the document, or none that ends.
        UnenforceableError: those that satisfy it cannot be written.
        SchemaError: it is nested too deeply.
    """
    try:
        return _lowered(document, any_order=any_order, detail=detail)
    except RecursionError as error:
        raise SchemaError("the schema is nested too deeply; use fewer levels") from error


def _lowered(document: JsonSchema, *, any_order: bool, detail: Detail) -> Lowered:
    graph, inexact = SchemaGraph(document), Inexact()
    if detail == Detail.NOTHING and isinstance(document, dict):
        inexact.note_whole(document, "the mask compiler cannot hold the schema")
        return Lowered({}, residue(graph, inexact), tuple(contract(graph, inexact)))
    mask = Mask(Analysis(graph, inexact, are_exclusive, detail=detail, any_order=any_order))
    root, definitions = pruned(mask.document(), mask.definitions)
    if root is False:
        raise _unwritable(graph, inexact) or _unsatisfiable(graph, mask.blame)
    masked = root if isinstance(root, dict) else {}
    if definitions:
        masked = {**masked, "$defs": definitions}
    return Lowered(masked, residue(graph, inexact), tuple(contract(graph, inexact)))


def without_definition(split: Lowered, name: str) -> Lowered:
    """Return `split` with a mask that knows that its definition `name` allows no value.

    Raises:
        UnsatisfiableError: then it allows none at all.
    """
    root: JsonSchema = {key: value for key, value in split.masked.items() if key != "$defs"}
    root, definitions = pruned(root, {**schemas_by_name(split.masked["$defs"]), name: False})
    if not isinstance(root, dict):
        raise UnsatisfiableError("no value can satisfy this schema: keywords contradict each other")
    return replace(split, masked={**root, "$defs": definitions})


def _unsatisfiable(graph: SchemaGraph, blame: tuple[JsonObject, str] | None) -> UnsatisfiableError:
    schema, keyword = blame or ({}, "")
    where = place(graph.pointer(schema)) if schema in graph else "at the root"
    if not keyword:
        return UnsatisfiableError("no value that ends can satisfy this schema")
    return UnsatisfiableError(
        f"no value can satisfy this schema: `{keyword}` {where} contradicts what else is said there"
    )


def _unwritable(graph: SchemaGraph, inexact: Inexact) -> UnenforceableError | None:
    found = inexact.first_unwritable()
    if found is None:
        return None
    schema, keyword = found
    pointer = graph.pointer(schema)
    return UnenforceableError(
        f"`{keyword}` {place(pointer)} cannot be enforced: {UNWRITABLE}",
        pointer=pointer,
        keyword=keyword,
    )
