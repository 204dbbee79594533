"""JSON Pointers (RFC 6901): the names of places in a document or an answer."""

from __future__ import annotations


def pointer_to(base: str, *steps: str | int) -> str:
    """Return the JSON Pointer that goes on from `base`: to a key or item number, and so on."""
    return base + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def steps_of(pointer: str) -> tuple[str, ...]:
    """Return the keys and item numbers that a JSON Pointer goes through, as texts."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
