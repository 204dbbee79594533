"""The account of what the mask does not enforce exactly, or cannot write at all."""

from __future__ import annotations

from steer_engine.schema.document import JsonObject

_EVERYTHING = ""  # in place of a keyword


class Inexact:
    """The keywords of which the mask allows more than they do, each with the reason."""

    def __init__(self) -> None:
        self._reasons: dict[int, dict[str, str]] = {}
        self._unwritable: dict[tuple[int, str], JsonObject] = {}

    def note(self, schema: JsonObject, keyword: str, reason: str) -> None:
        """Note that the guard must see to `keyword` of `schema`."""
        self._reasons.setdefault(id(schema), {}).setdefault(keyword, reason)

    def note_whole(self, schema: JsonObject, reason: str) -> None:
        """Note that the guard must see to `schema` as a whole."""
        self.note(schema, _EVERYTHING, reason)

    def schemas(self) -> set[int]:
        """Return the ids of the schemas of which something is noted."""
        return set(self._reasons)

    def is_whole(self, schema: JsonObject) -> bool:
        """Tell whether the guard must see to all of `schema`."""
        return _EVERYTHING in self._reasons.get(id(schema), ())

    def reason(self, schema: JsonObject, keyword: str) -> str | None:
        """Return why the guard must see to `keyword` of `schema`; None if it need not."""
        reasons = self._reasons.get(id(schema), {})
        return reasons.get(keyword, reasons.get(_EVERYTHING))

    def note_unwritable(self, schema: JsonObject, keyword: str) -> None:
        """Note that `keyword` of `schema` allows values which the mask cannot write."""
        self._unwritable[id(schema), keyword] = schema

    def is_unwritable(self, schema: JsonObject, keyword: str) -> bool:
        """Tell whether `keyword` of `schema` allows values which the mask cannot write."""
        return (id(schema), keyword) in self._unwritable

    def first_unwritable(self) -> tuple[JsonObject, str] | None:
        """Return the first schema and keyword that allow values which cannot be written."""
        found = next(iter(self._unwritable.items()), None)
        return None if found is None else (found[1], found[0][1])
