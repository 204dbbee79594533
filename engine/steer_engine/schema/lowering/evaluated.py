"""What `unevaluatedProperties` and `unevaluatedItems` need not judge."""

from __future__ import annotations

from dataclasses import dataclass, field

from steer_engine.schema.document import JsonObject
from steer_engine.schema.lowering.reading import schemas_by_name, schemas_in

UNEVALUATED = frozenset({"unevaluatedItems", "unevaluatedProperties"})


@dataclass(slots=True)
class Evaluated:
    """The parts of a value that are judged already, seen from a schema with `unevaluated…`."""

    schema: JsonObject
    names: dict[str, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)
    has_all_names: bool = False
    n_items: int = 0
    has_all_items: bool = False

    def add(self, schema: JsonObject) -> None:
        """Take in what `schema` evaluates by itself."""
        self.names |= dict.fromkeys(schemas_by_name(schema.get("properties")))
        self.patterns |= dict.fromkeys(schemas_by_name(schema.get("patternProperties")))
        self.n_items = max(self.n_items, len(schemas_in(schema.get("prefixItems"))))
        # Of `contains` it is known only at the end what it evaluates.
        self.has_all_items |= "items" in schema or "contains" in schema
        self.has_all_names |= "additionalProperties" in schema

    def add_rest(self, schema: JsonObject) -> None:
        """Take in that another schema with `unevaluated…` judges all that it does not."""
        self.has_all_items |= "unevaluatedItems" in schema
        self.has_all_names |= "unevaluatedProperties" in schema

    def copy(self) -> Evaluated:
        """Return an independent copy."""
        return Evaluated(
            self.schema,
            dict(self.names),
            dict(self.patterns),
            self.has_all_names,
            self.n_items,
            self.has_all_items,
        )
