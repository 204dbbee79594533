"""Reading a schema's document where the column plan does not say enough."""

from __future__ import annotations

from collections.abc import Sequence

from steer_engine import JsonValue, resolved


def plain(node: JsonValue, root: JsonValue) -> dict[str, JsonValue]:
    """Return the schema that `node` stands for: references followed, "or null" left out.

    What stands beside a reference or a choice is joined to it. What has no such plain form, as an
    `anyOf` of several types, stays in it as it is.
    """
    if not isinstance(root, dict) or not isinstance(node, dict):
        return {}
    joined = resolved(root, node)
    if not isinstance(joined, dict):
        return {}
    for keyword in ("anyOf", "oneOf"):
        choices = _not_null(joined.get(keyword))
        if len(choices) == 1:
            rest = {key: value for key, value in joined.items() if key != keyword}
            return plain({"allOf": [rest, *choices]}, root)
    return _without_null(joined)


def subschema(root: JsonValue, path: Sequence[str]) -> dict[str, JsonValue]:
    """Return the plain schema of the field at `path` of a record, or of an item of a root list."""
    return plain(field(root, path), root)


def field(root: JsonValue, path: Sequence[str]) -> JsonValue:
    """Return the schema of that field as it is written, with what is said beside a reference."""
    row = plain(root, root)
    node = row.get("items") if row.get("type") == "array" else root
    for name in path:
        fields = plain(node, root).get("properties")
        node = fields.get(name) if isinstance(fields, dict) else None
    return node


def _not_null(choices: JsonValue) -> list[JsonValue]:
    if not isinstance(choices, list):
        return []
    return [each for each in choices if not isinstance(each, dict) or each.get("type") != "null"]


def _without_null(node: dict[str, JsonValue]) -> dict[str, JsonValue]:
    types = node.get("type")
    if not isinstance(types, list):
        return node
    others = [name for name in types if name != "null"]
    return {**node, "type": others[0]} if len(others) == 1 else node
