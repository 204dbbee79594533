"""Parts of JSON that somebody else wrote: what is not there, or of another type, is missing."""

from __future__ import annotations

from steer_engine.schema import JsonValue


def at(value: JsonValue, *path: str | int) -> JsonValue:
    """Return what stands at `path` in `value`; None if nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: JsonValue, *path: str | int) -> str:
    """Return the text at `path`; empty if there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number_at(value: JsonValue, *path: str | int) -> float | None:
    """Return the number at `path`; None if there is none."""
    found = at(value, *path)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def whole_at(value: JsonValue, *path: str | int) -> int:
    """Return the whole number at `path`; 0 if there is none."""
    found = number_at(value, *path)
    return int(found) if found is not None and abs(found) < 1e15 else 0


def list_at(value: JsonValue, *path: str | int) -> list[JsonValue]:
    """Return the list at `path`; empty if there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []
