"""From where in the prompt's input a verbatim value was copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steer_engine.pointers import pointer_to
from steer_engine.schema import JsonValue
from steer_engine.schema.places import Path, VerbatimPlaces
from steer_engine.source import SourceText


@dataclass(frozen=True, slots=True)
class Evidence:
    """The value at `pointer` stands at `start` up to `end`, in characters, of input `source`.

    Inputs are counted from 0. Where the value stands several times, this is the first place.
    """

    pointer: str
    source: int
    start: int
    end: int


def find_evidence(
    record: JsonValue, places: VerbatimPlaces, source: SourceText
) -> tuple[Evidence, ...]:
    """Return where the verbatim strings of `record` stand in `source`; empty ones have no place."""
    return tuple(
        Evidence(pointer_to("", *path), *found)
        for path, text in _strings(record, ())
        if text and (mark := places.at(path)) is not None
        if (found := source.find(text, aligned=mark.aligned)) is not None
    )


def uncopied(
    record: JsonValue, places: VerbatimPlaces, source: SourceText
) -> tuple[str, str] | None:
    """Return pointer and text of the first verbatim string of `record` that `source` lacks."""
    if places.is_empty:
        return None
    for path, text in _strings(record, ()):
        mark = places.at(path)
        if text and mark is not None and source.find(text, aligned=mark.aligned) is None:
            return pointer_to("", *path), text
    return None


def _strings(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, (*path, name))
