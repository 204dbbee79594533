"""Reading a schema's document where the column plan does not say enough."""

from __future__ import annotations

from collections.abc import Sequence

from steer_engine import JsonValue


def plain(node: JsonValue, root: JsonValue) -> dict[str, JsonValue]:
    """Return the schema that `node` stands for: references followed, "or null" left out.

    What has no such plain form, as an `anyOf` of several types, is returned as it is.
    """
    followed = set[str]()
    while isinstance(node, dict):
        reference = node.get("$ref")
        choices = _not_null(node.get("anyOf") or node.get("oneOf") or node.get("allOf"))
        if isinstance(reference, str) and reference not in followed:
            followed.add(reference)
            node = _at(root, reference)
        elif len(choices) == 1:
            [node] = choices
        else:
            return _without_null(node)
    return {}


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
    return [choice for choice in choices if choice != {"type": "null"}]


def _without_null(node: dict[str, JsonValue]) -> dict[str, JsonValue]:
    types = node.get("type")
    if not isinstance(types, list):
        return node
    others = [name for name in types if name != "null"]
    return {**node, "type": others[0]} if len(others) == 1 else node


def _at(root: JsonValue, reference: str) -> JsonValue:
    """Return what a local reference such as ``#/$defs/Line`` leads to."""
    node = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, dict) else None
    return node
