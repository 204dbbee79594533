"""Documents whose root can be changed while the `$ref`s in them lead where they led."""

from __future__ import annotations

from steer_engine.schema.document import JsonObject, JsonSchema, JsonValue

_DATA = frozenset({"const", "default", "enum", "examples"})
_FAMILIES = ("#/$defs/", "#/definitions/")


def anchored(document: JsonSchema) -> JsonSchema:
    """Return `document` with all `$ref`s into its definitions, so that the rest can be changed.

    What they lead to outside of the definitions is kept there as a whole, under a new name.
    """
    if isinstance(document, bool) or all(
        reference.startswith(_FAMILIES) for reference in _references(document)
    ):
        return document
    definitions = document.get("$defs")
    known = definitions if isinstance(definitions, dict) else {}
    name = "whole"
    while name in known:
        name += "_"
    moved = _moved(document, f"#/$defs/{name}")
    if not isinstance(moved, dict):
        return document
    inner = {key: value for key, value in moved.items() if key not in ("$defs", "definitions")}
    outer = moved.get("$defs")
    return {**moved, "$defs": {**(outer if isinstance(outer, dict) else {}), name: inner}}


def _references(node: JsonValue) -> list[str]:
    found: list[str] = []
    waiting: list[JsonValue] = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.append(str(node["$ref"]))
            waiting.extend(node[key] for key in node if key not in _DATA)
    return found


def _moved(node: JsonValue, base: str) -> JsonValue:
    """Return a copy of `node` in which what a `$ref` leads to stands below `base`."""
    if isinstance(node, list):
        return [_moved(item, base) for item in node]
    if not isinstance(node, dict):
        return node
    result: JsonObject = {}
    for key, value in node.items():
        if key == "$ref" and isinstance(value, str) and not value.startswith(_FAMILIES):
            result[key] = base + value.removeprefix("#")
        else:
            result[key] = value if key in _DATA else _moved(value, base)
    return result
