"""Lowering: a schema, split between what the mask compiler enforces and what the guard must."""

from steer_engine.errors import UnsatisfiableError
from steer_engine.schema.document import JsonObject, JsonSchema, place
from steer_engine.schema.lowering.analysis import Analysis
from steer_engine.schema.lowering.contract import Clause, Lowered, Treatment, contract
from steer_engine.schema.lowering.detail import Detail
from steer_engine.schema.lowering.exclusive import are_exclusive
from steer_engine.schema.lowering.graph import SchemaGraph
from steer_engine.schema.lowering.inexact import Inexact
from steer_engine.schema.lowering.masking import Mask
from steer_engine.schema.lowering.productive import pruned
from steer_engine.schema.lowering.residue import residue

__all__ = ["Clause", "Detail", "Lowered", "Treatment", "lowered"]


def lowered(document: JsonSchema, *, detail: Detail = Detail.FULL) -> Lowered:
    """Return `document` split between the mask and the guard.

    `document` is 2020-12, and each `$ref` in it is a pointer into it. `detail` is lowered for a
    mask that the mask compiler turned out not to hold.

    Raises:
        UnsatisfiableError: no value satisfies the document, or none that ends.
    """
    graph, inexact = SchemaGraph(document), Inexact()
    if detail == Detail.NOTHING and isinstance(document, dict):
        inexact.note_whole(document, "the mask compiler cannot hold the schema")
        return Lowered({}, residue(graph, inexact), tuple(contract(graph, inexact)))
    mask = Mask(Analysis(graph, inexact, are_exclusive, detail))
    root, definitions = pruned(mask.document(), mask.definitions)
    if root is False:
        raise _unsatisfiable(graph, mask.blame)
    masked = root if isinstance(root, dict) else {}
    if definitions:
        masked = {**masked, "$defs": definitions}
    return Lowered(masked, residue(graph, inexact), tuple(contract(graph, inexact)))


def _unsatisfiable(
    graph: SchemaGraph, blame: tuple[JsonObject, str] | None
) -> UnsatisfiableError:
    schema, keyword = blame or ({}, "")
    where = place(graph.pointer(schema)) if schema in graph else "at the root"
    if not keyword:
        return UnsatisfiableError("no value that ends can satisfy this schema")
    return UnsatisfiableError(
        f"no value can satisfy this schema: `{keyword}` {where} contradicts what else is said there"
    )
