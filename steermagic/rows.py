"""`--rows PATH`: one row an item of a list inside the records, with everything else repeated.

A list that the path leads through is taken apart as well. A record whose list is empty or null has
no items and therefore no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steer_engine import JsonValue, Schema, row_of
from steermagic.errors import FrameError, did_you_mean
from steermagic.subschemas import plain


def explode_schema(schema: Schema, path: str) -> Schema:
    """Return the schema of one row: `schema` with an item in the place of the list at `path`.

    Raises:
        FrameError: there is no list at `path`.
    """
    root = schema.document
    return row_of(schema, _explode(plain(root, root), path.split("."), root, path))


def explode_record(record: JsonValue, path: Sequence[str]) -> Iterator[JsonValue]:
    """Yield `record` once for each item of the list at `path`, with the item in its place."""
    if isinstance(record, list):
        for item in record:
            if path:
                yield from explode_record(item, path)
            else:
                yield item
    elif isinstance(record, dict) and path:
        for part in explode_record(record.get(path[0]), path[1:]):
            yield {**record, path[0]: part}


def _explode(
    node: dict[str, JsonValue], path: Sequence[str], root: JsonValue, whole: str
) -> dict[str, JsonValue]:
    if not path:
        if node.get("type") != "array":
            raise FrameError(f"--rows {whole}: {whole!r} is not a list, so it has no items")
        return plain(node.get("items"), root)
    if node.get("type") == "array":
        node = plain(node.get("items"), root)
    name, *rest = path
    fields = node.get("properties")
    if not isinstance(fields, dict) or name not in fields:
        known = fields if isinstance(fields, dict) else ()
        raise FrameError(f"--rows {whole}: there is no field {name!r}{did_you_mean(name, known)}")
    item = _explode(plain(fields[name], root), rest, root, whole)
    return {**node, "properties": {**fields, name: item}}
